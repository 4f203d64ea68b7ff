"""timerfd: a timer that is a file; reading it gives how often it has expired.

An interval timer is not started again until somebody looks: the expirations that were missed
since are counted then, so that an unread timer keeps nobody awake.

Mirrors: Linux fs/timerfd.c.
"""

from __future__ import annotations

from typing import Literal

from kernel_model.abi.errno import EAGAIN, EINVAL, ESPIPE
from kernel_model.abi.fcntl import O_NONBLOCK, O_RDWR, POLLIN
from kernel_model.clock import Clock, Timer, ktime_add
from kernel_model.vfs.anon import AnonFs
from kernel_model.vfs.openfile import OpenFile
from kernel_model.waitqueue import Sleep, WaitQueue

_BYTES = 8


class TimerFile(OpenFile):
    """An open timerfd. `due_ns` is monotonic; 0 is off."""

    anon_name = b"[timerfd]"
    has_write = False

    @property
    def faults_late(self) -> bool:
        """Who cannot store what he took has lost it."""
        return True

    def __init__(
        self, fs: AnonFs, clock: Clock, order: Literal["little", "big"], clock_id: int, flags: int
    ) -> None:
        super().__init__(fs.inode, None, O_RDWR | flags & O_NONBLOCK)
        self.clock = clock
        self.order = order
        self.clock_id = clock_id
        self.due_ns = 0
        self.interval_ns = 0
        self.ticks = 0
        """Expirations that nobody has read."""
        self.expired = False
        """It fired and was not started again."""
        self.queue = WaitQueue(POLLIN)
        self._timer: Timer | None = None

    def arm(self) -> None:
        """Set the clock for the timer as it stands."""
        self.disarm()
        if self.due_ns and not self.expired:
            self._timer = self.clock.set_timer(self.due_ns, self._fire)

    def disarm(self) -> None:
        """Take it from the clock."""
        if self._timer is not None:
            self.clock.cancel(self._timer)
            self._timer = None

    def _fire(self) -> None:
        self._timer = None
        self.expired = True
        self.ticks += 1
        self.queue.wake_all()

    def _catch_up(self) -> None:
        """Count what an interval timer has missed, and start it again."""
        if self.expired and self.interval_ns:
            missed = max(0, self.clock.now_ns() - self.due_ns) // self.interval_ns
            self.ticks += missed
            self.due_ns = ktime_add(self.due_ns, (missed + 1) * self.interval_ns)
            self.expired = False
            self.arm()

    def set(self, due_ns: int, interval_ns: int) -> None:
        """Start, or stop with 0."""
        self.due_ns, self.interval_ns = due_ns, interval_ns
        self.ticks, self.expired = 0, False
        self.arm()

    def left(self) -> tuple[int, int]:
        """(time left, interval); 0 is off."""
        self._catch_up()
        if not self.due_ns or self.expired:
            return 0, self.interval_ns
        return max(1, self.due_ns - self.clock.now_ns()), self.interval_ns

    def read(self, count: int) -> bytes:
        """The number of expirations; wait for the first."""
        if count < _BYTES:
            raise EINVAL("a timerfd is read by eight bytes")
        if not self.ticks:
            if self.nonblocking:
                raise EAGAIN("the timer has not expired")
            raise Sleep(self.queue)
        self._catch_up()
        ticks, self.ticks = self.ticks, 0
        return ticks.to_bytes(_BYTES, self.order)

    def pread(self, offset: int, count: int) -> bytes:
        """Refused: a timer has no position."""
        raise ESPIPE("a timerfd has no position")

    def poll(self) -> int:
        """Readable when it has expired."""
        return POLLIN if self.ticks else 0

    def poll_queues(self) -> tuple[WaitQueue, ...]:
        """Woken at each expiration."""
        return (self.queue,)

    def release(self) -> None:
        """The last descriptor is closed."""
        self.disarm()
        super().release()
