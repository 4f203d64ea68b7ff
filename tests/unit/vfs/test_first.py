"""The first things that a program does with files."""

from __future__ import annotations

import pytest

from kernel_model.abi.errno import EBADF, EFAULT, EINVAL, EISDIR, ENOENT, ENOTEMPTY
from kernel_model.abi.fcntl import O_CREAT, O_RDONLY, O_RDWR, O_WRONLY
from kernel_model.syscalls import names, readwrite, stat
from kernel_model.syscalls import open as open_calls
from tests.unit.vfs.fakes import BASE, FakeTask


@pytest.fixture
def task() -> FakeTask:
    return FakeTask()


def test_write_then_read_back(task: FakeTask) -> None:
    fd = task.call(open_calls.open, b"/tmp/a", O_CREAT | O_RDWR, 0o666)
    task.user.write(BASE, b"hello")
    assert task.call(readwrite.write, fd, BASE, 5) == 5
    assert task.call(readwrite.lseek, fd, 0, 0) == 0
    assert task.call(readwrite.read, fd, BASE + 100, 50) == 5
    assert task.user.read(BASE + 100, 5) == b"hello"
    assert task.call(stat.fstat, fd, BASE) == 0
    assert task.user.read_record(task.structs.stat, BASE).st_mode == 0o100644
    task.call(open_calls.close, fd)
    with pytest.raises(EBADF):
        task.call(readwrite.read, fd, BASE, 1)


def test_console_streams_are_told_apart(task: FakeTask) -> None:
    task.kernel.vfs.open_console(task)  # type: ignore[arg-type]
    task.user.write(BASE, b"out")
    task.call(readwrite.write, 1, BASE, 3)
    task.call(readwrite.write, 2, BASE, 3)
    assert task.kernel.console.output == [(1, b"out"), (2, b"out")]
    with pytest.raises(EBADF):
        task.call(readwrite.write, 0, BASE, 3)


def test_null_and_errors(task: FakeTask) -> None:
    fd = task.call(open_calls.open, b"/dev/null", O_RDWR, 0)
    assert task.call(readwrite.read, fd, BASE, 10) == 0
    assert task.call(readwrite.write, fd, BASE, 10) == 10
    with pytest.raises(ENOENT):
        task.call(open_calls.open, b"/nope", O_RDONLY, 0)
    with pytest.raises(EISDIR):
        task.call(open_calls.open, b"/tmp", O_WRONLY, 0)
    assert task.call(readwrite.write, fd, 0, 10) == 10  # /dev/null does not look
    zero = task.call(open_calls.open, b"/dev/zero", O_RDWR, 0)
    with pytest.raises(EFAULT):
        task.call(readwrite.read, zero, 0, 10)


def test_a_root_is_a_wall_and_moves_make_no_circles(task: FakeTask) -> None:
    for path in (b"/a", b"/a/b", b"/a/b/c"):
        task.call(names.mkdir, path, 0o755)
    with pytest.raises(EINVAL):
        task.call(names.rename, b"/a", b"/a/b/c/d")
    with pytest.raises(ENOTEMPTY):
        task.call(names.rename, b"/a/b/c", b"/a")
    task.call(names.chdir, b"/a/b/c")
    task.call(names.rename, b"/a/b", b"/moved")
    assert task.call(names.getcwd, BASE, 100) == 9
    assert task.user.read(BASE, 9) == b"/moved/c\0"
    task.call(names.chroot, b"/moved")
    with pytest.raises(ENOENT):
        task.call(stat.stat, b"/../tmp", BASE)
    assert task.call(stat.stat, b"/../c", BASE) == 0
