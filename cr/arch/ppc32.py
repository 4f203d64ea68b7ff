"""ppc32 kernels."""

from __future__ import annotations

from cr.arch.powerpc import support
from cr.image.arch import ppc32

SUPPORT = support(ppc32)
