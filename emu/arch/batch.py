"""Registers that always move together, in one call to the engine."""

from __future__ import annotations

import ctypes
from typing import Any


class Batch:
    """Registers that move together between the engine and one buffer, in one call."""

    def __init__(
        self,
        library: Any,
        handle: ctypes.c_void_p,
        ids: list[int],
        offsets: list[int],
        size_bytes: int,
    ) -> None:
        count = len(ids)
        self.buffer = bytearray(size_bytes)
        base = ctypes.addressof(ctypes.c_char.from_buffer(self.buffer))
        self._handle = handle
        self._ids = (ctypes.c_int * count)(*ids)
        self._places = (ctypes.c_void_p * count)(*(base + offset for offset in offsets))
        self._count = count
        self._read: Any = library.uc_reg_read_batch
        self._write: Any = library.uc_reg_write_batch

    def read(self) -> bytearray:
        """The registers' values, in the buffer."""
        self._read(self._handle, self._ids, self._places, self._count)
        return self.buffer

    def write(self) -> bool:
        """What is in the buffer becomes the registers' values. False: one was refused.

        Then those behind it in the batch are as they were.
        """
        return not self._write(self._handle, self._ids, self._places, self._count)
