"""`summarize` tells what is in an image, and nothing but an ImageError when it cannot."""

import json

import pytest

from cr.image import types as t
from cr.image.errors import ImageError
from cr.image.walk import walk
from cr.tools.info import render, summarize, to_json
from tests.unit.image.specimen import Specimen

ARCHES = [t.ARCH_X86_32, t.ARCH_X86_64, t.ARCH_PPC32, t.ARCH_PPC64]


@pytest.mark.parametrize("arch_id", ARCHES)
def test_a_summary_has_the_tasks_with_all_that_is_theirs(arch_id: int) -> None:
    summary = summarize(Specimen(arch_id).build())
    assert summary.arch == t.arch_name(arch_id).lower()
    assert (summary.kernel, summary.release, summary.clock_ns) == ("2.6.37", "2.6.37", 5_000)
    live, zombie = summary.tasks
    assert (live.pid, live.ppid, live.comm, live.state) == (1, 0, "hello", "running")
    assert (live.program_counter, live.restart_block) == (0x1234, "poll")
    assert live.executable == "/bin/hello"
    assert [a.saved_pages for a in live.areas] == [2, 0]
    assert [(a.kind, a.protection) for a in live.areas] == [("FILE", "r-x-"), ("VDSO", "----")]
    assert [d.fd for d in live.descriptors] == list(range(14))
    assert [d.kind for d in live.descriptors][:4] == ["generic", "namespace", "pipe", "fifo"]
    assert live.descriptors[3].name == "/tmp/fifo"
    assert (live.blocked, live.pending, live.pending_shared) == ((2, 3), (), (10,))
    assert len(live.handled) == 64 and live.ignored == ()
    assert (zombie.pid, zombie.ppid, zombie.sid, zombie.state) == (2, 1, 1, "zombie")
    assert zombie.exit_code == 0x100
    assert summary.extensions["MACHINE"] == 1


def test_it_is_printed_in_words_and_as_json() -> None:
    summary = summarize(Specimen(t.ARCH_PPC64).build())
    text = render(summary)
    assert "task 1 'hello': running" in text and "task 2 'zombie': zombie" in text
    assert "memory 0x00400000-0x00402000 r-x- file /bin/hello, 2 pages saved" in text
    assert "signals blocked: 2 3" in text
    assert json.loads(to_json(summary))["tasks"][1]["exit_code"] == 0x100


def test_names_cannot_play_with_the_terminal() -> None:
    image = Specimen(t.ARCH_X86_32).build().replace(b"/bin/hello", b"/bin/h\x1b[2J")
    assert "/bin/h\\x1b[2J" in render(summarize(image))


def test_numbers_that_name_nothing_are_refused() -> None:
    image = bytearray(Specimen(t.ARCH_X86_32).build())
    items = list(walk(image))
    tree = next(item for item in items if item.role == "tree")
    forged = bytearray(image)
    forged[tree.offset + 8] = 99
    with pytest.raises(ImageError, match="pid object 99, which PIDS does not have"):
        summarize(forged)
    desc = next(item for item in items if item.name == "FILE_DESC")
    forged = bytearray(image)
    forged[desc.offset + 8 : desc.offset + 12] = (7777).to_bytes(4, "little")
    with pytest.raises(ImageError, match="object 7777 is named, but no File"):
        summarize(forged)


@pytest.mark.slow
@pytest.mark.parametrize("arch_id", ARCHES)
def test_a_flipped_bit_gives_a_summary_or_an_image_error(arch_id: int) -> None:
    image = bytearray(Specimen(arch_id).build())
    for item in list(walk(bytes(image))):
        for at in range(item.offset, item.offset + min(item.length, 64), 5):
            image[at] ^= 1 << (at % 8)
            try:
                render(summarize(image))
            except ImageError as error:
                assert error.sentence
            image[at] ^= 1 << (at % 8)
