"""How a number is measured: several times, the median counts."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass

REPEATS = 5


@dataclass(frozen=True)
class Row:
    """One line of the table. `reach` is what was to be reached, in words; `met` whether it was."""

    what: str
    value: str
    reach: str = ""
    met: bool | None = None


def median_seconds(body: Callable[[], object], repeats: int = REPEATS) -> float:
    """Processor time of this process: other work on the machine counts less."""
    samples = []
    for _ in range(repeats):
        start = time.process_time()
        body()
        samples.append(time.process_time() - start)
    return statistics.median(samples)


def child_seconds(command: list[str]) -> float:
    """Processor time of one run of a program of the host's."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def machine_in_words() -> str:
    """What the numbers were measured on."""
    model = "unknown processor"
    with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
        for line in file:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    return f"{model}, {os.cpu_count()} processors"
