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
_DARN = 63 << 26 | 0x7FE, 31 << 26 | 755 << 1
"""`deliver a random number`: the engine would ask the host for one."""


def _set_up(cpu: UnicornCpu) -> None:
    ppc.write_stubs(cpu, vsx=True)
    cpu.reg_write("UC_PPC_REG_MSR", ppc.base_msr(cpu.spec))
    # The engine tells of translated blocks only after one block has run to its end.
    cpu.run_stub(ppc.TWO_BLOCKS)


SPEC = replace(
    ppc32.SPEC,
    name="ppc64",
    word_bytes=8,
    uc_mode="UC_MODE_PPC64|UC_MODE_BIG_ENDIAN",
    window_page=0xFFFFFFFFFFFF7,
    forbidden=_DARN,
    set_up=_set_up,
    fresh_units={unit: ppc.FRESH_UNITS[unit] for unit in UNITS},
)
