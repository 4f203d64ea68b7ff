"""All architectures of the format, by the number that is in HEADER.arch_id."""

from collections.abc import Mapping
from types import MappingProxyType

from cr.image.arch import ppc32, ppc64, x86_32, x86_64
from cr.image.arch.shape import ArchFormat

FORMATS: Mapping[int, ArchFormat] = MappingProxyType(
    {arch.arch_id: arch for arch in (x86_32.FORMAT, x86_64.FORMAT, ppc32.FORMAT, ppc64.FORMAT)}
)
