"""epoll: a set of open files, and a list of those of them that may have news.

A watch hangs on the wait queues of its file. When one of them is woken it puts itself on the
set's list; epoll_wait asks each file on the list what is true of it. A level-triggered watch stays
on the list while it has news; an edge-triggered one leaves it, until woken again.

Mirrors:  Linux fs/eventpoll.c (ep_poll_callback, ep_send_events).
Deviates: sets that watch each other in a circle are refused with ELOOP, as from 2.6.38 on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel_model.abi.errno import EEXIST, EINVAL, ELOOP, ENOENT, EPERM
from kernel_model.abi.fcntl import O_RDWR, POLLERR, POLLHUP, POLLIN, POLLRDNORM
from kernel_model.vfs.anon import AnonFs
from kernel_model.vfs.openfile import OpenFile
from kernel_model.waitqueue import WaitQueue

if TYPE_CHECKING:
    from kernel_model.task import Task

EPOLLONESHOT, EPOLLET = 1 << 30, 1 << 31
PRIVATE_BITS = EPOLLONESHOT | EPOLLET
DEEPEST = 5


class Watch:
    """One file in one set, by the descriptor that it was added by."""

    def __init__(
        self, owner: EpollFile, file: OpenFile, fd: int, events: int, data: int, task: Task | None
    ) -> None:
        self.owner = owner
        self.file = file
        self.fd = fd
        self.events = events | POLLERR | POLLHUP
        self.data = data
        self.queues: tuple[WaitQueue, ...] = ()
        self.listen(task)
        file.watches.append(self)

    def listen(self, task: Task | None) -> None:
        """Hang on the file's queues, as a task sees them: a signalfd's are the task's own."""
        for queue in self.queues:
            queue.watches.remove(self)
        self.queues = self.file.queues_for(task) if task is not None else self.file.poll_queues()
        for queue in self.queues:
            queue.watches.append(self)

    def woken(self, key: int) -> None:
        """Something has changed about the file; `key` says what, or 0."""
        if self.events & ~PRIVATE_BITS and (not key or key & self.events):
            self.owner.note(self)

    def news(self, task: Task | None) -> int:
        """Events that are wanted and true, for the task that asks."""
        true = self.file.poll_for(task) if task is not None else self.file.poll()
        return true & self.events

    def leave(self) -> None:
        """The file is closed for good, or the watch is deleted."""
        for queue in self.queues:
            queue.watches.remove(self)
        self.file.watches.remove(self)
        self.owner.watching.pop((self.file, self.fd))
        if self in self.owner.ready:
            self.owner.ready.remove(self)


class EpollFile(OpenFile):
    """An open epoll set."""

    anon_name = b"[eventpoll]"
    has_read = has_write = False

    def __init__(self, fs: AnonFs) -> None:
        super().__init__(fs.inode, None, O_RDWR)
        self.watching: dict[tuple[OpenFile, int], Watch] = {}
        self.ready: list[Watch] = []
        self.queue = WaitQueue(POLLIN | POLLRDNORM)

    def note(self, watch: Watch) -> None:
        """A watch may have news."""
        if watch not in self.ready:
            self.ready.append(watch)
        self.queue.wake_all()

    def add(
        self, file: OpenFile, fd: int, events: int, data: int, task: Task | None = None
    ) -> None:
        """EPOLL_CTL_ADD."""
        if (file, fd) in self.watching:
            raise EEXIST(f"descriptor {fd} is watched already")
        if isinstance(file, EpollFile) and (
            file.reaches(self) or file.depth() + self.height() > DEEPEST
        ):
            raise ELOOP("sets that watch each other")
        watch = Watch(self, file, fd, events, data, task)
        self.watching[file, fd] = watch
        if watch.news(task):
            self.note(watch)

    def change(self, file: OpenFile, fd: int, events: int, data: int, task: Task) -> None:
        """EPOLL_CTL_MOD."""
        watch = self._watch(file, fd)
        watch.events, watch.data = events | POLLERR | POLLHUP, data
        if watch.news(task):
            self.note(watch)

    def delete(self, file: OpenFile, fd: int) -> None:
        """EPOLL_CTL_DEL."""
        self._watch(file, fd).leave()

    def _watch(self, file: OpenFile, fd: int) -> Watch:
        watch = self.watching.get((file, fd))
        if watch is None:
            raise ENOENT(f"descriptor {fd} is not watched")
        return watch

    def collect(self, most: int, task: Task) -> list[tuple[int, int]]:
        """(events, data) of up to `most` watches with news, in the order in which they came."""
        found: list[tuple[int, int]] = []
        again: list[Watch] = []
        waiting, self.ready = self.ready, []
        while waiting and len(found) < most:
            watch = waiting.pop(0)
            news = watch.news(task)
            if not news:
                continue
            found.append((news, watch.data))
            if watch.events & EPOLLONESHOT:
                watch.events &= PRIVATE_BITS
            elif not watch.events & EPOLLET:
                again.append(watch)
        self.ready = waiting + again
        return found

    def reaches(self, other: EpollFile) -> bool:
        """Whether `other` is this set, or is watched by it, however far below."""
        return other is self or any(inner.reaches(other) for inner in self._inner())

    def depth(self) -> int:
        """Sets below each other, this one included."""
        return 1 + max((inner.depth() for inner in self._inner()), default=0)

    def height(self) -> int:
        """Sets above each other, this one included."""
        return 1 + max((watch.owner.height() for watch in self.watches), default=0)

    def _inner(self) -> list[EpollFile]:
        return [file for file, _ in self.watching if isinstance(file, EpollFile)]

    def release(self) -> None:
        """The last descriptor is closed: nothing is watched any more."""
        for watch in list(self.watching.values()):
            watch.leave()
        super().release()

    def poll(self) -> int:
        """Readable when some watch has news."""
        return POLLIN | POLLRDNORM if any(watch.news(None) for watch in self.ready) else 0

    def poll_for(self, task: Task) -> int:
        """The same, for the task that asks."""
        return POLLIN | POLLRDNORM if any(watch.news(task) for watch in self.ready) else 0

    def poll_queues(self) -> tuple[WaitQueue, ...]:
        """Woken with every watch."""
        return (self.queue,)

    def poll_external(self) -> bool:
        """Whether one of the files waits for the outside."""
        return any(file.poll_external() for file, _ in self.watching)

    def pread(self, offset: int, count: int) -> bytes:
        """Refused."""
        raise EINVAL("an epoll set is not read")


def check_watchable(owner: OpenFile, file: OpenFile) -> EpollFile:
    """What every epoll_ctl asks first; the set. Raises EPERM, EINVAL."""
    if not file.can_wait:
        raise EPERM("this file is always ready")
    if owner is file or not isinstance(owner, EpollFile):
        raise EINVAL("not an epoll set, or the set itself")
    return owner
