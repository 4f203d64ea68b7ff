"""ppc64, big-endian, with FPU, AltiVec and VSX (Unicorn's only working 64-bit model: a POWER10).

What a guest may use of it is what the kernel says in AT_HWCAP; `darn` is not among it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from emu.arch import ppc, ppc32

if TYPE_CHECKING:
    from emu.unicorn_cpu import UnicornCpu

UNITS = ("fp", "altivec", "vsx")


def _set_up(cpu: UnicornCpu) -> None:
    ppc.write_stubs(cpu, vsx=True)
    cpu.reg_write("UC_PPC_REG_MSR", ppc.base_msr(cpu.spec))


SPEC = replace(
    ppc32.SPEC,
    name="ppc64",
    word_bytes=8,
    uc_mode="UC_MODE_PPC64|UC_MODE_BIG_ENDIAN",
    window_page=0xFFFFFFFFFFFF7,
    set_up=_set_up,
    fresh_units={unit: ppc.FRESH_UNITS[unit] for unit in UNITS},
)
