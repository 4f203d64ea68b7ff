"""Groups of the freezer in an image: those that cannot be are refused."""

import struct

import pytest

import cr
from cr.image import types as t
from cr.image.errors import ImageError
from guests.stories import find_story
from kernel_model.freezer import FreezerCgroup
from tests.harness.model import start


@pytest.fixture(scope="module")
def image() -> bytes:
    """Of a machine with the group /0."""
    kernel = start(find_story("checkpoint/external"), "x86_64", "freestanding")
    while b"0" not in kernel.freezer.children:
        assert kernel.run(cr.after_syscalls(1)) is cr.Ended.REACHED
    return bytes(kernel.checkpoint())


@pytest.mark.parametrize("path", [b"00", b"//", b"/.", b"0/"])
def test_a_path_that_no_group_can_have(image: bytes, path: bytes) -> None:
    frame = image.index(struct.pack("<I", t.HDR_FREEZER_GROUP))
    at = image.index(b"/0", frame)
    kernel = cr.boot("x86_64", memory_bytes=4 << 20)
    with pytest.raises(ImageError, match="no group of the freezer that can be made"):
        kernel.restart(image[:at] + path + image[at + 2 :])
    assert not kernel.freezer.children


def test_groups_by_their_paths() -> None:
    root = FreezerCgroup(b"")
    inner = root.new_child(b"a").new_child(b"b")
    assert root.below(b"") is root
    assert root.below(inner.path) is inner
    assert root.below(b"/a/c") is None
    assert root.below(b"a/b") is None
