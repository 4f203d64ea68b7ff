"""What the exception frame of an x86 CPU said, for trapno, err and cr2 in a signal frame.

Mirrors: Linux thread_struct.trap_no, error_code, cr2.
Deviates: whether a page was there is taken from si_code, so that it does not depend on which pages
happen to be in memory.
"""

from __future__ import annotations

from kernel_model.mm.fault import SEGV_ACCERR
from kernel_model.signals import SIGSEGV, SigInfo

_PAGE_FAULT = 14
_VECTORS = {
    "divide": 0,
    "step": 1,
    "breakpoint": 3,
    "overflow": 4,
    "bounds": 5,
    "illegal": 6,
    "protection": 13,
    "read": _PAGE_FAULT,
    "write": _PAGE_FAULT,
    "fetch": _PAGE_FAULT,
    "float": 16,
    "alignment": 17,
}
_PRESENT, _WRITE, _USER, _FETCH = 1, 2, 4, 16


def trap_number(info: SigInfo) -> int:
    """The vector; 0 for a signal that is not a fault."""
    return _VECTORS.get(info.cause, 0)


def error_code(info: SigInfo) -> int:
    """That of a page fault; other exceptions of user code have none, or 0."""
    if trap_number(info) != _PAGE_FAULT:
        return 0
    code = _USER
    if info.signo == SIGSEGV and info.code == SEGV_ACCERR:
        code |= _PRESENT
    return code | {"write": _WRITE, "fetch": _FETCH}.get(info.cause, 0)


def fault_address(info: SigInfo) -> int:
    """CR2."""
    return info.addr if trap_number(info) == _PAGE_FAULT else 0
