"""The walk decodes every record of a whole image, and nothing else than an ImageError escapes."""

import pytest

from cr.image import types as t
from cr.image.errors import ImageError
from cr.image.stream import Pages, Reader
from cr.image.task import Task
from cr.image.walk import walk
from tests.unit.image.specimen import PAGE, Specimen

ARCHES = [t.ARCH_X86_32, t.ARCH_X86_64, t.ARCH_PPC32, t.ARCH_PPC64]


@pytest.mark.parametrize("arch_id", ARCHES)
def test_items_lie_back_to_back_and_cover_the_image(arch_id: int) -> None:
    image, position = Specimen(arch_id).build(), 0
    for item in walk(image):
        assert item.offset == position
        position += item.length
    assert position == len(image)


def test_every_record_type_of_the_format_occurs() -> None:
    seen = {item.type_no for arch_id in ARCHES for item in walk(Specimen(arch_id).build())}
    named = {value for name, value in vars(t).items() if name.startswith("HDR_")}
    never_alone = {t.HDR_CAPABILITIES, t.HDR_MNT_NS, t.HDR_ERROR, t.HDR_HPAGE}
    assert named - seen == never_alone


def test_payloads_are_decoded_where_the_grammar_says_what_they_are() -> None:
    items = list(walk(Specimen(t.ARCH_X86_32).build()))
    by_role = {item.role: item for item in items}
    assert bytes(by_role["pipe contents"].value) == b"in the pipe"  # type: ignore[arg-type]
    assert [r.numbers for r in by_role["pids"].value] == [(1,), (2, 1)]  # type: ignore[union-attr]
    assert [r.semadj for r in by_role["undo"].value] == [-1, 1]  # type: ignore[union-attr]
    pages = by_role["pages"].value
    assert isinstance(pages, Pages) and pages.addresses == (0x400000, 0x401000)
    assert [bytes(page) for _, page in pages] == [PAGE, bytes(4096)]


def test_items_know_their_object_and_their_task() -> None:
    items = list(walk(Specimen(t.ARCH_PPC64).build()))
    assert {item.task for item in items} == {None, 0, 1}
    mm = next(item for item in items if item.role == "MM object")
    vma = next(item for item in items if item.name == "VMA")
    assert vma.objref == mm.value.objref  # type: ignore[union-attr]
    assert mm.objref is None and vma.task == 0


@pytest.mark.slow
@pytest.mark.parametrize("arch_id", ARCHES)
def test_an_image_cut_anywhere_is_refused(arch_id: int) -> None:
    image = Specimen(arch_id).build()
    ends = [item.offset + item.length for item in walk(image)]
    # Cuts inside pages are all alike: every byte near a frame, and a few in between.
    near = {end + delta for end in ends for delta in (-1, 0, 7, 8) if end + delta < len(image)}
    for length in sorted(near | set(range(0, len(image), 1499))):
        with pytest.raises(ImageError):
            for _ in walk(memoryview(image)[:length]):
                pass


@pytest.mark.nightly
def test_an_image_cut_at_every_single_byte_is_refused() -> None:
    image = Specimen(t.ARCH_X86_32).build()
    for length in range(len(image)):
        with pytest.raises(ImageError):
            list(walk(memoryview(image)[:length]))


@pytest.mark.slow
@pytest.mark.parametrize("arch_id", ARCHES)
def test_a_flipped_bit_is_refused_or_harmless_but_never_another_exception(arch_id: int) -> None:
    image = bytearray(Specimen(arch_id).build())
    refused = 0
    for item in list(walk(bytes(image))):
        for at in range(item.offset, item.offset + min(item.length, 48), 7):
            bit = 1 << (at % 8)
            image[at] ^= bit
            try:
                for _ in walk(image):
                    pass
            except ImageError as error:
                refused += 1
                assert error.sentence and error.record
            image[at] ^= bit
    assert refused > 50


def test_nested_objects_cannot_exhaust_the_stack() -> None:
    specimen = Specimen(t.ARCH_X86_64)
    specimen.before_tree()
    specimen.put(Task)
    specimen.w.write_string(t.HDR_STRING, b"deep", t.TASK_COMM_BYTES)
    for number in range(100, 20_000):
        specimen.w.write_objref(t.OBJ_USER, number)
    with pytest.raises(ImageError, match="nested more than"):
        list(walk(specimen.image))


def test_the_same_object_number_twice_is_refused() -> None:
    image = Specimen(t.ARCH_X86_32).build()
    objrefs = [item for item in walk(image) if item.type_no == t.HDR_OBJREF]
    forged = bytearray(image)
    first, second = objrefs[0], objrefs[1]
    forged[second.offset + 12 : second.offset + 16] = image[first.offset + 12 : first.offset + 16]
    with pytest.raises(ImageError, match="comes twice"):
        list(walk(forged))


def test_an_error_record_says_why_the_checkpoint_failed() -> None:
    specimen = Specimen(t.ARCH_PPC32)
    specimen.before_tree()
    specimen.w.write_error(b"[err -16] task 7 has a file lease")
    with pytest.raises(ImageError, match="file lease") as caught:
        list(walk(specimen.image))
    assert caught.value.record == "ERROR"


def test_reading_from_the_wrong_end_is_no_image() -> None:
    with pytest.raises(ImageError, match="magic"):
        Reader(b"\x7fELF" + bytes(100))


@pytest.mark.parametrize(
    ("name", "offset", "value", "sentence"),
    [
        ("HEADER", 24, 5, "revision 5 is not 6"),
        ("HEADER", 16, 4, "ARM is not an architecture of ours"),
        ("IPC_MSG_MSG", 16, 4, "2 bytes are not the next of a message's 1"),
        ("EPOLL_ITEMS", 12, 2, "2 items are not the next of 1"),
        ("MACHINE", 36, 2, "2 bytes are needed, 4 are here"),
        ("MACHINE", 38, 1, "a random state of 65540 bytes is absurd"),
        ("FILE", 8, 77, "file type 77 is no kind of file"),
        ("OBJREF", 8, 12, "a MNT_NS object has no records"),
        ("IPC", 8, 2, "ipc_type 1 is expected here, not 2"),
        ("PIDS", 8, 1, "12 bytes follow the last of 1 entries"),
        ("PIDS", 8, 3, "3 entries are announced, 2 are here"),
        ("TREE", 8, 3, "48 bytes are not 3 TaskPids of 24"),
        ("TAIL", 8, 1, "magic must be"),
    ],
)
def test_a_forged_number_is_refused_with_its_own_sentence(
    name: str, offset: int, value: int, sentence: str
) -> None:
    image = bytearray(Specimen(t.ARCH_X86_32).build())
    first = next(item for item in walk(bytes(image)) if item.name == name)
    image[first.offset + offset] = value
    with pytest.raises(ImageError, match=sentence):
        list(walk(image))
