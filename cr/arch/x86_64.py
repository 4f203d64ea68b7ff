"""x86-64 kernels, whose tasks may be 32-bit ones."""

from __future__ import annotations

from cr.arch.x86 import support
from cr.image.arch import x86_64

SUPPORT = support(x86_64)
