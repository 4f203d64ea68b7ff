"""Records of ours: locks and leases on files, and who is told of them.

Image grammar:

    at the end of a file      [ FILE_OWNER ]  [ FILE_FLOCK ]
    behind a file table       { RECORD_LOCK }  { FILE_LEASE }

Mirrors:  nothing: linux-cr refuses locks and leases, and loses F_SETOWN.
"""

from cr.image.types import HDR_FILE_FLOCK, HDR_FILE_LEASE, HDR_FILE_OWNER, HDR_RECORD_LOCK, Framed
from emu.layout import at, record, s32, u32, u64


@record(size=16)
class FileFlock(Framed):
    """What flock() has locked for this open file; linux-cr refuses it."""

    TYPE = HDR_FILE_FLOCK

    kind: u32 = at("0 shared, 1 exclusive")
    pad: u32 = at("zero", default=0, must_be=0)

    def invalid(self) -> str | None:
        return None if self.kind <= 1 else "kind is 0 or 1"


@record(size=40)
class RecordLock(Framed):
    """A range of a file that the table before it has locked; linux-cr refuses it."""

    TYPE = HDR_RECORD_LOCK

    file_objref: s32 = at("an open file of the table: which inode it is")
    kind: u32 = at("0 read, 1 write")
    first: u64 = at("first byte")
    last: u64 = at("last byte")
    pid: s32 = at("who locked it; 0: the process that has the table")
    order: u32 = at("how many owners of locks of this inode come before")

    def invalid(self) -> str | None:
        if self.kind > 1:
            return "kind is 0 or 1"
        if not self.first <= self.last < 1 << 63:
            return "first to last is no range of bytes"
        return None if self.file_objref > 0 and self.pid >= 0 else "file_objref must be positive"


@record(size=40)
class FileOwner(Framed):
    """Who is told of an open file by a signal (F_SETOWN, F_SETSIG); linux-cr refuses it."""

    TYPE = HDR_FILE_OWNER

    number: s32 = at("of a task or a process group; 0: nobody, or with `own` the task")
    kind: u32 = at("0 thread, 1 process, 2 process group")
    uid: u32 = at("with whose rights")
    euid: u32 = at("and effective rights")
    signo: u32 = at("F_SETSIG; 0: SIGIO")
    fd: s32 = at("O_ASYNC: the descriptor that is told; -1: it is off")
    own: u32 = at("1: the task that the file was met in")
    pad: u32 = at("zero", default=0, must_be=0)

    def invalid(self) -> str | None:
        if self.kind > 2 or self.own > 1 or self.signo > 64:
            return "kind is 0 to 2, own 0 or 1, signo at most 64"
        return None if self.number >= 0 and self.fd >= -1 else "a negative number"


@record(size=32)
class FileLease(Framed):
    """A lease that a process of the table before it has taken; linux-cr refuses it."""

    TYPE = HDR_FILE_LEASE

    file_objref: s32 = at("the open file")
    kind: u32 = at("0 read, 1 write")
    target: u32 = at("what it is to become: 0 read, 2 nothing; 3: it is not being broken")
    owned: u32 = at("0: the process that took it is gone")
    break_at_ns: u64 = at("virtual clock until which its holder has time")

    def invalid(self) -> str | None:
        if self.kind > 1 or self.owned > 1 or self.target not in (0, 2, 3):
            return "kind and owned are 0 or 1, target is 0, 2 or 3"
        return None if self.file_objref > 0 else "file_objref must be positive"
