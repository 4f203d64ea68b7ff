"""Pipes, FIFOs and waiting for them."""

from __future__ import annotations

import struct

import pytest

from kernel_model.abi.errno import EAGAIN, EBADF, EINVAL, EMFILE, ENXIO, EPIPE
from kernel_model.syscalls import descriptors, names, poll, readwrite
from kernel_model.syscalls import open as open_calls
from kernel_model.waitqueue import Sleep
from tests.unit.vfs.fakes import BASE, FakeTask


@pytest.fixture
def task() -> FakeTask:
    return FakeTask()


def pipe(task: FakeTask, flags: int = 0) -> tuple[int, int]:
    task.call(descriptors.pipe2, BASE, flags)
    read_end, write_end = struct.unpack("<ii", task.user.read(BASE, 8))
    return read_end, write_end


def test_bytes_ends_and_signals(task: FakeTask) -> None:
    r, w = pipe(task)
    with pytest.raises(Sleep):
        task.call(readwrite.read, r, BASE, 10)
    assert task.call(readwrite.write, w, BASE, 10) == 10
    assert task.call(readwrite.read, r, BASE, 4) == 4
    assert task.call(readwrite.read, r, BASE, 100) == 6
    task.call(open_calls.close, w)
    assert task.call(readwrite.read, r, BASE, 10) == 0
    r, w = pipe(task)
    task.call(open_calls.close, r)
    with pytest.raises(EPIPE):
        task.call(readwrite.write, w, BASE, 10)
    assert task.signals == [13]
    with pytest.raises(EBADF):
        task.call(readwrite.read, w, BASE, 10)


def test_a_large_write_goes_on_where_it_stopped(task: FakeTask) -> None:
    r, w = pipe(task)
    with pytest.raises(Sleep):
        task.call(readwrite.write, w, BASE, 100_000)
    assert task.restart_block.done == 65536
    with pytest.raises(Sleep):
        task.call(readwrite.write, w, BASE, 100_000)
    assert task.call(readwrite.read, r, BASE, 65536) == 65536
    assert task.call(readwrite.write, w, BASE, 100_000) == 100_000
    task.restart_block = None
    r, w = pipe(task, 0o4000)
    assert task.call(readwrite.write, w, BASE, 100_000) == 65536
    with pytest.raises(EAGAIN):
        task.call(readwrite.write, w, BASE, 1)


def test_fifo_openers_wait_for_each_other(task: FakeTask) -> None:
    task.call(names.mknod, b"/f", 0o10644, 0)
    with pytest.raises(ENXIO):
        task.call(open_calls.open, b"/f", 0o4001, 0)
    with pytest.raises(Sleep) as slept:
        task.call(open_calls.open, b"/f", 0, 0)
    slept.value.queues[0].waiters.append(task)  # type: ignore[arg-type]
    w = task.call(open_calls.open, b"/f", 1, 0)
    slept.value.queues[0].waiters.clear()
    r = task.call(open_calls.open, b"/f", 0, 0)
    task.call(readwrite.write, w, BASE, 3)
    assert task.call(readwrite.read, r, BASE, 10) == 3
    task.call(open_calls.close, r)
    task.call(open_calls.close, w)
    with pytest.raises(Sleep) as slept:
        task.call(open_calls.open, b"/f", 1, 0)
    slept.value.queues[0].waiters.append(task)  # type: ignore[arg-type]
    task.call(open_calls.open, b"/f", 0, 0)


def test_poll_and_select(task: FakeTask) -> None:
    r, w = pipe(task)
    fds = struct.pack("<ihhihhihh", r, 1, 0, w, 4, 0, 60, 1, 0)
    task.user.write(BASE, fds)
    assert task.call(poll.poll, BASE, 3, -1) == 2
    assert struct.unpack("<ihhihhihh", task.user.read(BASE, 24))[2::3] == (0, 4, 0x20)
    with pytest.raises(Sleep) as slept:
        task.call(poll.poll, BASE, 1, 5)
    assert slept.value.deadline_ns == 5_000_000
    task.kernel.clock.now = 4_000_000
    with pytest.raises(Sleep) as slept:
        task.call(poll.poll, BASE, 1, 5)
    assert slept.value.deadline_ns == 5_000_000
    task.kernel.clock.now = 5_000_000
    assert task.call(poll.poll, BASE, 1, 5) == 0
    task.restart_block = None
    task.user.write(BASE, struct.pack("<QQqq", 1 << r | 1 << w, 1 << w, 3, 0))
    assert task.call(poll.select, w + 1, BASE, BASE + 8, 0, BASE + 16) == 1
    assert struct.unpack("<QQqq", task.user.read(BASE, 32)) == (0, 1 << w, 3, 0)
    task.user.write(BASE, struct.pack("<Q", 1 << 30))
    with pytest.raises(EBADF):
        task.call(poll.select, 31, BASE, 0, 0, 0)


def test_descriptors(task: FakeTask) -> None:
    r, w = pipe(task)
    other, _ = pipe(task)
    lost = task.files.get(other)
    task.call(descriptors.dup2, r, other)
    assert lost.users == 0
    task.files.drop()
    task.files = type(task.files)()
    r, w = pipe(task)
    assert task.call(descriptors.dup2, r, 10) == 10
    assert task.call(descriptors.fcntl, r, 0, 5) == 5
    assert task.call(descriptors.fcntl, r, 1030, 5) == 6
    assert task.call(descriptors.fcntl, 6, 1, 0) == 1
    assert task.files.get(r).users == 4
    child = task.files.copy()
    task.files.close_for_exec()
    assert task.files.get(r).users == 7
    child.drop()
    assert task.files.get(r).users == 3
    with pytest.raises(EINVAL):
        task.call(descriptors.dup3, r, r, 0)
    task.signal.rlimits[7] = (3, 3)
    with pytest.raises(EMFILE):
        pipe(task)
    assert task.call(descriptors.dup, r) == 2
    task.call(descriptors.fcntl, w, 4, 0o4000)
    assert task.call(descriptors.fcntl, w, 3, 0) == 0o4001
