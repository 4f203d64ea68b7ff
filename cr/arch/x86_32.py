"""x86-32 kernels."""

from __future__ import annotations

from cr.arch.x86 import support
from cr.image.arch import x86_32

SUPPORT = support(x86_32)
