"""The kernel's only source of randomness: a counter under a hash, seeded by the user.

The state is two numbers, so that C/R can save it.
"""

from __future__ import annotations

import hashlib


class Random:
    """Same seed, same bytes."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.counter = 0

    def bytes(self, count: int) -> bytes:
        """`count` pseudo-random bytes."""
        out = bytearray()
        while len(out) < count:
            block = f"{self.seed}/{self.counter}".encode()
            out += hashlib.sha256(block).digest()
            self.counter += 1
        return bytes(out[:count])
