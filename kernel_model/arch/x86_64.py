"""The x86-64 ABI: SYSCALL, arguments in rdi rsi rdx r10 r8 r9; rcx and r11 are lost.

Mirrors: Linux arch/x86/kernel/process_64.c (start_thread), entry_64.S.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel_model.abi.structs import X86_64
from kernel_model.arch import x86_64_signal
from kernel_model.arch.abi import Abi

if TYPE_CHECKING:
    from emu.arch.spec import Registers
    from kernel_model.task import Task

(_RIP, _RAX, _RBX, _RCX, _RDX, _RSI, _RDI, _RBP, _RSP) = range(9)
_R8, _R9, _R10, _R11 = 9, 10, 11, 12
_RFLAGS = 17
_RFLAGS_START = 0x202
_PAGE = 0x1000
_MASK = (1 << 64) - 1


def _start(task: Task, entry: int, stack: int) -> None:
    words = task.regs.words
    for position in range(len(words)):
        words[position] = 0
    words[_RIP], words[_RSP], words[_RFLAGS] = entry, stack, _RFLAGS_START
    for name in task.regs.spec.system:
        task.regs[name] = task.regs.spec.initial_system.get(name, 0)


def _set_result(task: Task, result: int) -> None:
    words = task.regs.words
    words[_RAX] = result & _MASK
    words[_RCX] = words[_RIP]
    words[_R11] = words[_RFLAGS]


def _set_tls(task: Task, regs: Registers, value: int) -> None:
    from kernel_model.syscalls.thread_area import set_base

    set_base(task, regs, "fs_base", value)


ABI = Abi(
    name="x86_64",
    mode="x86_64",
    word_bytes=8,
    order="<",
    structs=X86_64,
    pc=_RIP,
    sp=_RSP,
    number=_RAX,
    arguments=(_RDI, _RSI, _RDX, _R10, _R8, _R9),
    result=_RAX,
    trap_bytes=2,
    align_pairs=False,
    high_first=False,
    task_size=0x7FFFFFFFF000,
    stack_top=0x7FFFFFFFF000,
    pie_base=0x555555554000,
    read_implies_exec=True,
    elf_machines=("EM_X86_64",),
    elf_class=64,
    platform=b"x86_64",
    hwcap=0x0FCBFBFD,
    last_number=314,
    variants={"clone": "clone_tls_last"},
    machine="x86_64",
    start=_start,
    set_result=_set_result,
    set_tls=_set_tls,
    push_frame=x86_64_signal.push_frame,
    sigreturn=x86_64_signal.rt_sigreturn,
    rt_sigreturn=x86_64_signal.rt_sigreturn,
    canonical_bits=47,
    pack_siginfo=x86_64_signal.pack_siginfo,
    vdso=b"",
)
