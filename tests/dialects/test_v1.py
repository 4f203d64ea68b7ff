"""v1: records as gcc laid them out on i386, and a program without files."""

from __future__ import annotations

import re
import struct

import pytest

from cr.image import types as t
from cr.image.dialects import v1, v2
from cr.image.dialects.arch import x86_2008_first
from cr.image.errors import ImageError
from cr.image.files import FileDesc, FileGeneric
from cr.image.walk import walk
from cr.tools.convert import convert, upgrade
from emu.layout import Record
from tests.dialects.old_images import changed, halfway
from tests.dialects.test_sizes import offset, pairs
from tests.harness.hostile import specimen

OFFSETS = """
MmV1.start_code 4  MmV1.end_code 12  MmV1.start_data 20  MmV1.end_data 28  MmV1.start_brk 36
MmV1.brk 44  MmV1.start_stack 52  MmV1.arg_start 60  MmV1.arg_end 68  MmV1.env_start 76
MmV1.env_end 84  MmV1.map_count 92  VmaV1.vm_start 4  VmaV1.vm_end 12  VmaV1.vm_page_prot 20
VmaV1.vm_flags 28  VmaV1.vm_pgoff 36  VmaV1.npages 44  VmaV1.namelen 46  MmContextV1.nldt 2
"""
SIZES = "MmV1 96  VmaV1 48  MmContextV1 4  HeadV1 32  TaskV1 36"


def named(name: str) -> type[Record]:
    cls: type[Record] = getattr(v1 if hasattr(v1, name) else x86_2008_first, name)
    return cls


@pytest.mark.parametrize(("name", "size"), pairs(SIZES))
def test_sizes(name: str, size: int) -> None:
    assert named(name).SIZE == size


@pytest.mark.parametrize(("field", "place"), pairs(OFFSETS))
def test_offsets(field: str, place: int) -> None:
    record, name = field.split(".")
    assert offset(named(record), name) == place


def refused(image: bytes, words: str) -> None:
    with pytest.raises(ImageError, match=re.escape(f"v1 has no place for {words}")):
        convert(image, "v1")


def test_every_frame_has_the_number_of_the_process() -> None:
    old = bytearray(convert(halfway("x86_32").native, "v1").image)
    kind, size, pid = struct.unpack_from("<hhI", old, 0)
    assert (kind, size, pid) == (1, 32, 1)
    second = 8 + size
    assert struct.unpack_from("<hhI", old, second) == (101, 36, 1)
    struct.pack_into("<I", old, second + 4, 2)
    with pytest.raises(ImageError, match="its parent is 2, not 1"):
        upgrade(old)
    struct.pack_into("<I", old, 4, 0)
    with pytest.raises(ImageError, match="there is no process 0"):
        upgrade(old)


def test_the_console_is_left_out_and_comes_back() -> None:
    native = halfway("x86_32").native
    converted = convert(native, "v1")
    assert v1.CONSOLE in converted.lost and b"console" not in converted.image
    back = upgrade(converted.image).image

    def open_files(image: bytes) -> list[tuple[bytes, FileGeneric]]:
        items = list(walk(image))
        numbers = {i.value.fd_objref for i in items if isinstance(i.value, FileDesc)}
        files = [i.value for i in items if isinstance(i.value, FileGeneric) and i.objref in numbers]
        names = [bytes(i.value) for i in items if i.role == "path" and i.objref in numbers]  # type: ignore[arg-type]
        return list(zip(names, files))

    before, after = open_files(native), open_files(back)
    assert [name for name, _ in before] == [name for name, _ in after]
    for (_, old), (_, new) in zip(before, after):
        assert (old.f_mode, old.f_flags, old.f_pos) == (new.f_mode, new.f_flags, new.f_pos)


def test_other_descriptors_are_refused() -> None:
    words = "open files other than the console's"
    refused(halfway("x86_32", "libc/stdio_file", 9).native, words)
    native = halfway("x86_32").native
    refused(changed(native, t.HDR_FILE_DESC, FileDesc, fd_close_on_exec=1), words)
    refused(changed(native, t.HDR_FILE_DESC, FileDesc, fd_descriptor=7), words)


def test_pages_are_counted_in_16_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    assert v2.PAGES_LIMIT == 32767
    monkeypatch.setattr(v2, "PAGES_LIMIT", 0)
    refused(halfway("x86_32").native, "more than 0 pages")


def test_one_process_of_one_machine() -> None:
    refused(specimen("memory/private_file", "x86_32").image, "more than one process")
    refused(halfway("ppc32").native, "ppc32: it knows 32-bit x86 only")


def test_areas_that_contradict_themselves() -> None:
    old = convert(halfway("x86_32").native, "v1").image
    place = old.index(struct.pack("<hhI", 202, 48, 1)) + 8
    how, namelen = struct.unpack_from("<I", old, place)[0], place + 46
    assert how == 2
    for at, content, words in (
        (place, b"\1", "an area of kind 1 with"),
        (place, b"\7", "an area of kind 7 with"),
        (place + 12, bytes(8), "is empty"),
        (namelen, b"\xff\xff", "a negative length"),
        (namelen, b"\x01\x00", "not 1 with its zero"),
    ):
        changed_image = bytearray(old)
        changed_image[at : at + len(content)] = content
        with pytest.raises(ImageError, match=re.escape(words)):
            upgrade(changed_image)
