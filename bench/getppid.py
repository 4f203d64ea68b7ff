"""A hundred thousand calls of getppid: the cost of one trap."""

from __future__ import annotations

import statistics

from bench.guest import boot, finish
from bench.measure import Row, median_seconds

CALLS = 100_000
REACH_US = 6.0


def rows() -> list[Row]:
    """One row per mode."""
    table = []
    for arch in ("x86_32", "x86_64", "ppc32", "ppc64"):
        samples = []
        for _ in range(5):
            kernel = boot("bench/getppid_loop", arch, str(CALLS))
            samples.append(median_seconds(lambda: finish(kernel), 1))  # noqa: B023
        each_us = statistics.median(samples) / CALLS * 1e6
        reach = f"at most {REACH_US:.0f} us"
        table.append(
            Row(f"getppid, {arch}", f"{each_us:.2f} us a call", reach, each_us <= REACH_US)
        )
    return table
