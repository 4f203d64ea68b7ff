"""FIFOs: pipes with a name, whose openers wait for each other.

Opening one side waits for the other, unless O_NONBLOCK or O_RDWR. A waiting opener has changed
nothing yet: the other side finds it in the wait queue and goes on at once. Until it has run as
well, it counts as if it were there: who reads does not see the end, who writes is not refused.
Such openers are found by looking at the tasks that are about to run in open(2).

Mirrors:  Linux fs/fifo.c, whose waiting openers are counted.
Deviates: a writer that opens, writes nothing and closes before a waiting reader ran is missed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel_model.abi.errno import EAGAIN, EINVAL, ENXIO, LinuxError
from kernel_model.abi.fcntl import O_ACCMODE, O_NONBLOCK, O_RDONLY, O_RDWR, O_WRONLY
from kernel_model.pipe import Pipe, PipeEnd
from kernel_model.vfs.inode import Inode
from kernel_model.vfs.mounts import Path
from kernel_model.vfs.path import Walk
from kernel_model.waitqueue import Sleep, WaitQueue

if TYPE_CHECKING:
    from kernel_model.kernel import Kernel
    from kernel_model.task import Task

_PATH_MAX = 4096


class FifoEnd(PipeEnd):
    """One end (or both) of a FIFO."""

    def __init__(
        self, kernel: Kernel, pipe: Pipe, inode: Inode, path: Path | None, flags: int
    ) -> None:
        super().__init__(pipe, inode, path, flags)
        self.kernel = kernel

    def read_for(self, task: Task, count: int) -> bytes:
        """As from a pipe; while a writer is on its way there is no end."""
        pipe = self.pipe
        if count and not pipe.buffer and not pipe.writers and self._on_its_way(O_WRONLY):
            if self.nonblocking:
                raise EAGAIN("the FIFO is empty")
            raise Sleep(pipe.readable)
        return self.read(count)

    def write_for(self, task: Task, data: bytes) -> int:
        """As into a pipe; a reader that is on its way is a reader."""
        pipe = self.pipe
        if pipe.readers or not self._on_its_way(O_RDONLY):
            return self.write(data)
        pipe.readers += 1
        try:
            return self.write(data)
        finally:
            pipe.readers -= 1

    def release(self) -> None:
        """What was written waits for a reader that is on its way."""
        written = bytes(self.pipe.buffer)
        super().release()
        if written and not self.pipe.buffer and self._on_its_way(O_RDONLY):
            self.pipe.buffer += written

    def _on_its_way(self, side: int) -> bool:
        """Whether somebody who waited in open(2) for this side has yet to run."""
        return any(
            task.syscall is not None and task.waiting is None and _opens(task, self.inode, side)
            for task in self.kernel.tasks.values()
        )


def _opens(task: Task, inode: Inode, side: int) -> bool:
    if task.exited or task.mm is None:
        return False
    number = task.regs.words[task.abi.number] & 0xFFFFFFFF
    name = task.kernel.calls.name(task.abi, number)
    if name not in ("open", "openat"):
        return False
    place = task.abi.arguments[name == "openat" :]
    path, flags = (task.regs.words[word] & task.abi.mask for word in place[:2])
    if flags & O_ACCMODE != side:
        return False
    try:
        return Walk(task).resolve(task.user.cstring(path, _PATH_MAX)).inode is inode
    except LinuxError:
        return False


def open_fifo(task: Task, inode: Inode, path: Path, flags: int) -> PipeEnd:
    """One end of a FIFO. Waits for the other side unless O_NONBLOCK or O_RDWR."""
    pipe = inode.pipe
    if pipe is None:
        # Remembered even if the opener has to wait: the other side looks for it here.
        pipe = inode.pipe = Pipe()
    access = flags & O_ACCMODE
    readers, writers = pipe.opening[O_RDONLY], pipe.opening[O_WRONLY]
    if access == O_RDONLY:
        if not (pipe.writers or pipe.buffer or writers.waiters) and not flags & O_NONBLOCK:
            raise Sleep(readers)
    elif access == O_WRONLY:
        if not (pipe.readers or readers.waiters):
            raise _no_reader(flags, writers)
    elif access != O_RDWR:
        raise EINVAL("a FIFO is opened to read, to write, or both")
    end = FifoEnd(task.kernel, pipe, inode, path, flags)
    if readers.waiters or writers.waiters:
        readers.wake_all()
        writers.wake_all()
        task.kernel.sched.give_way()  # whoever waited is the first to go on
    return end


def _no_reader(flags: int, queue: WaitQueue) -> LinuxError | Sleep:
    if flags & O_NONBLOCK:
        return ENXIO("nobody reads this FIFO")
    return Sleep(queue)
