"""How fast the machine itself is: what the other rows are to be read against.

Nothing of the project is measured here. A virtual machine may be three times slower today than
yesterday; then so are these.
"""

from __future__ import annotations

import unicorn
import unicorn.unicorn_const as const
from unicorn.x86_const import UC_X86_REG_RAX

from bench.measure import Row, median_seconds

_CALLS = 500_000
_READS = 50_000


def _nothing() -> None:
    pass


def _call_often() -> None:
    for _ in range(_CALLS):
        _nothing()


def rows() -> list[Row]:
    """A call in Python; a register through the engine's own binding."""
    engine = unicorn.Uc(const.UC_ARCH_X86, const.UC_MODE_64)

    def read_often() -> None:
        for _ in range(_READS):
            engine.reg_read(UC_X86_REG_RAX)

    call_ns = median_seconds(_call_often) / _CALLS * 1e9
    read_ns = median_seconds(read_often) / _READS * 1e9
    return [
        Row("the host: a call of an empty Python function", f"{call_ns:.0f} ns"),
        Row("the host: a register through unicorn's own binding", f"{read_ns:.0f} ns"),
    ]
