"""Processes: fork + exit + wait, two processes that hand a byte through pipes, a shell's loop."""

from __future__ import annotations

import statistics
from pathlib import Path

import cr
from bench.guest import boot, finish
from bench.measure import Row, median_seconds
from cr.until import Ended
from tests.harness.debian import busybox

ARCHES = ("x86_32", "x86_64", "ppc32", "ppc64")
CHILDREN = 1000
REACH_CHILDREN = 1500
ROUNDS = 5000
REACH_SWITCHES = 30_000
LOOP = "i=0; while [ $i -lt 1000 ]; do true & wait; i=$((i+1)); done"
LOOP_EXEC = "i=0; while [ $i -lt 1000 ]; do /bin/busybox true; i=$((i+1)); done"
REACH_LOOP_S = 3.0
REPEATS = 3


def _seconds(story: str, arch: str, count: int) -> float:
    samples = []
    for _ in range(REPEATS):
        kernel = boot(story, arch, str(count))
        samples.append(median_seconds(lambda: finish(kernel), 1))  # noqa: B023
    return statistics.median(samples)


def _rate(what: str, per_second: float, unit: str, reach: int) -> Row:
    return Row(what, f"{per_second:,.0f} {unit}", f"at least {reach:,}", per_second >= reach)


def loop_seconds(program: Path, script: str) -> float:
    """What busybox's shell takes for a script, its boot not counted."""
    disk = cr.Disk.empty()
    node = disk.new_node(0o100755)
    node.store(0, program.read_bytes())
    folder = disk.new_node(0o040755)
    folder.entries()[b"busybox"] = node
    disk.root.entries()[b"bin"] = folder
    disk.root.nlink += 1
    kernel = cr.boot("x86_64", disk)
    task = kernel.spawn("/bin/busybox", "sh", "-c", script)

    def body() -> None:
        if kernel.run() is not Ended.EXITED or task.exit_status:
            raise AssertionError("the loop did not end well")

    seconds = median_seconds(body, 1)
    kernel.power_off()
    return seconds


def rows() -> list[Row]:
    """Two rows per mode, and the loops."""
    table = []
    for arch in ARCHES:
        rate = CHILDREN / _seconds("bench/fork_exit", arch, CHILDREN)
        what = f"fork + exit + wait of 1 MB, {arch}"
        table.append(_rate(what, rate, "a second", REACH_CHILDREN))
    for arch in ARCHES:
        rate = 2 * ROUNDS / _seconds("bench/ping_pong", arch, ROUNDS)
        what = f"ping-pong through pipes, {arch}"
        table.append(_rate(what, rate, "switches a second", REACH_SWITCHES))
    program = busybox("amd64")
    for what, script in (("forks true", LOOP), ("forks and executes true", LOOP_EXEC)):
        what = f"busybox sh, a loop that 1,000 times {what}"
        if program is None:
            table.append(Row(what, "busybox-static is not installed"))
            continue
        seconds = statistics.median(loop_seconds(program, script) for _ in range(REPEATS))
        reach = f"under {REACH_LOOP_S:.0f} s"
        table.append(Row(what, f"{seconds:.2f} s", reach, seconds < REACH_LOOP_S))
    return table
