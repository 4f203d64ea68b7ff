"""Measure everything and write the table: `python -m bench.run [NAME]...`.

Each module named in `BENCHES` offers rows(). Without names all are run and docs/BENCHMARKS.md is
written; with names only those are run and the table is just shown.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

from bench.measure import REPEATS, Row, machine_in_words
from emu.accel import load_accelerator

BENCHES = ("host", "sieve", "qiling_sieve", "getppid", "processes", "restart", "switch", "tlb")
TARGET = Path(__file__).resolve().parent.parent / "docs" / "BENCHMARKS.md"


_ABOUT_SIEVE = """
About the sieve: the engine's own code sets the floor. Its row without a block hook has no clock and
no preemption, and is what no work of ours can go below: each block of the engine's code calls a
helper at its start, each store another, and every access looks into a software TLB. The block hook,
one call of a few instructions, makes the rest. How both compare with qemu-user depends on the
processor: on an Intel Xeon the x86 rows were 2.6 times its time, on an AMD EPYC about 4.5 times.
"""


def table(rows: Sequence[Row]) -> str:
    """The rows as markdown."""
    lines = ["| what | measured | to be reached | |", "|---|---|---|---|"]
    for row in rows:
        verdict = "" if row.met is None else "yes" if row.met else "**no**"
        lines.append(f"| {row.what} | {row.value} | {row.reach} | {verdict} |")
    return "\n".join(lines) + "\n"


def report(rows: Sequence[Row]) -> str:
    """The whole document."""
    engine = metadata.version("unicorn")
    accelerator = "with" if load_accelerator() is not None else "without"
    return (
        "# Benchmarks\n\n"
        "Written by `make bench`. Medians of processor time, all of one run on one machine: "
        f"{machine_in_words()}; Python {sys.version.split()[0]}, unicorn {engine}, {accelerator} "
        f"the C accelerator. Up to {REPEATS} repetitions each.\n\n" + table(rows) + _ABOUT_SIEVE
    )


def main(names: Sequence[str]) -> int:
    """Run what was asked for."""
    unknown = set(names) - set(BENCHES)
    if unknown:
        sys.stderr.write(f"no such benchmark: {', '.join(sorted(unknown))}\n")
        return 2
    rows: list[Row] = []
    for name in names or BENCHES:
        sys.stderr.write(f"{name} ...\n")
        rows += importlib.import_module(f"bench.{name}").rows()
    sys.stdout.write(table(rows))
    if not names:
        TARGET.parent.mkdir(parents=True, exist_ok=True)
        TARGET.write_text(report(rows), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
