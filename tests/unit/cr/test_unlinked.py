"""Files and directories without a name: where they come back, and what is refused."""

from __future__ import annotations

import copy
import stat

import pytest

import cr
from cr.checkpoint import checkpoint_tasks
from cr.context import Checkpoint, Refused
from cr.image import extensions as ours
from cr.image.walk import walk
from cr.system import System
from cr.testing.anvil import Anvil, Specimen
from guests.stories import find_story
from kernel_model.abi.errno import EBADF, ENOENT
from kernel_model.clone import CLONE_NEWNS, CloneArgs, copy_process
from kernel_model.dump import dump
from kernel_model.signals import SIGCHLD
from kernel_model.task import Task
from kernel_model.vfs.names import make, rmdir, unlink
from kernel_model.vfs.path import Walk, shown_path
from tests.harness.model import cycled, start
from tests.harness.tiny_tasks import pausing, restarted

ARCH = "x86_64"


def made(task: Task, path: bytes) -> None:
    walk = Walk(task)
    make(task, walk, walk.parent_of(path), stat.S_IFDIR | 0o750)


def removed(task: Task, path: bytes) -> None:
    rmdir(task, Walk(task), Walk(task).parent_of(path))


def in_removed(*paths: bytes) -> tuple[System, Task]:
    """A task whose working directory is the last of these, which are all gone."""
    kernel, task = pausing(ARCH)
    for path in paths:
        made(task, path)
    task.fs.pwd = Walk(task).resolve(paths[-1])
    for path in reversed(paths):
        removed(task, path)
    return kernel, task


@pytest.mark.parametrize("mount", [b"", b"/dev"])
def test_the_way_up_leads_out_of_a_removed_directory(mount: bytes) -> None:
    kernel, task = in_removed(mount + b"/place", mount + b"/place/inner")
    numbers = [Walk(task).resolve(path).inode.node.ino for path in (b".", b"..", b"../..")]
    kernel, task = restarted(kernel)
    shown = [
        shown_path(Walk(task).resolve(path), kernel.vfs.root) for path in (b".", b"..", b"../..")
    ]
    gone = [mount + b"/place/inner (deleted)", mount + b"/place (deleted)"]
    assert shown == [*gone, mount or b"/"]
    assert [Walk(task).resolve(each).inode.node.ino for each in (b".", b"..", b"../..")] == numbers
    assert Walk(task).resolve(b"../..") == Walk(task).resolve(mount or b"/")


def test_a_pure_image_cannot_hold_a_removed_working_directory() -> None:
    kernel, _ = in_removed(b"/gone")
    with pytest.raises(Refused, match="was unlinked, and the image is to be pure"):
        kernel.checkpoint(pure=True)


def test_the_root_of_the_tree_must_have_a_name() -> None:
    kernel, task = in_removed(b"/gone")
    walk = Walk(task)
    unlink(task, walk, walk.parent_of(b"/bin/program"))
    for fd in range(3):
        task.files.close(fd)
    task.fs.root = task.fs.pwd
    ctx = Checkpoint(kernel, [], task.fs.root, pure=False, caller=task)
    with pytest.raises(Refused, match="the root directory of the tree has no name") as refused:
        checkpoint_tasks(ctx, [task], 0)
    assert refused.value.errno == EBADF.errno


def test_what_was_above_it_must_be_there() -> None:
    kernel, task = pausing(ARCH)
    made(task, b"/above")
    made(task, b"/above/gone")
    task.fs.pwd = Walk(task).resolve(b"/above/gone")
    removed(task, b"/above/gone")
    image = kernel.checkpoint()
    removed(task, b"/above")
    kernel = kernel.reboot()
    before = dump(kernel)
    with pytest.raises(cr.ImageError, match="the directory above b'/above/gone'") as refused:
        kernel.restart(image)
    assert refused.value.errno == ENOENT.errno
    assert dump(kernel) == before and not kernel.tasks


def specimen() -> Specimen:
    kernel = start(find_story("files/removed_working_directory"), ARCH, "freestanding")
    kernel.run(cr.after_syscalls(20))
    image = bytes(kernel.checkpoint())
    disk = copy.deepcopy(kernel.disk)
    kernel.power_off()
    return Specimen("removed_working_directory", ARCH, image, disk)


@pytest.mark.slow
def test_a_cut_image_leaves_nothing_behind() -> None:
    found = specimen()
    assert sum(isinstance(item.value, ours.Unlinked) for item in walk(found.image)) >= 2
    anvil = Anvil(found)
    for edge in found.edges[:-1]:
        assert anvil.strike(found.image[:edge]) is not None
    anvil.close()


def test_a_removed_directory_is_seen_through_the_mounts_of_two_namespaces() -> None:
    kernel, task = pausing(ARCH)
    made(task, b"/place")
    task.fs.pwd = Walk(task).resolve(b"/place")
    child = copy_process(task, CloneArgs(SIGCHLD | CLONE_NEWNS))
    removed(task, b"/place")
    pids = (task.pid, child.pid)
    kernel = cycled(kernel)
    own, other = (kernel.tasks[pid].fs for pid in pids)
    assert own.pwd.dentry is other.pwd.dentry
    assert own.pwd.mount is own.root.mount and other.pwd.mount is other.root.mount
    assert own.pwd.mount is not other.pwd.mount
