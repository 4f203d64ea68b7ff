"""ppc64, big-endian, with FPU, AltiVec and VSX (Unicorn's only working 64-bit model: a POWER10).

What a guest may use of it is what the kernel says in AT_HWCAP; `darn` is refused.
"""

from __future__ import annotations

from dataclasses import replace

from emu.arch import ppc, ppc32

UNITS = ("fp", "altivec", "vsx")


SPEC = replace(
    ppc32.SPEC,
    name="ppc64",
    word_bytes=8,
    uc_mode="UC_MODE_PPC64|UC_MODE_BIG_ENDIAN",
    window_page=0xFFFFFFFFFFFF7,
    forbidden=(*ppc.DARN, *ppc.MFTB),
    emulate=ppc.emulate,
    fresh_units={unit: ppc.FRESH_UNITS[unit] for unit in UNITS},
)
