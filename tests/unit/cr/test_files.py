"""Open files and descriptors after a restart."""

from kernel_model.abi.fcntl import (
    O_APPEND,
    O_CREAT,
    O_DIRECTORY,
    O_NONBLOCK,
    O_RDONLY,
    O_RDWR,
    O_WRONLY,
)
from kernel_model.clone import CloneArgs, copy_process
from kernel_model.pipe import PipeEnd, new_pipe
from kernel_model.signals import SIGCHLD
from kernel_model.syscalls.dispatch import CallTable
from kernel_model.task import State
from kernel_model.vfs.openfile import DirectoryFile
from tests.harness.model import cycled
from tests.harness.tiny_tasks import begin_call, opened, pausing, restarted


def test_descriptors_share_the_open_file() -> None:
    kernel, task = pausing("x86_64")
    opened(task, b"/data", O_RDWR | O_CREAT, 3).write(b"0123456789")
    task.files.duplicate(3, 1024)
    opened(task, b"/data", O_RDWR, 7)
    _, task = restarted(kernel)
    assert task.files.get(3) is task.files.get(4)
    assert task.files.get(3) is not task.files.get(7)
    assert task.files.get(3).inode is task.files.get(7).inode
    assert (task.files.get(3).position, task.files.get(7).position) == (10, 0)


def test_close_on_exec_and_flags_are_kept() -> None:
    kernel, task = pausing("x86_64")
    opened(task, b"/log", O_WRONLY | O_CREAT | O_APPEND, 5, cloexec=True)
    opened(task, b"/", O_RDONLY | O_DIRECTORY, 6).position = 2
    _, task = restarted(kernel)
    assert task.files.close_on_exec == {5}
    assert task.files.get(5).flags & O_APPEND and not task.files.get(5).may_read
    directory = task.files.get(6)
    assert isinstance(directory, DirectoryFile) and directory.position == 2
    assert sorted(fd for fd, _ in task.files.items()) == [0, 1, 2, 5, 6]


def test_a_pipe_keeps_its_bytes_and_its_ends() -> None:
    kernel, task = pausing("x86_64")
    reader, writer = new_pipe(kernel.vfs.pipefs, 0, 0)
    task.files.install_at(3, reader)
    task.files.install_at(4, writer)
    writer.write(b"in flight")
    _, task = restarted(kernel)
    reader, writer = task.files.get(3), task.files.get(4)
    assert isinstance(reader, PipeEnd) and isinstance(writer, PipeEnd)
    assert reader.pipe is writer.pipe
    assert (reader.pipe.readers, reader.pipe.writers) == (1, 1)
    assert reader.read(100) == b"in flight"


def test_a_pipe_with_one_end_left() -> None:
    kernel, task = pausing("x86_64")
    reader, writer = new_pipe(kernel.vfs.pipefs, 0, 0)
    task.files.install_at(3, reader)
    writer.write(b"last words")
    writer.drop()
    _, task = restarted(kernel)
    assert task.files.get(3).read(100) == b"last words"
    assert task.files.get(3).read(100) == b""


def test_no_call_is_lost() -> None:
    kernel, task = pausing("x86_64")
    assert isinstance(kernel.calls, CallTable) and task.syscall is not None
    kernel, again = restarted(kernel)
    assert kernel.calls.name(again.abi, again.syscall or 0) == "pause"


def test_who_sleeps_does_not_look_at_o_nonblock_that_came_later() -> None:
    kernel, task = pausing("x86_64")
    opened(task, b"/dev/ptmx", O_RDWR, 3)
    child = copy_process(task, CloneArgs(SIGCHLD))
    begin_call(child, "read", 3, child.regs.words[child.abi.sp] - 64, 1)
    assert child.state is State.SLEEPING
    task.files.get(3).flags |= O_NONBLOCK
    kernel = cycled(kernel)
    assert kernel.tasks[child.pid].state is State.SLEEPING
