"""Times, places, dates and variables, as people write them."""

import pytest

from cr.cli.values import date, duration, place, variable
from kernel_model.clock import LATEST_BOOT_NS


@pytest.mark.parametrize(
    ("text", "ns"),
    [("1ns", 1), ("40us", 40_000), ("40ms", 40_000_000), ("2s", 2 * 10**9), ("1.5us", 1_500)],
)
def test_durations(text: str, ns: int) -> None:
    assert duration(text) == ns
    assert place(text) == ("ns", ns)


@pytest.mark.parametrize("text", ["", "5", "s", "-1s", "1m", "1 s", "1.s", "0s", "٣s", "1e3s"])
def test_no_durations(text: str) -> None:
    with pytest.raises(ValueError, match="time"):
        duration(text)


def test_places() -> None:
    assert place("25syscalls") == ("syscalls", 25)
    assert place("1syscall") == ("syscalls", 1)
    for text in ("syscalls", "25", "0syscalls", "-1syscalls", "1.5syscalls"):
        with pytest.raises(ValueError):
            place(text)


def test_dates() -> None:
    assert date("1970-01-02") == 86_400 * 10**9
    assert date("1970-01-01T00:00:01.000002") == 1_000_002_000
    assert date("1970-01-01T02:00:00+02:00") == 0
    assert date("2116-02-20") < LATEST_BOOT_NS
    for text in ("1969-12-31", "2116-02-21", "9999-01-01"):
        with pytest.raises(ValueError, match="before 1970 or after 2116-02-20"):
            date(text)


def test_variables() -> None:
    assert variable("A=b=c") == ("A", "b=c")
    assert variable("A=") == ("A", "")
