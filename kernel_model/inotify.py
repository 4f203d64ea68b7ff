"""inotify: a file that tells what happens to other files.

Mirrors:  Linux fs/notify/inotify.
Deviates: a watch remembers the name by which it was made, because a restart needs it.
Not modelled: the limit of instances for each user.
"""

from __future__ import annotations

import struct
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kernel_model.abi.errno import EAGAIN, EEXIST, EINVAL, ENOSPC
from kernel_model.abi.fcntl import O_NONBLOCK, O_RDONLY, POLLIN, POLLRDNORM
from kernel_model.vfs.anon import AnonFs
from kernel_model.vfs.mounts import Path
from kernel_model.vfs.notify import DN_RENAME, IN_ISDIR, add_mark, remove_mark
from kernel_model.vfs.openfile import OpenFile
from kernel_model.vfs.owner import POLL_IN, tell
from kernel_model.waitqueue import Sleep, WaitQueue

if TYPE_CHECKING:
    from kernel_model.task import Task

ALL_EVENTS = 0xFFF
IN_UNMOUNT, IN_Q_OVERFLOW, IN_IGNORED = 0x2000, 0x4000, 0x8000
IN_ONLYDIR, IN_DONT_FOLLOW, IN_EXCL_UNLINK = 0x01000000, 0x02000000, 0x04000000
IN_MASK_CREATE, IN_MASK_ADD, IN_ONESHOT = 0x10000000, 0x20000000, 0x80000000
MOST_EVENTS = 16384
MOST_WATCHES = 8192
KEPT = ALL_EVENTS | IN_EXCL_UNLINK | IN_ONESHOT
_HEAD_BYTES = 16
_LAST_WATCH = 0x7FFFFFFF


@dataclass(frozen=True, slots=True)
class Event:
    """One event that nobody has read yet."""

    wd: int
    mask: int
    cookie: int = 0
    name: bytes = b""

    @property
    def name_bytes(self) -> int:
        """Length of the name with its zeros: a multiple of the head's."""
        return -(-(len(self.name) + 1) // _HEAD_BYTES) * _HEAD_BYTES if self.name else 0

    def pack(self, order: str) -> bytes:
        """struct inotify_event."""
        head = struct.pack(order + "iIII", self.wd, self.mask, self.cookie, self.name_bytes)
        return head + self.name.ljust(self.name_bytes, b"\0")


class Watch:
    """One inode that an inotify file watches."""

    def __init__(self, owner: InotifyFile, wd: int, path: Path, mask: int) -> None:
        self.owner, self.wd, self.path, self.mask = owner, wd, path, mask
        self.inode = path.inode
        add_mark(self.inode, self)

    def hear(self, mask: int, name: bytes, cookie: int, *, of_child: bool, unlinked: bool) -> None:
        """Something has happened to the inode, or in the directory."""
        if self.owner.deaf or not mask & self.mask & ALL_EVENTS:
            return
        if of_child and unlinked and self.mask & IN_EXCL_UNLINK:
            return
        self.owner.put(Event(self.wd, mask & ~DN_RENAME, cookie, name))
        if self.mask & IN_ONESHOT:
            self.leave()

    def inode_gone(self) -> None:
        """The inode is gone."""
        self.leave()

    def unmounted(self) -> None:
        """The file system is gone: this is told whatever the mask is."""
        self.owner.put(Event(self.wd, IN_UNMOUNT))
        self.leave()

    def leave(self) -> None:
        """Watch no longer, and say so."""
        self.forget()
        self.owner.put(Event(self.wd, IN_IGNORED))

    def forget(self) -> None:
        """Watch no longer."""
        remove_mark(self.inode, self)
        del self.owner.watching[self.wd]


class InotifyFile(OpenFile):
    """An open inotify instance."""

    anon_name = b"inotify"
    has_write = False
    tells = True

    @property
    def faults_late(self) -> bool:
        """Who cannot store what he took has lost it."""
        return True

    def __init__(self, fs: AnonFs, flags: int) -> None:
        super().__init__(fs.inode, None, O_RDONLY | flags & O_NONBLOCK)
        self.watching: dict[int, Watch] = {}
        self.last_wd = 0
        self.events: deque[Event] = deque()
        self.queue = WaitQueue(POLLIN | POLLRDNORM)
        self.deaf = False
        """During a restart: what it opens is nobody's doing."""

    def listen(self) -> None:
        """The restart is over."""
        self.deaf = False

    def watch(self, path: Path, mask: int) -> int:
        """inotify_add_watch: a new watch, or another mask for one that is there; its number."""
        found = next((w for w in self.watching.values() if w.inode is path.inode), None)
        if found is None:
            if len(self.watching) >= MOST_WATCHES:
                raise ENOSPC(f"more than {MOST_WATCHES} watches")
            wd = self.last_wd + 1
            while wd in self.watching or wd > _LAST_WATCH:
                wd = 1 if wd > _LAST_WATCH else wd + 1
            self.last_wd = wd
            found = self.watching[wd] = Watch(self, wd, path, mask & KEPT)
            return wd
        if mask & IN_MASK_CREATE:
            raise EEXIST("this file is watched already")
        found.mask = mask & KEPT | (found.mask if mask & IN_MASK_ADD else 0)
        return found.wd

    def remove(self, wd: int) -> None:
        """inotify_rm_watch. Raises EINVAL."""
        watch = self.watching.get(wd)
        if watch is None:
            raise EINVAL(f"there is no watch {wd}")
        watch.leave()

    def put(self, event: Event) -> None:
        """Queue an event, unless it says what the last one says."""
        last = self.events[-1] if self.events else None
        if last is not None and not event.mask & IN_IGNORED:
            if (last.wd, last.mask, last.name) == (event.wd, event.mask, event.name):
                return
        if len(self.events) >= MOST_EVENTS:
            event = Event(-1, IN_Q_OVERFLOW)
            if self.events[-1] == event:
                return
        self.events.append(event)
        self.queue.wake_all()
        if self.async_fd >= 0:
            tell((self,), POLL_IN)

    def read_for(self, task: Task, count: int) -> bytes:
        """As many whole events as fit; wait for the first."""
        if not self.events:
            if self.nonblocking:
                raise EAGAIN("nothing has happened")
            raise Sleep(self.queue)
        parts: list[bytes] = []
        while self.events:
            part = self.events[0].pack(task.abi.order)
            if len(part) > count:
                break
            parts.append(part)
            count -= len(part)
            self.events.popleft()
        if not parts:
            raise EINVAL("the next event does not fit")
        return b"".join(parts)

    def poll(self) -> int:
        """Readable when something has happened."""
        return POLLIN | POLLRDNORM if self.events else 0

    def poll_queues(self) -> tuple[WaitQueue, ...]:
        """Woken with every event."""
        return (self.queue,)

    def ioctl(self, task: Task, request: int, arg: int) -> int:
        """FIONREAD: how many bytes there are to read."""
        if request != task.abi.structs.ioctl.fionread:
            return super().ioctl(task, request, arg)
        total = sum(_HEAD_BYTES + event.name_bytes for event in self.events)
        task.user.write(arg, struct.pack(task.abi.order + "i", total))
        return 0

    def release(self) -> None:
        """Nobody listens any more."""
        for watch in list(self.watching.values()):
            watch.forget()
        super().release()


__all__ = ["ALL_EVENTS", "IN_ISDIR", "Event", "InotifyFile", "Watch"]
