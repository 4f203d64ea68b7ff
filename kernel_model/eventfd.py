"""eventfd: a counter that is a file. Writes add to it, a read takes it all, or one of it.

Mirrors: Linux fs/eventfd.c.
"""

from __future__ import annotations

from typing import Literal

from kernel_model.abi.errno import EAGAIN, EINVAL, ESPIPE
from kernel_model.abi.fcntl import O_NONBLOCK, O_RDWR, POLLERR, POLLIN, POLLOUT
from kernel_model.vfs.anon import AnonFs
from kernel_model.vfs.openfile import OpenFile
from kernel_model.waitqueue import Sleep, WaitQueue

MOST = (1 << 64) - 2
EFD_SEMAPHORE = 1
_BYTES = 8


class EventFile(OpenFile):
    """An open eventfd."""

    anon_name = b"[eventfd]"

    def __init__(
        self,
        fs: AnonFs,
        order: Literal["little", "big"],
        count: int,
        *,
        semaphore: bool,
        flags: int,
    ) -> None:
        super().__init__(fs.inode, None, O_RDWR | flags & O_NONBLOCK)
        self.order = order
        self.count = count
        self.semaphore = semaphore
        self.readable = WaitQueue(POLLIN)
        self.writable = WaitQueue(POLLOUT)

    def read(self, count: int) -> bytes:
        """Take the counter, or one of it; wait while it is 0."""
        if count < _BYTES:
            raise EINVAL("an eventfd is read by eight bytes")
        if not self.count:
            if self.nonblocking:
                raise EAGAIN("the counter is 0")
            raise Sleep(self.readable)
        taken = 1 if self.semaphore else self.count
        self.count -= taken
        self.writable.wake_all()
        return taken.to_bytes(_BYTES, self.order)

    def write(self, data: bytes) -> int:
        """Add to the counter; wait while it would overflow."""
        if len(data) < _BYTES:
            raise EINVAL("an eventfd is written by eight bytes")
        more = int.from_bytes(data[:_BYTES], self.order)
        if more > MOST:
            raise EINVAL("the one number that cannot be added")
        if self.count + more > MOST:
            if self.nonblocking:
                raise EAGAIN("the counter would overflow")
            raise Sleep(self.writable)
        self.count += more
        self.readable.wake_all()
        return _BYTES

    @property
    def faults_late(self) -> bool:
        """Who cannot store the counter has taken it."""
        return True

    def pread(self, offset: int, count: int) -> bytes:
        """Refused: a counter has no position."""
        raise ESPIPE("an eventfd has no position")

    def _store(self, offset: int, data: bytes) -> int:
        raise ESPIPE("an eventfd has no position")

    def poll(self) -> int:
        """Readable above 0, writable below the most."""
        mask = POLLIN if self.count else 0
        mask |= POLLERR if self.count > MOST else 0
        return mask | (POLLOUT if self.count < MOST else 0)

    def poll_queues(self) -> tuple[WaitQueue, ...]:
        """Both directions."""
        return (self.readable, self.writable)
