"""The ppc32 ABI: SC, number in r0, arguments in r3 to r8, failure told by CR0.SO.

Mirrors: Linux arch/powerpc/kernel/process.c (start_thread), entry_32.S.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from kernel_model.abi.structs import PPC32
from kernel_model.arch import ppc32_signal
from kernel_model.arch.abi import THROUGH_IPC, Abi
from kernel_model.arch.features import Feature
from kernel_model.arch.ppc_emulate import PVR_7457A, emulator
from kernel_model.arch.ppc_registers import CR, PC, SO, gpr

if TYPE_CHECKING:
    from emu.arch.spec import Registers
    from kernel_model.task import Task

_PAGE = 0x1000
_HWCAP_ALTIVEC = 0x10000000
_HWCAP = 0x80000000 | _HWCAP_ALTIVEC | 0x08000000 | 0x04000000  # 32, AltiVec, FPU, MMU


def _start(task: Task, entry: int, stack: int) -> None:
    words = task.regs.words
    for position in range(len(words)):
        words[position] = 0
    words[PC], words[gpr(1)] = entry, stack
    task.regs["xer"] = 0
    task.regs.units = {}


def _set_result(task: Task, result: int) -> None:
    words = task.regs.words
    if result < 0:
        words[gpr(3)] = -result
        words[CR] |= SO
    else:
        words[gpr(3)] = result & 0xFFFFFFFF
        words[CR] &= ~SO


def _set_tls(_task: Task, regs: Registers, value: int) -> None:
    regs.words[gpr(2)] = value


ABI = Abi(
    name="ppc32",
    mode="ppc32",
    word_bytes=4,
    order=">",
    structs=PPC32,
    pc=PC,
    sp=gpr(1),
    number=gpr(0),
    arguments=tuple(gpr(k) for k in range(3, 9)),
    result=gpr(3),
    trap_bytes=4,
    align_pairs=True,
    high_first=True,
    task_size=0xC0000000,
    stack_top=0xC0000000,
    pie_base=0x20000000,
    read_implies_exec=True,
    elf_machines=("EM_PPC",),
    elf_class=32,
    platform=b"ppc7450",
    hwcap=_HWCAP,
    features={"altivec": Feature(_HWCAP_ALTIVEC)},
    last_number=353,
    stack_is_base=True,
    emulate=emulator(PVR_7457A),
    machine="ppc",
    start=_start,
    set_result=_set_result,
    set_tls=_set_tls,
    push_frame=ppc32_signal.push_frame,
    sigreturn=ppc32_signal.sigreturn,
    rt_sigreturn=ppc32_signal.rt_sigreturn,
    illegal_code=1,
    pack_siginfo=ppc32_signal.pack_siginfo,
    vdso=ppc32_signal.VDSO,
    variants={"fadvise64_64": "fadvise64_64_advice_first"} | THROUGH_IPC,
)

COMPAT = replace(ABI, task_size=0xFFFF0000, stack_top=0xFFFF0000, machine="ppc64")
"""The same under a ppc64 kernel, with nearly all of 4 GiB."""
