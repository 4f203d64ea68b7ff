"""All architectures of C/R, by the name of a kernel's arch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cr.arch import ppc32, ppc64, x86_32, x86_64
from cr.arch.support import ArchSupport

if TYPE_CHECKING:
    from kernel_model.kernel import Kernel

ARCHES: dict[str, ArchSupport] = {
    "x86_32": x86_32.SUPPORT,
    "x86_64": x86_64.SUPPORT,
    "ppc32": ppc32.SUPPORT,
    "ppc64": ppc64.SUPPORT,
}


def arch_of(kernel: Kernel) -> ArchSupport:
    """The support of the arch that a kernel runs on."""
    return ARCHES[kernel.arch]
