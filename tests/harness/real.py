"""A program no one here wrote, in a folder that is its root: straight, and with restarts between.

What it did is compared whole: console, status, virtual time, and the dump at the end.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cr
from cr.system import System
from cr.until import Ended, Until
from kernel_model.clock import UNITS_PER_NS
from kernel_model.dump import dump
from kernel_model.vfs.disk import Disk
from tests.harness.model import cycled

ENVIRONMENT = {"HOME": "/", "PATH": "/usr/bin:/bin"}
MAX_TIME_NS = 600 * 10**9
MEMORY_BYTES = 256 << 20


@dataclass(frozen=True, kw_only=True)
class Ran:
    """What a program did in the model."""

    console: bytes
    status: int
    units: int
    calls: int
    final_dump: str
    not_modelled: dict[str, int]


def make_root(folder: Path) -> Path:
    """The folders that programs expect."""
    for name in ("bin", "dev", "proc", "sys", "tmp", "lib"):
        (folder / name).mkdir(exist_ok=True)
    return folder


def run(arch: str, root: Path, words: Sequence[str], places: Iterable[Until] = ()) -> Ran:
    """From the start to the end, with checkpoint, reboot, restart at each place."""
    kernel: System = cr.boot(arch, Disk.from_dir(root), memory_bytes=MEMORY_BYTES)
    kernel.spawn(words[0], *words[1:], env=ENVIRONMENT)
    console = b""
    for place in places:
        ended = kernel.run(place, max_time_ns=MAX_TIME_NS)
        assert ended is Ended.REACHED, f"{words[0]} on {arch}, before a checkpoint: {ended.value}"
        console += kernel.console.output
        kernel = cycled(kernel)
    ended = kernel.run(max_time_ns=MAX_TIME_NS)
    assert ended is Ended.EXITED, f"{words[0]} on {arch}: {ended.value}"
    ran = Ran(
        console=console + kernel.console.output,
        status=kernel.tasks[min(kernel.tasks)].exit_status,
        units=kernel.clock.units,
        calls=kernel.completed_calls,
        final_dump=dump(kernel),
        not_modelled=dict(kernel.trace.not_modelled),
    )
    kernel.power_off()
    return ran


def restarted(arch: str, root: Path, words: Sequence[str], straight: Ran, cycles: int) -> None:
    """Restarts at places that are spread over the calls, and one by time: nobody can tell."""
    step = max(1, straight.calls // (cycles + 1))
    places: list[Until] = [cr.after_syscalls(step) for _ in range(cycles)]
    for chosen in (places, [cr.after_time(max(1, straight.units // UNITS_PER_NS // 2))]):
        again = run(arch, root, words, chosen)
        assert again.console == straight.console
        assert (again.status, again.units) == (straight.status, straight.units)
        assert again.final_dump == straight.final_dump
        assert again.not_modelled == straight.not_modelled


def native(command: Sequence[str], folder: Path) -> tuple[int, bytes]:
    """On the host: status, stdout."""
    done = subprocess.run(
        command, cwd=folder, env=ENVIRONMENT, capture_output=True, timeout=120, check=False
    )
    return done.returncode, done.stdout
