"""Virtual time: it advances with executed guest code, and jumps when everybody sleeps.

`units` counts bytes of executed code; four of them are a nanosecond. Nothing of the host's time
gets in. Timers are values in a list, ordered by when they are due and then by when they were set.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable
from dataclasses import dataclass, field

UNITS_PER_NS = 4
END_UNITS = 1 << 62
"""Where virtual time ends, 36 years after the boot."""
LATEST_BOOT_NS = 1 << 62
"""The latest wall clock at boot, in the year 2116: its end still fits 64 bits of nanoseconds."""
KTIME_MAX_NS = (1 << 63) - 1
"""The latest time that Linux has: who waits until then waits for ever."""


def ktime_add(time_ns: int, more_ns: int) -> int:
    """A later time, or the latest that there is (Linux: ktime_add_safe)."""
    return min(time_ns + more_ns, KTIME_MAX_NS)


@dataclass(order=True, slots=True)
class Timer:
    """Something due at `due_ns`; `fire` is called with the timer when it is."""

    due_ns: int
    sequence: int
    fire: Callable[[], None] = field(compare=False)


class Clock:
    """`epoch_ns` is the realtime at which virtual time 0 lies."""

    def __init__(self, epoch_ns: int) -> None:
        self.epoch_ns = epoch_ns
        self.units = 0
        self.next_due_units = END_UNITS
        self._timers: list[Timer] = []
        self._sequence = 0

    def now_ns(self) -> int:
        """Monotonic virtual time."""
        return self.units // UNITS_PER_NS

    def realtime_ns(self) -> int:
        """Wall-clock time in the guest."""
        return self.epoch_ns + self.units // UNITS_PER_NS

    def after(self, ns: int) -> int:
        """The time in so many nanoseconds."""
        return ktime_add(self.now_ns(), ns)

    def set_timer(self, due_ns: int, fire: Callable[[], None]) -> Timer:
        """Call `fire` at `due_ns` (monotonic)."""
        self._sequence += 1
        timer = Timer(due_ns, self._sequence, fire)
        insort(self._timers, timer)
        self._look()
        return timer

    def cancel(self, timer: Timer) -> None:
        """Forget a timer; one that has fired already is no matter."""
        if timer in self._timers:
            self._timers.remove(timer)
            self._look()

    def _look(self) -> None:
        first = self._timers[0].due_ns * UNITS_PER_NS if self._timers else END_UNITS
        self.next_due_units = min(first, END_UNITS)

    def fire_due(self) -> None:
        """Fire everything that is due by now, in order."""
        while self._timers and self._timers[0].due_ns * UNITS_PER_NS <= self.units:
            timer = self._timers.pop(0)
            timer.fire()
        self._look()

    def jump(self) -> bool:
        """Everybody sleeps: go to the next timer, or to the end. False when there is none."""
        if not self._timers:
            return False
        self.units = max(self.units, self.next_due_units)
        self.fire_due()
        return True
