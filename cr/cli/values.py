"""What can be said after an option: times, places, dates, variables.

Each function reads one text, and raises ValueError with a sentence about what is wrong.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from kernel_model.clock import LATEST_BOOT_NS

_NS_OF_UNIT = {"ns": 1, "us": 1_000, "ms": 1_000_000, "s": 1_000_000_000}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MOST_NS = 1 << 58


def duration(text: str) -> int:
    """40us, 40ms, 2s: nanoseconds."""
    found = re.fullmatch(r"([0-9]{1,18})(?:\.([0-9]{1,9}))?(ns|us|ms|s)", text)
    if found is None:
        raise ValueError(f"{text!r} is no time such as 40us, 40ms or 2s")
    unit, part = _NS_OF_UNIT[found[3]], found[2] or "0"
    scale: int = 10 ** len(part)
    ns = int(found[1]) * unit + int(part) * unit // scale
    if not 0 < ns <= _MOST_NS:
        raise ValueError(f"{text!r} is too short or too long a time")
    return ns


def place(text: str) -> tuple[str, int]:
    """25syscalls, or a time: ("syscalls", 25), ("ns", 40000)."""
    found = re.fullmatch(r"([0-9]{1,18})syscalls?", text)
    if found is not None:
        if not int(found[1]):
            raise ValueError("there is nothing to checkpoint after 0 system calls")
        return "syscalls", int(found[1])
    if re.fullmatch(r"[0-9.]+(ns|us|ms|s)", text):
        return "ns", duration(text)
    raise ValueError(f"{text!r} is no place such as 25syscalls, 40us, 40ms or 2s")


def date(text: str) -> int:
    """2011-03-13T07:06:40, in UTC unless it says otherwise: nanoseconds since 1970."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is no date such as 2011-03-13T07:06:40") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    ns = (moment - _EPOCH) // timedelta(microseconds=1) * 1_000
    if not 0 <= ns <= LATEST_BOOT_NS:
        raise ValueError(f"{text!r} is before 1970 or after 2116-02-20")
    return ns


def variable(text: str) -> tuple[str, str]:
    """NAME=VALUE."""
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise ValueError(f"{text!r} is not NAME=VALUE")
    return name, value
