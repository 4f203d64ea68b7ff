"""The bytes of a file as a disk keeps them: pieces by offset, and holes that take no room."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

PIECE_BYTES = 1 << 16


class Content:
    """Pieces of 64 KiB at most, by number; what is in none of them is zero."""

    __slots__ = ("_digest", "_pieces")

    def __init__(self, data: bytes | memoryview = b"") -> None:
        self._digest = ""
        self._pieces: dict[int, bytearray] = {}
        if data:
            self.store(0, data)

    @property
    def stored(self) -> int:
        """How many bytes are kept."""
        return sum(map(len, self._pieces.values()))

    def read(self, offset: int, count: int) -> bytes:
        """Exactly `count` bytes."""
        number, inner = divmod(offset, PIECE_BYTES)
        if inner + count <= PIECE_BYTES:
            piece = self._pieces.get(number)
            data = bytes(piece[inner : inner + count]) if piece is not None else b""
            return data if len(data) == count else data.ljust(count, b"\0")
        parts = []
        while count:
            step = min(count, PIECE_BYTES - inner)
            parts.append(self.read(number * PIECE_BYTES + inner, step))
            count -= step
            number, inner = number + 1, 0
        return b"".join(parts)

    def store(self, offset: int, data: bytes | bytearray | memoryview) -> None:
        """Put bytes at `offset`."""
        self._digest = ""
        number, inner = divmod(offset, PIECE_BYTES)
        done = 0
        while done < len(data):
            step = min(len(data) - done, PIECE_BYTES - inner)
            piece = self._pieces.setdefault(number, bytearray())
            if len(piece) < inner:
                piece.extend(bytes(inner - len(piece)))
            piece[inner : inner + step] = data[done : done + step]
            done += step
            number, inner = number + 1, 0

    def growth(self, offset: int, count: int) -> int:
        """How many bytes more would be kept after a store."""
        number, inner = divmod(offset, PIECE_BYTES)
        more = 0
        while count > 0:
            step = min(count, PIECE_BYTES - inner)
            more += max(0, inner + step - len(self._pieces.get(number, b"")))
            count -= step
            number, inner = number + 1, 0
        return more

    def cut(self, size: int) -> None:
        """Forget what lies at `size` and behind."""
        self._digest = ""
        number, inner = divmod(size, PIECE_BYTES)
        for other in [n for n in self._pieces if n > number or (n == number and not inner)]:
            del self._pieces[other]
        if inner and number in self._pieces:
            del self._pieces[number][inner:]

    def digest(self) -> str:
        """16 hexadecimal digits that tell the bytes; where a hole ends makes no difference.

        Kept until the next change: a sweep asks thousands of times for the same programs' files.
        """
        if not self._digest:
            total = hashlib.blake2b(digest_size=8)
            for number, piece in sorted(self._pieces.items()):
                data = piece.rstrip(b"\0")
                if data:
                    total.update(b"%d:" % (number * PIECE_BYTES) + data)
            self._digest = total.hexdigest()
        return self._digest

    def extents(self) -> Iterator[tuple[int, bytes]]:
        """(offset, bytes) of what is kept, ascending; neighbours are joined."""
        begin, end = 0, -1
        parts: list[bytes] = []
        for number, piece in sorted(self._pieces.items()):
            start = number * PIECE_BYTES
            if start != end:
                if parts:
                    yield begin, b"".join(parts)
                begin, parts = start, []
            parts.append(bytes(piece))
            end = start + len(piece)
        if parts:
            yield begin, b"".join(parts)
