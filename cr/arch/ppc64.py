"""ppc64 kernels."""

from __future__ import annotations

from cr.arch.powerpc import support
from cr.image.arch import ppc64

SUPPORT = support(ppc64)
