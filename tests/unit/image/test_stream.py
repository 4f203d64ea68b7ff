"""Frames, strings, pages, objects on the way, and refusals with a place and a sentence."""

import pytest

from cr.image import types as t
from cr.image.errors import ImageError
from cr.image.files import FileDesc, FileTable
from cr.image.header import Objref
from cr.image.ipc import Semaphore
from cr.image.memory import PageArray
from cr.image.stream import Reader, Writer, byte_order
from cr.image.task import Fs
from emu.layout import BIG, LITTLE, Order

ORDERS: list[Order] = [LITTLE, BIG]


def written(order: Order = LITTLE) -> tuple[bytearray, Writer]:
    image = bytearray()
    return image, Writer(image, order)


@pytest.mark.parametrize("order", ORDERS)
def test_records_strings_and_blobs_come_back(order: Order) -> None:
    image, w = written(order)
    w.write(t.HDR_FS, Fs(umask=0o22))
    w.write_string(t.HDR_FILE_NAME, b"/tmp")
    w.write_string(t.HDR_STRING, b"comm", 16)
    w.write_blob(t.HDR_BUFFER, b"")
    w.write_records([Semaphore(semval=1, sempid=2)] * 3)
    assert w.position == len(image) == 16 + 13 + 24 + 8 + 32
    r = Reader(image, order)
    assert r.read(t.HDR_FS, Fs).umask == 0o22
    assert r.read_string(t.HDR_FILE_NAME, t.PATH_LIMIT) == b"/tmp"
    assert r.read_blob(t.HDR_STRING) == b"comm".ljust(16, b"\0")
    assert r.read_blob(t.HDR_BUFFER) == b""
    assert r.read_records(Semaphore, 3)[2].sempid == 2
    assert r.at_end()


def test_frames_are_those_of_linux() -> None:
    image, w = written()
    w.write_blob(t.HDR_STRING, b"hi")
    assert image == bytes.fromhex("05000000 0a000000 6869")


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("word_bytes", [4, 8])
def test_pages_come_back_in_arrays_as_linux_batches_them(order: Order, word_bytes: int) -> None:
    image, w = written(order)
    most = 16 * 4096 // word_bytes
    count = most + 2
    page = memoryview(bytes(range(256)) * 16)
    w.write_pages(range(0, count * 4096, 4096), [page] * count, word_bytes)
    w.end_pages()
    assert w.position == len(image)
    r = Reader(image, order)
    arrays = []
    while pages := r.read_pages():
        arrays.append(pages)
    assert [len(pages) for pages in arrays] == [most, 2]
    address, content = list(arrays[1])[1]
    assert address == (count - 1) * 4096 and content == page and r.at_end()


def test_pages_are_neither_copied_by_a_list_nor_by_the_reader() -> None:
    ram = bytearray(4096)
    pieces: list[bytes | bytearray | memoryview] = []
    Writer(pieces, LITTLE).write_pages([0], [memoryview(ram)])
    ram[0] = 1
    assert b"".join(pieces)[-4096] == 1
    image = bytearray(b"".join(pieces))
    pages = Reader(image, LITTLE).read_pages()
    image[-4096] = 2
    assert pages is not None and pages.content[0] == 2


def test_a_sink_can_be_a_function_that_fails() -> None:
    def full(piece: object) -> None:
        raise OSError("no space")

    with pytest.raises(OSError):
        Writer(full, LITTLE).write(t.HDR_FS, Fs(umask=0))


def test_a_record_cannot_be_written_under_another_type() -> None:
    with pytest.raises(AssertionError):
        written()[1].write(t.HDR_TASK, Fs(umask=0))


def test_objects_on_the_way_are_handed_over() -> None:
    image, w = written()
    for number in (1, 2):
        w.write_objref(t.OBJ_FS, number)
    w.write(t.HDR_FS, Fs(umask=2))
    w.write(t.HDR_FS, Fs(umask=1))
    w.write(t.HDR_FILE_TABLE, FileTable(fdt_nfds=0))
    seen = []
    r = Reader(image, LITTLE)

    def restore(objref: Objref) -> None:
        seen.append((objref.objref, r.objref, r.read(t.HDR_FS, Fs).umask))

    r.on_objref = restore
    r.read(t.HDR_FILE_TABLE, FileTable)
    assert seen == [(2, 2, 2), (1, 1, 1)] and r.objref is None


