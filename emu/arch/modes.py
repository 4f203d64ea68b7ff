"""All execution modes."""

from __future__ import annotations

from emu.arch import ppc32, ppc64, x86_32, x86_64
from emu.arch.spec import CpuSpec

MODES: dict[str, CpuSpec] = {
    spec.name: spec for spec in (x86_32.SPEC, x86_32.COMPAT, x86_64.SPEC, ppc32.SPEC, ppc64.SPEC)
}
