"""Where a run is looked at: behind every system call, every so many blocks, every so much time.

A place is counted from the one before it, so that a restarted kernel finds the next one.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from cr.cli.values import duration
from cr.system import System
from cr.until import AfterBlocks, AfterSyscalls, AfterTime, Ended, Until

_PLACES: dict[str, Callable[[int], Until]] = {
    "syscall": AfterSyscalls,
    "block": AfterBlocks,
    "time": AfterTime,
}


@dataclass(frozen=True)
class Every:
    """`kind` is syscall, block or time; `count` of them (nanoseconds for time) between places."""

    kind: str = "syscall"
    count: int = 1

    def __str__(self) -> str:
        return f"{self.kind}:{self.count}" + ("ns" if self.kind == "time" else "")

    def until(self, times: int = 1) -> Until:
        """The place `times` places further on."""
        return _PLACES[self.kind](self.count * times)

    def advance(self, kernel: System, max_time_ns: int, times: int = 1) -> Ended:
        """Run to the next place; or on, over places that nobody wants to see."""
        return kernel.run(self.until(times), max_time_ns=max_time_ns)

    def how_many(self, calls: int, units: int) -> int:
        """About how many places a run has that made so many calls and executed so much code."""
        return max(1, {"syscall": calls, "time": units // 4, "block": units // 24}[self.kind]) // (
            self.count
        )


def every(text: str) -> Every:
    """syscall, syscall:5, block:100, time:40us. Raises ValueError with a sentence."""
    kind, _, count = text.partition(":")
    if kind == "time" and count:
        return Every("time", duration(count))
    if kind in ("syscall", "block") and re.fullmatch(r"|[1-9][0-9]{0,8}", count):
        return Every(kind, int(count or 1))
    raise ValueError(f"{text!r} is none of syscall, syscall:N, block:N, time:40us")
