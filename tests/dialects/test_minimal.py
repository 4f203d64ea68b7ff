"""The subset of December 2010, rule by rule: it is the smallest image that there ever was."""

from __future__ import annotations

import re
import struct
from dataclasses import replace

import pytest

from cr.image import types as t
from cr.image.dialects import v21_minimal as minimal
from cr.image.dialects.table import DIALECTS, recognize
from cr.image.errors import ImageError
from cr.image.task import Task
from cr.image.walk import walk
from cr.tools.convert import convert, told, upgrade
from emu.layout import BIG, LITTLE, Order
from tests.dialects.old_images import changed, halfway
from tests.dialects.test_sizes import offset
from tests.harness.hostile import specimen

FOUND = minimal.Minimal(
    minimal.HeaderMinimal(major=2, minor=6, patch=36, time=1292284800),
    b"2.6.36",
    b"#1",
    b"i686",
    minimal.TaskMinimal(
        state=0,
        exit_state=0,
        exit_code=0,
        exit_signal=17,
        set_child_tid=0x1000,
        clear_child_tid=0x2000,
    ),
    b"self",
)
IMAGE = minimal.pack(FOUND, LITTLE)
HEADER_AT, RELEASE_AT, VERSION_AT, MACHINE_AT = 0, 56, 129, 202
CONTAINER_AT, TASK_AT, COMM_AT, TAIL_AT = 275, 283, 323, 347


def refused(image: bytes, words: str, errno: int = 22, place: int | None = None) -> None:
    with pytest.raises(ImageError, match=re.escape(words)) as error:
        minimal.unpack(image, LITTLE, (2, 6, 36))
    assert error.value.errno == errno
    assert place is None or error.value.offset == place


def with_bytes(place: int, content: bytes) -> bytes:
    return IMAGE[:place] + content + IMAGE[place + len(content) :]


def test_363_bytes_without_a_gap() -> None:
    assert len(IMAGE) == minimal.IMAGE_BYTES == 363
    at, found = 0, []
    while at < len(IMAGE):
        kind, size = struct.unpack_from("<II", IMAGE, at)
        found.append((at, kind, size))
        at += size
    assert found == [
        (HEADER_AT, 1, 56),
        (RELEASE_AT, 3, 73),
        (VERSION_AT, 3, 73),
        (MACHINE_AT, 3, 73),
        (CONTAINER_AT, 2, 8),
        (TASK_AT, 101, 40),
        (COMM_AT, 4, 24),
        (TAIL_AT, 9001, 16),
    ]
    assert at == 363 and VERSION_AT % 8, "a record behind 73 bytes is not aligned"


def test_sizes_and_places() -> None:
    sizes = {cls.__name__: cls.SIZE for cls in minimal.DIALECT.records}
    assert sizes == {
        "ConstantsMinimal": 8,
        "HeaderMinimal": 56,
        "ContainerMinimal": 8,
        "TaskMinimal": 40,
        "TailMinimal": 16,
    }
    places = {
        name: offset(minimal.HeaderMinimal, name)
        for name in ("magic", "major", "rev", "constants", "time", "uflags")
    }
    assert places == {
        "magic": 8,
        "major": 18,
        "rev": 24,
        "constants": 32,
        "time": 40,
        "uflags": 48,
    }
    assert offset(minimal.TaskMinimal, "set_child_tid") == 24
    assert offset(minimal.TaskMinimal, "clear_child_tid") == 32


@pytest.mark.parametrize("order", [LITTLE, BIG])
def test_it_comes_back(order: Order) -> None:
    image = minimal.pack(FOUND, order)
    assert minimal.unpack(image, order) == FOUND
    assert [dialect for dialect in DIALECTS if dialect.recognizes(image)] == [minimal.DIALECT]


def test_the_revision_belongs_to_it() -> None:
    assert recognize(with_bytes(24, struct.pack("<H", 6))) is None


def test_the_checks_of_the_header_come_in_order() -> None:
    """Version, then flags, then constants: one sentence each, whatever else is wrong."""
    constants = with_bytes(32, struct.pack("<H", 17))
    refused(constants, "incompatible kernel constants")
    flags = constants[:48] + struct.pack("<Q", 1) + constants[56:]
    refused(flags, "incompatible restart user flags")
    for place in (18, 20, 22, 24):
        version = flags[:place] + struct.pack("<H", 99) + flags[place + 2 :]
        refused(version, "incompatible kernel version")
    magic = flags[:8] + bytes(8) + flags[16:]
    refused(magic, "incompatible kernel version")
    length = magic[:4] + struct.pack("<I", 72) + magic[8:]
    refused(length, "HEADER of 56 bytes is expected, not 72")


def test_any_kernel_will_do_if_none_is_asked_for() -> None:
    other = with_bytes(22, struct.pack("<H", 37))
    refused(other, "incompatible kernel version")
    assert minimal.unpack(other, LITTLE).header.patch == 37


@pytest.mark.parametrize("place", [26, 28])
def test_what_pads_is_not_looked_at(place: int) -> None:
    assert minimal.unpack(with_bytes(place, b"\1\1"), LITTLE, (2, 6, 36)).comm == b"self"


