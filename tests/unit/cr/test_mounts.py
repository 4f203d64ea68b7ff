"""Mounts in images: a refused image leaves all mounts as they were; other images say no by name."""

from __future__ import annotations

import copy

import pytest

import cr
from cr.checkpoint import checkpoint_tasks
from cr.context import Checkpoint, Refused
from cr.image.errors import ImageError
from cr.image.header import Objref
from cr.image.mounts import FilePlace, Mount, MountFs
from cr.image.tree import Tree
from cr.image.walk import walk
from cr.system import System
from cr.testing.anvil import Anvil, Specimen
from guests.stories import find_story
from kernel_model.abi.errno import EBADF, EPERM
from kernel_model.task import Task
from kernel_model.vfs.disk import Disk
from tests.harness.model import start

ARCH = "x86_64"


def stopped(name: str, calls: int) -> System:
    """A story after so many calls."""
    kernel = start(find_story(name), ARCH, "freestanding")
    kernel.run(cr.after_syscalls(calls))
    return kernel


def specimen(name: str, calls: int) -> Specimen:
    kernel = stopped(name, calls)
    image = bytes(kernel.checkpoint())
    disk: Disk = copy.deepcopy(kernel.disk)
    kernel.power_off()
    return Specimen(name, ARCH, image, disk)


def guest(kernel: System) -> Task:
    return next(task for task in kernel.tasks.values() if task.comm == b"program")


@pytest.mark.slow
@pytest.mark.parametrize(("name", "calls"), [("namespaces/hidden", 40), ("namespaces/mounts", 44)])
def test_a_cut_image_leaves_the_mounts_of_the_boot(name: str, calls: int) -> None:
    found = specimen(name, calls)
    assert any(isinstance(item.value, Mount) for item in walk(found.image))
    anvil = Anvil(found)
    for edge in found.edges[:-1]:
        assert anvil.strike(found.image[:edge]) is not None
    anvil.close()


@pytest.mark.slow
def test_a_changed_mount_is_refused_or_lives() -> None:
    found = specimen("namespaces/mounts", 44)
    kinds = (Mount, MountFs)
    spans = [
        (item.offset, item.length) for item in walk(found.image) if isinstance(item.value, kinds)
    ]
    anvil = Anvil(found)
    for begin, length in spans:
        for place in range(begin + 8, begin + length, 4):
            changed = bytearray(found.image)
            changed[place] ^= 1
            anvil.strike(bytes(changed))
    assert anvil.refused and anvil.accepted
    anvil.close()


def test_a_pure_image_has_no_place_for_another_mount_namespace() -> None:
    kernel = stopped("namespaces/mounts", 3)
    assert guest(kernel).nsproxy.mnt is not kernel.vfs.namespace
    with pytest.raises(Refused, match="another mount namespace") as refused:
        kernel.checkpoint(pure=True)
    assert refused.value.errno == EPERM.errno
    kernel.power_off()


def test_a_subtree_can_be_in_another_namespace_but_not_its_hidden_files() -> None:
    kernel = stopped("namespaces/hidden", 40)
    task = guest(kernel)
    ctx = Checkpoint(kernel, [], task.fs.root, pure=False, caller=kernel.own_init)
    with pytest.raises(Refused, match="hidden by a mount") as refused:
        checkpoint_tasks(ctx, [task], 1)
    assert refused.value.errno == EBADF.errno
    kernel.power_off()


def test_mounts_belong_to_a_whole_machine() -> None:
    """A task that runs cannot take them over."""
    from cr.context import Restart
    from cr.restart import read_image

    found = specimen("namespaces/mounts", 44)
    kernel = stopped("basics/counter", 2)
    ctx = Restart(kernel, found.image, guest(kernel))
    with pytest.raises(ImageError, match="whole machine"):
        read_image(ctx, running=True)
    ctx.end()
    kernel.power_off()


@pytest.mark.slow
def test_no_file_lies_in_mounts_that_have_not_come() -> None:
    """Found by the fuzzer: an object may come early, and then its place is in no mount yet."""
    found = specimen("namespaces/hidden", 40)
    items = list(walk(found.image))
    last = next(at for at, item in enumerate(items) if isinstance(item.value, FilePlace))
    first = max(at for at in range(last) if isinstance(items[at].value, Objref))
    file = found.image[items[first].offset : items[last].offset + items[last].length]
    tree = next(item.offset for item in items if isinstance(item.value, Tree))
    anvil = Anvil(found)
    refused = anvil.strike(found.image[:tree] + file + found.image[tree:])
    assert refused is not None and "there is no mount" in refused.sentence
    anvil.close()
