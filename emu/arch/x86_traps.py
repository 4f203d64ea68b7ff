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
    13: Trap("protection"),
    16: Trap("float"),
    17: Trap("alignment"),
    19: Trap("float"),
    128: Trap("syscall"),
}
# Any other one is an `int n` whose gate is not the user's: refused at the instruction.
TRAPS |= {number: Trap("protection", 2) for number in range(256) if number not in TRAPS}