@pytest.mark.parametrize("place", [RELEASE_AT, VERSION_AT, MACHINE_AT])
def test_texts_have_65_bytes_and_are_thrown_away(place: int) -> None:
    refused(with_bytes(place + 4, b"\x48"), "BUFFER of 73 bytes is expected, not 72", place=place)
    full = with_bytes(place + 8, b"x" * 65)
    assert minimal.unpack(full, LITTLE, (2, 6, 36)).comm == b"self"


@pytest.mark.parametrize(
    ("place", "words"),
    [
        (CONTAINER_AT, "CONTAINER of 8 bytes is expected"),
        (TASK_AT, "TASK of 40 bytes is expected"),
        (COMM_AT, "STRING of 24 bytes is expected"),
        (TAIL_AT, "TAIL of 16 bytes is expected"),
    ],
)
def test_types_and_lengths_are_exact(place: int, words: str) -> None:
    refused(with_bytes(place, struct.pack("<I", 5)), words, place=place)
    refused(with_bytes(place + 4, struct.pack("<I", 9)), words, place=place)


def test_the_magic_of_tail() -> None:
    refused(with_bytes(TAIL_AT + 8, bytes(8)), "the magic of TAIL is wrong", place=TAIL_AT)


def test_the_last_byte_of_a_name_is_zero() -> None:
    full = with_bytes(COMM_AT + 8, b"0123456789abcdef")
    assert minimal.unpack(full, LITTLE).comm == b"0123456789abcde"


def test_nobody_looks_behind_tail() -> None:
    assert minimal.unpack(IMAGE + b"more", LITTLE, (2, 6, 36)) == FOUND


@pytest.mark.parametrize("length", range(0, 363, 3))
def test_a_short_read_is_epipe(length: int) -> None:
    refused(IMAGE[:length], "the image is cut", errno=32)


def test_an_error_is_read_where_text_should_be() -> None:
    """In place of a struct it is just a wrong record; its text is its own payload."""
    error = struct.pack("<II", 9999, 20) + b"\0no memory\0\0"
    refused(IMAGE[:COMM_AT] + error, "the checkpoint failed: no memory", errno=5)
    refused(IMAGE[:RELEASE_AT] + error, "the checkpoint failed: no memory", errno=5)
    refused(IMAGE[:TASK_AT] + error, "TASK of 40 bytes is expected, not 20")


def test_it_is_not_upgraded_and_says_what_it_holds() -> None:
    assert recognize(IMAGE) is minimal.DIALECT
    with pytest.raises(ImageError, match="the name 'self' and two addresses") as error:
        upgrade(IMAGE)
    assert "0x1000" in error.value.sentence and "0x2000" in error.value.sentence


def test_it_can_be_told_by_name() -> None:
    words = told(IMAGE)
    assert words is not None and words["dialect"] == minimal.NAME
    assert (words["comm"], words["kernel"], words["clear_child_tid"]) == ("self", "2.6.36", 0x2000)
    assert told(halfway("x86_32").native) is None
    assert told(convert(halfway("x86_32").native, "v20").image) is None


def test_a_program_is_written_only_if_the_loss_is_asked_for() -> None:
    native = changed(
        halfway("x86_32").native, t.HDR_TASK, Task, set_child_tid=0x123, clear_child_tid=0x456
    )
    with pytest.raises(ImageError, match="has no place for memory, registers and files"):
        convert(native, minimal.NAME)
    converted = convert(native, minimal.NAME, lossy=True)
    assert "it cannot be restarted" in converted.lost[0] and len(converted.lost) == 1
    assert len(converted.image) == 363
    found = minimal.unpack(converted.image, LITTLE, (3, 2, 0))
    assert (found.comm, found.machine) == (b"program", b"i686")
    assert (found.task.set_child_tid, found.task.clear_child_tid) == (0x123, 0x456)
    assert found.task.exit_signal == 17


def test_of_several_tasks_the_first_is_written() -> None:
    native = specimen("memory/private_file", "ppc64").image
    converted = convert(native, minimal.NAME, lossy=True)
    assert converted.lost[1:] == ("every task but the first: 1 more",)
    assert recognize(converted.image) is minimal.DIALECT


def test_names_that_are_too_long() -> None:
    for long in (replace(FOUND, comm=b"x" * 16), replace(FOUND, release=b"x" * 65)):
        with pytest.raises(ImageError, match="a name that is too long"):
            minimal.pack(long, LITTLE)


def test_every_flipped_bit() -> None:
    """Never another exception; what is still read is written again as it was, but for padding."""
    refusals = 0
    for place in range(len(IMAGE)):
        for bit in range(8):
            changed_image = bytearray(IMAGE)
            changed_image[place] ^= 1 << bit
            with pytest.raises(ImageError):
                list(walk(upgrade(changed_image).image))
            try:
                minimal.unpack(changed_image, LITTLE, (2, 6, 36))
            except ImageError as error:
                refusals += 1
                assert error.sentence and error.errno in (5, 22, 32)
    texts, numbers = 3 * 65 + 16, 40 - 8 + 8  # what is thrown away or taken as it is; time
    assert refusals == 8 * (363 - texts - numbers - 2 - 2 - 4)  # and where arch_id was, padding
