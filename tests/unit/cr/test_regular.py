"""Files that have, or had, a name."""

import pytest

import cr
from cr.context import Refused
from kernel_model.abi.fcntl import O_CREAT, O_RDWR
from kernel_model.vfs.names import unlink
from kernel_model.vfs.path import Walk, shown_path
from tests.harness.tiny_tasks import opened, pausing, restarted


def test_an_unlinked_file_keeps_content_name_and_room() -> None:
    kernel, task = pausing("x86_64")
    room = kernel.disk.used_bytes
    opened(task, b"/tmp/gone", O_RDWR | O_CREAT, 3).write(b"only here")
    opened(task, b"/tmp/gone", O_RDWR, 4)
    task.files.get(3).pwrite(1 << 30, b"far")
    unlink(task, Walk(task), Walk(task).parent_of(b"/tmp/gone"))
    used, ino = kernel.disk.used_bytes, task.files.get(3).inode.node.ino
    kernel, task = restarted(kernel)
    first, second = task.files.get(3), task.files.get(4)
    assert first.inode is second.inode and first.inode.node.ino == ino
    assert second.pread(0, 9) == b"only here"
    assert second.pread((1 << 30) - 2, 9) == b"\0\0far"
    assert first.path is not None
    assert shown_path(first.path, kernel.vfs.root) == b"/tmp/gone (deleted)"
    assert kernel.disk.used_bytes == used
    task.files.close(3)
    task.files.close(4)
    assert kernel.disk.used_bytes == room


def test_a_pure_image_cannot_hold_an_unlinked_file() -> None:
    kernel, task = pausing("x86_64")
    opened(task, b"/gone", O_RDWR | O_CREAT, 3)
    unlink(task, Walk(task), Walk(task).parent_of(b"/gone"))
    with pytest.raises(Refused, match="was unlinked, and the image is to be pure"):
        kernel.checkpoint(pure=True)


def test_a_file_that_is_not_there_any_more_refuses_the_image() -> None:
    kernel, task = pausing("x86_64")
    opened(task, b"/data", O_RDWR | O_CREAT, 3)
    image = kernel.checkpoint()
    unlink(task, Walk(task), Walk(task).parent_of(b"/data"))
    kernel = kernel.reboot()
    with pytest.raises(cr.ImageError, match="cannot open /data") as refused:
        kernel.restart(image)
    assert refused.value.errno == 2 and refused.value.record == "FILE_NAME"
    assert not kernel.tasks


def test_directories_and_umask() -> None:
    kernel, task = pausing("x86_64")
    task.fs.pwd = Walk(task).resolve(b"/tmp")
    task.fs.umask = 0o27
    kernel, task = restarted(kernel)
    assert shown_path(task.fs.pwd, kernel.vfs.root) == b"/tmp"
    assert (shown_path(task.fs.root, kernel.vfs.root), task.fs.umask) == (b"/", 0o27)
