"""The accelerator: the hot path in C, and the words it shares with Python.

`FIELDS` is the layout of `struct cpu` in _accel.c as 64-bit words; the Python twin works on the
very same words, so the CPU's code above does not know which of the two it drives.
"""

from __future__ import annotations

import ctypes
import importlib.resources
from functools import cache
from pathlib import Path

MAX_REGS = 96
MOST_FILLS = 1 << 16
CTL_TLB_FLUSH = 11 | 1 << 30

_ONE_WORD = (
    "uc emu_start emu_stop read_batch write_batch reg_write ctl nodes "
    "root window_page window_frame table_page table_frame fills fills_limit "
    "spent limit left held block_start block_end "
    "stop number syscall_number fault_addr fault_access error invalid_addr until "
    "ram forbid_mask forbid_word forbid_mask_2 forbid_word_2 forbid_addr "
    "tsc_base tsc_divisor pc_id ax_id cx_id dx_id reg_count"
).split()

FIELDS = {name: index for index, name in enumerate(_ONE_WORD)}
FIELDS["regs"] = len(_ONE_WORD)
FIELDS["reg_ids"] = len(_ONE_WORD) + MAX_REGS
HIDDEN_BYTES = MAX_REGS * (4 + 8)
WORD_COUNT = len(_ONE_WORD) + 2 * MAX_REGS
SIZE_BYTES = 8 * WORD_COUNT + HIDDEN_BYTES

STOP_NONE, STOP_BUDGET, STOP_INTERRUPT, STOP_SYSCALL = range(4)
STOP_FAULT, STOP_ILLEGAL, STOP_PORT, STOP_FORBIDDEN, STOP_NO_SUCH = range(4, 9)


def library_path() -> Path | None:
    """Where the built accelerator lies, or None."""
    folder = Path(str(importlib.resources.files("emu.accel")))
    path = folder / "_accel.so"
    return path if path.exists() else None


@cache
def load_accelerator() -> ctypes.PyDLL | None:
    """The C accelerator, or None where it was not built."""
    path = library_path()
    if path is None:
        return None
    # PyDLL: the calls are short and call no Python, so the interpreter lock is simply kept.
    library = ctypes.PyDLL(str(path))
    library.accel_size.restype = ctypes.c_size_t
    if library.accel_size() != SIZE_BYTES:
        raise AssertionError(f"{path} was built from another _accel.c: rebuild it")
    library.accel_prepare.argtypes = [ctypes.c_void_p]
    library.accel_run.argtypes = [ctypes.c_void_p]
    library.accel_run.restype = None
    return library
