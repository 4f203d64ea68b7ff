"""Architectures: the same names everywhere, and segments that survive another GDT."""

import pytest

from cr.image.arch import ppc32, ppc64, x86, x86_32, x86_64
from cr.image.arch.formats import FORMATS
from emu.layout import LayoutError


def test_all_architectures_export_the_same_names() -> None:
    for module in (x86_32, x86_64, ppc32, ppc64):
        assert {"FORMAT", "HeaderArch", "Thread", "Cpu", "MmContext"} <= set(module.__all__)
        assert FORMATS[module.FORMAT.arch_id] is module.FORMAT
    assert sorted(FORMATS) == [1, 2, 0x100, 0x101]


@pytest.mark.parametrize("segments", [x86_32.SEGMENTS, x86_64.SEGMENTS])
def test_encodings_decode_to_selectors_that_encode_back(segments: x86.Segments) -> None:
    for encoding in range(0x10000):
        try:
            selector = segments.decode(encoding)
        except LayoutError:
            continue
        # The one data segment of a 64-bit kernel has two encodings.
        assert segments.decode(segments.encode(selector)) == selector
        assert segments.encode(selector) == encoding or encoding == x86.SEG_USER32_DS


@pytest.mark.parametrize(
    ("segments", "encoding", "selector"),
    [
        (x86_32.SEGMENTS, 0, 0),
        (x86_32.SEGMENTS, 1, 0x73),
        (x86_32.SEGMENTS, 2, 0x7B),
        (x86_32.SEGMENTS, 0x4000, 0x33),
        (x86_32.SEGMENTS, 0x4002, 0x43),
        (x86_32.SEGMENTS, 0x8000, 0x7),
        (x86_64.SEGMENTS, 1, 0x23),
        (x86_64.SEGMENTS, 3, 0x33),
        (x86_64.SEGMENTS, 4, 0x2B),
        (x86_64.SEGMENTS, 0x4000, 0x63),
        (x86_64.SEGMENTS, 0x9FFF, 0xFFFF),
    ],
)
def test_segments(segments: x86.Segments, encoding: int, selector: int) -> None:
    assert segments.decode(encoding) == selector
    assert segments.encode(selector) == encoding


@pytest.mark.parametrize("encoding", [3, 4, 5, 0x3FFF, 0x4003, 0x7FFF, 0xA000, 0xFFFF])
def test_other_encodings_are_refused(encoding: int) -> None:
    with pytest.raises(LayoutError):
        x86_32.SEGMENTS.decode(encoding)


@pytest.mark.parametrize("selector", [0x60, 0x70, 0x2B, 0x4B, 0x72, 0x4, 0x5])
def test_other_selectors_are_refused(selector: int) -> None:
    with pytest.raises(LayoutError):
        x86_32.SEGMENTS.encode(selector)
