"""The i386 ABI: INT 0x80, arguments in ebx ecx edx esi edi ebp, TLS through descriptors.

Mirrors: Linux arch/x86/kernel/process_32.c (start_thread), tls.c.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from emu.arch import x86_32 as cpu
from kernel_model.abi.structs import X86_32
from kernel_model.arch import x86_32_signal
from kernel_model.arch.abi import THROUGH_IPC, Abi

if TYPE_CHECKING:
    from emu.arch.spec import Registers
    from kernel_model.task import Task

_EIP, _EAX, _EBX, _ECX, _EDX, _ESI, _EDI, _EBP, _ESP, _EFLAGS = range(10)
_EFLAGS_START = 0x202
_PAGE = 0x1000


def _start(task: Task, entry: int, stack: int) -> None:
    words = task.regs.words
    for position in range(len(words)):
        words[position] = 0
    words[_EIP], words[_ESP], words[_EFLAGS] = entry, stack, _EFLAGS_START
    spec = task.regs.spec
    for name, value in spec.initial_system.items():
        task.regs[name] = value
    for slot in range(cpu.TLS_COUNT):
        task.regs[f"tls{slot}"] = 0


def _set_result(task: Task, result: int) -> None:
    task.regs.words[_EAX] = result & 0xFFFFFFFF


def _set_tls(task: Task, regs: Registers, value: int) -> None:
    # For clone, the argument is a user_desc, like set_thread_area's.
    from kernel_model.syscalls.thread_area import set_descriptor

    set_descriptor(task, regs, value, may_choose=False)


ABI = Abi(
    name="x86_32",
    mode="x86_32",
    word_bytes=4,
    order="<",
    structs=X86_32,
    pc=_EIP,
    sp=_ESP,
    number=_EAX,
    arguments=(_EBX, _ECX, _EDX, _ESI, _EDI, _EBP),
    result=_EAX,
    trap_bytes=2,
    align_pairs=False,
    high_first=False,
    task_size=0xC0000000,
    stack_top=0xC0000000 - _PAGE,
    pie_base=0x80000000,
    read_implies_exec=True,
    elf_machines=("EM_386",),
    elf_class=32,
    platform=b"i686",
    hwcap=0x0FCBFBFD,
    last_number=349,
    machine="i686",
    start=_start,
    set_result=_set_result,
    set_tls=_set_tls,
    push_frame=x86_32_signal.push_frame,
    sigreturn=x86_32_signal.sigreturn,
    rt_sigreturn=x86_32_signal.rt_sigreturn,
    pack_siginfo=x86_32_signal.pack_siginfo,
    first_tls_slot=6,
    old_rlimit_max=0x7FFFFFFF,
    vdso=b"",
    variants={"mmap": "mmap_struct"} | THROUGH_IPC,
)

COMPAT = replace(
    ABI,
    mode="x86_32 compat",
    task_size=0xFFFFE000,
    stack_top=0xFFFFE000,
    pie_base=0x56555000,
    first_tls_slot=12,
    machine="x86_64",
)
"""The same under an x86-64 kernel: other selectors, and nearly all of 4 GiB."""
