"""What x86 exception numbers mean. Those of `int n` arrive with the program counter behind it."""

from __future__ import annotations

from emu.arch.spec import Trap

TRAPS: dict[int, Trap] = {
    0: Trap("divide"),
    1: Trap("step"),
    3: Trap("breakpoint"),
    4: Trap("overflow"),
    5: Trap("bounds"),
    6: Trap("illegal"),
    10: Trap("protection"),
    11: Trap("protection"),
    12: Trap("protection"),
    13: Trap("protection"),
    16: Trap("float"),
    17: Trap("alignment"),
    19: Trap("float"),
}

UNKNOWN = Trap("protection", 2)
"""`int n` with a number that is no user's. From 64-bit code int 0x80 is one of them: the 32-bit
calls of a 64-bit program are not modelled."""
