"""pidfd: an open file that means a process, and never another one that gets its number later.

Readable once the process has ended. The kernel keeps the open files by the number of the process,
so that whoever frees the number can tell them.

Mirrors: Linux kernel/pid.c (pidfd_create), kernel/fork.c (pidfd_poll).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel_model.abi.errno import ESRCH
from kernel_model.abi.fcntl import O_NONBLOCK, O_RDWR, POLLIN, POLLRDNORM
from kernel_model.vfs.anon import AnonFs
from kernel_model.vfs.openfile import OpenFile
from kernel_model.waitqueue import WaitQueue

if TYPE_CHECKING:
    from kernel_model.task import Task


class Pidfds:
    """The open pidfds of a kernel, by the kernel's number of their process."""

    def __init__(self, tasks: dict[int, Task]) -> None:
        self.tasks = tasks
        self.open: dict[int, list[PidFile]] = {}

    def ended(self, pid: int) -> None:
        """A process is a zombie now."""
        for file in self.open.get(pid, ()):
            file.queue.wake_all()

    def gone(self, pid: int) -> None:
        """A zombie was asked for; the number may soon be another's."""
        for file in self.open.pop(pid, ()):
            file.number = 0
            file.queue.wake_all()


class PidFile(OpenFile):
    """An open pidfd."""

    anon_name = b"[pidfd]"
    has_read = has_write = False

    def __init__(self, fs: AnonFs, pidfds: Pidfds, number: int, flags: int) -> None:
        super().__init__(fs.inode, None, O_RDWR | flags & O_NONBLOCK)
        self.pidfds = pidfds
        self.is_own = False
        """During a restart: it means the task that it will be of."""
        self.number = 0
        """The kernel's number of the process; 0: it is gone."""
        self.queue = WaitQueue(POLLIN | POLLRDNORM)
        self.follow(number)

    def follow(self, number: int) -> None:
        """Mean the process of this number."""
        self.number = number
        if number:
            self.pidfds.open.setdefault(number, []).append(self)

    def process(self) -> Task:
        """The first thread of the process, maybe a zombie. Raises ESRCH when it is gone."""
        task = self.pidfds.tasks.get(self.number)
        if task is None:
            raise ESRCH("the process of this pidfd is gone")
        return task

    def poll(self) -> int:
        """Readable when no thread is left."""
        task = self.pidfds.tasks.get(self.number)
        if task is not None and not all(thread.exited for thread in task.signal.threads):
            return 0
        return POLLIN | POLLRDNORM

    def poll_queues(self) -> tuple[WaitQueue, ...]:
        """Woken when the process ends."""
        return (self.queue,)

    def release(self) -> None:
        """Nobody asks any more."""
        if self.number:
            followers = self.pidfds.open[self.number]
            followers.remove(self)
            if not followers:
                del self.pidfds.open[self.number]
        super().release()
