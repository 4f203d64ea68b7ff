"""The kernel's only source of randomness: a counter under a hash, seeded by the user.

The state is two numbers, so that C/R can save it.
"""

from __future__ import annotations

import builtins
import hashlib


class Random:
    """Same seed, same bytes."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.counter = 0

    def bytes(self, count: int) -> builtins.bytes:
        """`count` pseudo-random bytes."""
        out = bytearray()
        while len(out) < count:
            block = f"{self.seed}/{self.counter}".encode()
            out += hashlib.sha256(block).digest()
            self.counter += 1
        return builtins.bytes(out[:count])

    def state(self) -> builtins.bytes:
        """Everything, for an image."""
        return f"{self.seed}/{self.counter}".encode()

    @staticmethod
    def check_state(state: builtins.bytes) -> tuple[int, int]:
        """Seed and counter of a state. Raises ValueError."""
        seed, slash, counter = state.partition(b"/")
        if not slash or not counter.isdigit() or not seed.removeprefix(b"-").isdigit():
            raise ValueError("this is no state of the random source")
        return int(seed), int(counter)

    def set_state(self, state: builtins.bytes) -> None:
        """Go on from a state that was checked."""
        self.seed, self.counter = self.check_state(state)
