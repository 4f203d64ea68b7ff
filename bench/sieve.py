"""The prime sieve over 4 MB, 40 rounds, against qemu-user (and qiling, where it is at hand)."""

from __future__ import annotations

import shutil
import statistics
import tempfile
from pathlib import Path
from unittest import mock

from bench.guest import boot, finish, program_bytes
from bench.measure import Row, child_seconds, median_seconds
from emu import unicorn_cpu

STORY = "bench/sieve"
ROUNDS = "40"
QEMU = {
    "x86_32": "qemu-i386",
    "x86_64": "qemu-x86_64",
    "ppc32": "qemu-ppc",
    "ppc64": "qemu-ppc64",
}
REACH = {"x86_32": 2.8, "x86_64": 2.8, "ppc32": 1.8, "ppc64": 1.8}
REPEATS = 3


def ours(arch: str) -> float:
    """Seconds on our machine, without the boot."""
    kernel = boot(STORY, arch, ROUNDS)
    return median_seconds(lambda: finish(kernel), 1)


def floor(arch: str) -> float:
    """The same on a machine that counts no blocks: no clock, no preemption, the engine alone."""
    hooks = {name: kind for name, kind in unicorn_cpu.HOOK_TYPES.items() if name != "block"}
    with mock.patch.object(unicorn_cpu, "HOOK_TYPES", hooks):
        return ours(arch)


def rows() -> list[Row]:
    """One row per mode; both runs take turns, so that a busy machine harms both."""
    table = []
    for arch, qemu in QEMU.items():
        what = f"sieve 4 MB x {ROUNDS}, {arch}"
        mine, theirs, floors = [], [], []
        with tempfile.TemporaryDirectory() as folder:
            program = Path(folder) / "sieve"
            program.write_bytes(program_bytes(STORY, arch))
            program.chmod(0o755)
            for _ in range(REPEATS):
                mine.append(ours(arch))
                floors.append(floor(arch))
                if shutil.which(qemu):
                    theirs.append(child_seconds([qemu, str(program), ROUNDS]))
        own = statistics.median(mine)
        if not theirs:
            table.append(Row(what, f"{own:.2f} s ({qemu} is not installed)"))
            continue
        other = statistics.median(theirs)
        ratio = own / other
        value = f"{own:.2f} s, {qemu} {other:.2f} s: {ratio:.1f}x"
        table.append(Row(what, value, f"at most {REACH[arch]}x", ratio <= REACH[arch]))
        bare = statistics.median(floors)
        value = f"{bare:.2f} s: {bare / other:.1f}x"
        table.append(Row(f"the same, {arch}, without a block hook: the engine alone", value))
    return table
