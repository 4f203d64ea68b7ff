"""How a command ends when it is not the guest that ends it."""

from __future__ import annotations

BAD_INPUT = 2
REFUSED = 3
TIMED_OUT = 124
INTERRUPTED = 130
BROKEN_PIPE = 128 + 13


class Failure(Exception):
    """One sentence for stderr, and the exit status."""

    def __init__(self, sentence: str, status: int = BAD_INPUT) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.status = status
