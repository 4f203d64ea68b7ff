"""The same sieve in qiling, which is built on the same engine.

QILING_PYTHON names an interpreter that has qiling 1.4.6, in a virtual environment of its own:

    python -m venv /tmp/qiling && /tmp/qiling/bin/pip install qiling==1.4.6
    QILING_PYTHON=/tmp/qiling/bin/python python -m bench.run
"""

from __future__ import annotations

import os
import statistics
import subprocess
import tempfile
from pathlib import Path

from bench.guest import boot, finish, program_bytes
from bench.measure import Row, median_seconds

ROUNDS = "10"
REACH = 0.4
_SCRIPT = """
import os, sys
from qiling import Qiling
from qiling.const import QL_VERBOSE
folder, rounds = sys.argv[1:]
machine = Qiling([folder + "/bin/sieve", rounds], folder, verbose=QL_VERBOSE.OFF)
before = sum(os.times()[:2])
machine.run()
sys.stderr.write("seconds %f" % (sum(os.times()[:2]) - before))
"""


def qiling_seconds(python: str, arch: str) -> float | None:
    """Processor time of qiling's run; None if it does not run the program."""
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "bin" / "sieve"
        program.parent.mkdir()
        program.write_bytes(program_bytes("bench/sieve", arch))
        program.chmod(0o755)
        command = [python, "-c", _SCRIPT, folder, ROUNDS]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    words = done.stderr.rsplit("seconds ", 1)
    return float(words[1]) if done.returncode == 0 and len(words) == 2 else None


def rows() -> list[Row]:
    """One row per mode that qiling has."""
    python = os.environ.get("QILING_PYTHON")
    if not python:
        return [Row("sieve against qiling", "not measured: QILING_PYTHON is not set")]
    table = []
    for arch in ("x86_32", "x86_64", "ppc32"):
        what = f"sieve 4 MB x {ROUNDS} against qiling, {arch}"
        mine, theirs = [], []
        for _ in range(3):
            kernel = boot("bench/sieve", arch, ROUNDS)
            mine.append(median_seconds(lambda: finish(kernel), 1))  # noqa: B023
            seconds = qiling_seconds(python, arch)
            if seconds is None:
                break
            theirs.append(seconds)
        if not theirs:
            table.append(Row(what, "qiling does not run this program"))
            continue
        own, other = statistics.median(mine), statistics.median(theirs)
        value = f"{own:.2f} s, qiling {other:.2f} s: {own / other:.2f}x"
        table.append(Row(what, value, f"at most {REACH}x", own / other <= REACH))
    return table