def test_an_objref_that_nobody_wants_is_refused() -> None:
    image, w = written()
    w.write_objref(t.OBJ_FS, 1)
    with pytest.raises(ImageError, match="FS is expected here") as caught:
        Reader(image, LITTLE).read(t.HDR_FS, Fs)
    assert (caught.value.offset, caught.value.record) == (0, "OBJREF")


def test_errors_say_where_and_about_what() -> None:
    image, w = written()
    w.write(t.HDR_FS, Fs(umask=0))
    w.write(t.HDR_FILE_DESC, FileDesc(fd_objref=1, fd_descriptor=0, fd_close_on_exec=0))
    image[24] = 0
    r = Reader(image, LITTLE)
    r.task, r.objref = 3, 9
    r.read(t.HDR_FS, Fs)
    with pytest.raises(ImageError) as caught:
        r.read(t.HDR_FILE_DESC, FileDesc)
    error = caught.value
    assert (error.offset, error.record, error.objref, error.task) == (16, "FILE_DESC", 9, 3)
    assert str(error) == (
        "at byte 16, FILE_DESC, object 9, task 3: FileDesc: fd_objref must be positive"
    )


def test_every_cut_is_refused() -> None:
    image, w = written()
    w.write(t.HDR_FS, Fs(umask=0))
    for length in range(len(image)):
        with pytest.raises(ImageError, match="cut"):
            Reader(image[:length], LITTLE).read(t.HDR_FS, Fs)


@pytest.mark.parametrize(
    ("length", "sentence"),
    [
        (0, "a length of 0 does not even cover the frame"),
        (7, "a length of 7 does not even cover the frame"),
        (8, "Fs has 8 bytes, not 0"),
        (15, "Fs has 8 bytes, not 7"),
        (17, "Fs has 8 bytes, not 9"),
        (18, "the image is cut: the record has 18 bytes, 17 are left"),
        (0xFFFFFFFF, "the image is cut"),
    ],
)
def test_wrong_lengths_are_refused(length: int, sentence: str) -> None:
    image, w = written()
    w.write(t.HDR_FS, Fs(umask=0))
    image[4:8] = length.to_bytes(4, "little")
    with pytest.raises(ImageError, match=sentence):
        Reader(image + bytes(1), LITTLE).read(t.HDR_FS, Fs)


def test_absurd_counts_cost_nothing() -> None:
    for count in (1, 2, 1 << 20, (1 << 64) - 1):
        image, w = written()
        w.write(t.HDR_PGARR, PageArray(nr_pages=count))
        w.write_blob(t.HDR_BUFFER, bytes(10_000))
        with pytest.raises(ImageError, match="addresses and pages"):
            Reader(image, LITTLE).read_pages()
    image, w = written()
    w.write_blob(t.HDR_BUFFER, bytes(16))
    with pytest.raises(ImageError, match="16 bytes are not 4294967295 Semaphore"):
        Reader(image, LITTLE).read_records(Semaphore, 0xFFFFFFFF)


def test_limits_and_missing_zero_bytes() -> None:
    image, w = written()
    w.write_blob(t.HDR_STRING, b"x" * 10)
    with pytest.raises(ImageError, match="10 bytes are more than 9"):
        Reader(image, LITTLE).read_blob(t.HDR_STRING, 9)
    with pytest.raises(ImageError, match="no zero byte"):
        Reader(image, LITTLE).read_string(t.HDR_STRING, 10)
    with pytest.raises(ImageError, match="11 bytes are needed, 10 are here"):
        Reader(image, LITTLE).read_exact(t.HDR_STRING, 11)


@pytest.mark.parametrize(
    "rest", [b"", b"\5\0\0\0", bytes(8), b"\5\0\0\0\0\0\0\0", b"\4\0\0\0\x09\0\0\0x"]
)
def test_an_error_record_without_its_text_is_an_error_all_the_same(rest: bytes) -> None:
    image, w = written()
    w.write_error(b"why")
    with pytest.raises(ImageError, match="the checkpoint failed"):
        Reader(bytes(image[:8]) + rest, LITTLE).read(t.HDR_FS, Fs)


def test_byte_order_is_told_by_the_magic() -> None:
    magic = t.HEADER_MAGIC
    assert byte_order(bytes(8) + magic.to_bytes(8, "little")) == LITTLE
    assert byte_order(bytes(8) + magic.to_bytes(8, "big")) == BIG
    for image in (b"", bytes(15), bytes(100)):
        with pytest.raises(ImageError, match="magic"):
            byte_order(image)
