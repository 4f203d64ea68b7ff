"""Times as user memory holds them: seconds with nanoseconds or microseconds.

Mirrors: Linux include/linux/time.h (struct timespec, timeval), struct utimbuf.
"""

from __future__ import annotations

from emu.layout import Record, at, record, s32, s64

NS_PER_S = 1_000_000_000
US_PER_S = 1_000_000


@record(size=8)
class Timespec32(Record):
    """struct timespec of 32-bit ABIs."""

    tv_sec: s32 = at("seconds")
    tv_nsec: s32 = at("nanoseconds")


@record(size=16)
class Timespec64(Record):
    """struct timespec of 64-bit ABIs."""

    tv_sec: s64 = at("seconds")
    tv_nsec: s64 = at("nanoseconds")


@record(size=8)
class Timeval32(Record):
    """struct timeval of 32-bit ABIs."""

    tv_sec: s32 = at("seconds")
    tv_usec: s32 = at("microseconds")


@record(size=16)
class Timeval64(Record):
    """struct timeval of 64-bit ABIs."""

    tv_sec: s64 = at("seconds")
    tv_usec: s64 = at("microseconds")


@record(size=8)
class Utimbuf32(Record):
    """struct utimbuf of 32-bit ABIs."""

    actime: s32 = at("access time")
    modtime: s32 = at("modification time")


@record(size=16)
class Utimbuf64(Record):
    """struct utimbuf of 64-bit ABIs."""

    actime: s64 = at("access time")
    modtime: s64 = at("modification time")


Timespec = Timespec32 | Timespec64
Timeval = Timeval32 | Timeval64


def timespec(layout: type[Timespec], ns: int) -> Timespec:
    """Nanoseconds as a struct timespec."""
    seconds, rest = divmod(ns, NS_PER_S)
    return layout(tv_sec=_wrapped(layout, seconds), tv_nsec=rest)


def timeval(layout: type[Timeval], ns: int) -> Timeval:
    """Nanoseconds as a struct timeval."""
    seconds, rest = divmod(ns // 1000, US_PER_S)
    return layout(tv_sec=_wrapped(layout, seconds), tv_usec=rest)


def _wrapped(layout: type[Timespec] | type[Timeval], seconds: int) -> int:
    # 32 bits end in January 2038; Linux goes on with what is left in them.
    half = 1 << (4 * layout.fixed_bytes() - 1)
    return (seconds + half) % (2 * half) - half
