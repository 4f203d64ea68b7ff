"""Inodes that no name leads to, and of which linux-cr saves nothing (ours): pipes and sockets."""

from cr.image.types import HDR_NAMELESS, HDR_NAMELESS_NUMBERS, Framed
from emu.layout import at, hex32, record, s64, u32, u64

_MOST = 1 << 62


@record(size=56)
class Nameless(Framed):
    """Behind the FILE of a pipe's first end, or of a socket: what fstat tells of it."""

    TYPE = HDR_NAMELESS

    ino: u64 = at("inode number; a kernel that runs already gives it another one")
    atime_ns: s64 = at("last access, nanoseconds since the epoch")
    mtime_ns: s64 = at("last change of the content")
    ctime_ns: s64 = at("last change")
    mode: hex32 = at("kind and rights")
    uid: u32 = at("owner")
    gid: u32 = at("group")
    pad: u32 = at("zero", default=0, must_be=0)

    def invalid(self) -> str | None:
        if not 0 < self.ino < _MOST:
            return "an inode number that cannot be"
        return None


@record(size=24)
class NamelessNumbers(Framed):
    """With a machine: which inode numbers come next."""

    TYPE = HDR_NAMELESS_NUMBERS

    next_pipe: u64 = at("of pipes")
    next_socket: u64 = at("of sockets")

    def invalid(self) -> str | None:
        for number in (self.next_pipe, self.next_socket):
            if not 0 < number < _MOST:
                return "an inode number that cannot be"
        return None
