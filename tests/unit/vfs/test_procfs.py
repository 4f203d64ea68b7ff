"""/proc shows what the tasks have, and its links lead to the files themselves."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from kernel_model.abi.errno import EACCES, EINVAL, EIO, ENOENT
from kernel_model.abi.fcntl import O_WRONLY
from kernel_model.syscalls import descriptors, names, readwrite, stat
from kernel_model.syscalls import open as open_calls
from kernel_model.vfs.procfs import MoreFiles
from tests.unit.vfs.fakes import BASE, FakeKernel, FakeTask


@pytest.fixture
def task() -> FakeTask:
    kernel = FakeKernel()
    task = FakeTask(kernel)
    kernel.tasks = {7: task}  # type: ignore[attr-defined]
    kernel.pid_ns = SimpleNamespace(  # type: ignore[attr-defined]
        tasks=lambda: [task],
        task=kernel.tasks.get,  # type: ignore[attr-defined]
        number_of=lambda pid: pid,
    )
    more = MoreFiles({b"extra": lambda task: b"of %d" % task.pid})
    kernel.vfs.mount_proc(kernel, more)  # type: ignore[arg-type]
    task.tgid = 7
    task.is_leader = True  # type: ignore[attr-defined]
    task.nsproxy = SimpleNamespace(mnt=kernel.vfs.namespace)  # type: ignore[attr-defined]
    task.comm = b"prog"  # type: ignore[attr-defined]
    task.mm = SimpleNamespace(exe=None, vmas=[])  # type: ignore[attr-defined]
    return task


def text(task: FakeTask, path: bytes) -> bytes:
    fd = task.call(open_calls.open, path, 0, 0)
    count = task.call(readwrite.read, fd, BASE, 4000)
    task.call(open_calls.close, fd)
    return task.user.read(BASE, count)


def link(task: FakeTask, path: bytes) -> bytes:
    return task.user.read(BASE, task.call(stat.readlink, path, BASE, 4000))


def test_texts(task: FakeTask) -> None:
    assert text(task, b"/proc/7/comm") == b"prog\n" == text(task, b"/proc/self/comm")
    assert text(task, b"/proc/7/extra") == b"of 7"
    assert text(task, b"/proc/uptime") == b"0.00 0.00\n"
    assert text(task, b"/proc/sys/kernel/pid_max") == b"32768\n"
    assert text(task, b"/proc/mounts").split(b"\n")[1] == b"devtmpfs /dev devtmpfs rw 0 0"
    with pytest.raises(ENOENT):
        text(task, b"/proc/8/comm")
    with pytest.raises(ENOENT):
        task.call(names.mkdir, b"/proc/x", 0o755)
    for name, error in ((b"/proc/uptime", EIO), (b"/proc/7/comm", EINVAL)):
        fd = task.call(open_calls.open, name, O_WRONLY, 0)
        with pytest.raises(error):
            task.call(readwrite.write, fd, BASE, 1)
    task.cred.capable, task.cred.fsuid = False, 1000
    with pytest.raises(EACCES):
        task.call(open_calls.open, b"/proc/uptime", O_WRONLY, 0)


def test_links(task: FakeTask) -> None:
    task.kernel.vfs.open_console(task)  # type: ignore[arg-type]
    task.call(names.mkdir, b"/tmp/d", 0o755)
    task.call(names.chdir, b"/tmp/d")
    assert link(task, b"/proc/self") == b"7"
    assert link(task, b"/proc/self/cwd") == b"/tmp/d"
    task.call(names.rmdir, b"/tmp/d")
    assert link(task, b"/proc/self/cwd") == b"/tmp/d (deleted)"
    assert link(task, b"/proc/self/fd/1") == b"/dev/console.out"
    task.call(descriptors.pipe, BASE)
    assert link(task, b"/proc/self/fd/3") == b"pipe:[1]"
    again = task.call(open_calls.open, b"/dev/stdout", 1, 0)
    assert link(task, b"/proc/self/fd/%d" % again) == b"/dev/console.out"
    with pytest.raises(ENOENT):
        link(task, b"/proc/self/fd/40")
    with pytest.raises(ENOENT):
        link(task, b"/proc/self/exe")
