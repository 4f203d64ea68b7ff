"""struct flock as user memory holds it: the narrow one of 32-bit ABIs, and the wide ones.

Mirrors: Linux include/asm-generic/fcntl.h (struct flock, struct flock64).
"""

from __future__ import annotations

from typing import ClassVar

from emu.layout import Record, at, record, s16, s32, s64, u32


@record(size=16)
class Flock32(Record):
    """struct flock of 32-bit ABIs."""

    most: ClassVar[int] = (1 << 31) - 1
    """The largest start and length that it can tell."""

    l_type: s16 = at("F_RDLCK, F_WRLCK, F_UNLCK")
    l_whence: s16 = at("SEEK_*")
    l_start: s32 = at("first byte")
    l_len: s32 = at("how many; 0: all that follow")
    l_pid: s32 = at("who has the lock")


@record(size=24)
class Flock64X8632(Record):
    """struct flock64 of x86-32 (64-bit fields are aligned to 4)."""

    most: ClassVar[int] = (1 << 63) - 1
    """The largest start and length that it can tell."""

    l_type: s16 = at("F_RDLCK, F_WRLCK, F_UNLCK")
    l_whence: s16 = at("SEEK_*")
    l_start: s64 = at("first byte")
    l_len: s64 = at("how many; 0: all that follow")
    l_pid: s32 = at("who has the lock")


@record(size=28)
class FlockWide(Record):
    """struct flock of 64-bit ABIs, flock64 of 32-bit PowerPC; four bytes of padding follow."""

    most: ClassVar[int] = (1 << 63) - 1
    """The largest start and length that it can tell."""

    l_type: s16 = at("F_RDLCK, F_WRLCK, F_UNLCK")
    l_whence: s16 = at("SEEK_*")
    pad: u32 = at("not used", default=0)
    l_start: s64 = at("first byte")
    l_len: s64 = at("how many; 0: all that follow")
    l_pid: s32 = at("who has the lock")


Flock = Flock32 | Flock64X8632 | FlockWide
FlockStruct = type[Flock32] | type[Flock64X8632] | type[FlockWide]
