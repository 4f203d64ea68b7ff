"""The ppc64 ABI, big-endian: ELFv1 programs begin at a function descriptor, ELFv2 ones at code.

Mirrors: Linux arch/powerpc/kernel/process.c (start_thread).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel_model.abi.structs import PPC64
from kernel_model.arch import ppc64_signal
from kernel_model.arch.abi import THROUGH_IPC, Abi
from kernel_model.arch.features import Feature
from kernel_model.arch.ppc_emulate import PVR_POWER7, emulator
from kernel_model.arch.ppc_registers import CR, PC, SO, function_descriptors, gpr

if TYPE_CHECKING:
    from emu.arch.spec import Registers
    from kernel_model.task import Task

_MASK = (1 << 64) - 1
_HWCAP_ALTIVEC, _HWCAP_VSX = 0x10000000, 0x80
# 64, 32, AltiVec, FPU, MMU, ISA 2.06, VSX
_HWCAP = 0x40000000 | 0x80000000 | _HWCAP_ALTIVEC | 0x08000000 | 0x04000000 | 0x100 | _HWCAP_VSX


def _start(task: Task, entry: int, stack: int) -> None:
    words = task.regs.words
    for position in range(len(words)):
        words[position] = 0
    if function_descriptors(task):
        words[gpr(2)] = (task.user.word(entry + 8) + task.load_bias) & _MASK
        entry = (task.user.word(entry) + task.load_bias) & _MASK
    words[PC], words[gpr(12)], words[gpr(1)] = entry, entry, stack
    task.regs["xer"] = 0
    task.regs.units = {}


def _set_result(task: Task, result: int) -> None:
    words = task.regs.words
    if result < 0:
        words[gpr(3)] = -result
        words[CR] |= SO
    else:
        words[gpr(3)] = result & _MASK
        words[CR] &= ~SO


def _set_tls(_task: Task, regs: Registers, value: int) -> None:
    regs.words[gpr(13)] = value


ABI = Abi(
    name="ppc64",
    mode="ppc64",
    word_bytes=8,
    order=">",
    structs=PPC64,
    pc=PC,
    sp=gpr(1),
    number=gpr(0),
    arguments=tuple(gpr(k) for k in range(3, 9)),
    result=gpr(3),
    trap_bytes=4,
    align_pairs=False,
    high_first=True,
    task_size=1 << 46,
    stack_top=1 << 46,
    pie_base=0x120000000,
    read_implies_exec=False,
    elf_machines=("EM_PPC64",),
    elf_class=64,
    platform=b"power7",
    hwcap=_HWCAP,
    features={
        "altivec": Feature(_HWCAP_ALTIVEC, needed_by=("vsx",)),
        "vsx": Feature(_HWCAP_VSX),
    },
    last_number=353,
    stack_is_base=True,
    emulate=emulator(PVR_POWER7),
    machine="ppc64",
    start=_start,
    set_result=_set_result,
    set_tls=_set_tls,
    push_frame=ppc64_signal.push_frame,
    sigreturn=ppc64_signal.rt_sigreturn,
    rt_sigreturn=ppc64_signal.rt_sigreturn,
    illegal_code=1,
    variants=THROUGH_IPC,
    pack_siginfo=ppc64_signal.pack_siginfo,
    vdso=ppc64_signal.VDSO,
)
