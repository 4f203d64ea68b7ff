"""Records of ours: who watches files and directories, what they may not become, netlink.

Image grammar:

    file        =  FILE inotify  { INOTIFY_WATCH  FILE_NAME  [ unlinked ] }  { INOTIFY_EVENT }
    unlinked    =  UNLINKED  { UNLINKED_DATA }  [ FILE_SEALS ]  { UNLINKED }
    file-table  =  ...  { FILE_LEASE }  { DIRECTORY_NOTIFY }
    mm          =  ...  { mm-unit }  [ MM_EXTRA ]
    sock        =  SOCKET  SOCKET_NETLINK

Mirrors:  nothing: linux-cr refuses inotify and dnotify, and knew no memfd and no membarrier.
"""

from typing import Annotated

from cr.image.types import (
    HDR_DIRECTORY_NOTIFY,
    HDR_FILE_SEALS,
    HDR_INOTIFY_EVENT,
    HDR_INOTIFY_WATCH,
    HDR_MM_EXTRA,
    HDR_SOCKET_NETLINK,
    Framed,
)
from emu.layout import at, hex32, record, rest_bytes, s32, u32


@record(size=16)
class MmExtra(Framed):
    """What a newer kernel remembers of an address space."""

    TYPE = HDR_MM_EXTRA

    barriers: hex32 = at("MEMBARRIER_CMD_REGISTER_*")
    pad: u32 = at("zero", default=0, must_be=0)


@record(size=16)
class FileSeals(Framed):
    """The unlinked file before is one of memfd_create."""

    TYPE = HDR_FILE_SEALS

    seals: hex32 = at("F_SEAL_*")
    pad: u32 = at("zero", default=0, must_be=0)

    def invalid(self) -> str | None:
        return "unknown seals" if self.seals > 15 else None


@record(size=16)
class InotifyWatch(Framed):
    """One watch of the inotify instance before; the name of what it watches follows."""

    TYPE = HDR_INOTIFY_WATCH

    wd: s32 = at("its number")
    mask: hex32 = at("IN_*")

    def invalid(self) -> str | None:
        return None if self.wd > 0 else "wd must be positive"


@record(size=24)
class InotifyEvent(Framed):
    """An event that nobody has read, the oldest first."""

    TYPE = HDR_INOTIFY_EVENT

    wd: s32 = at("the watch; -1 of an overflow")
    mask: hex32 = at("what has happened: IN_*")
    cookie: u32 = at("what ties the two events of a move together")
    pad: u32 = at("zero", default=0, must_be=0)
    name: Annotated[bytes, rest_bytes()] = at("the name in the directory, or nothing")

    def invalid(self) -> str | None:
        if len(self.name) > 255 or b"\0" in self.name:
            return "a name of more than 255 bytes, or with a zero in it"
        return None if self.wd >= -1 else "wd must not be below -1"


@record(size=24)
class DirectoryNotify(Framed):
    """What the table before is to be told of an open directory (F_NOTIFY)."""

    TYPE = HDR_DIRECTORY_NOTIFY

    file_objref: s32 = at("the open directory")
    fd: s32 = at("the descriptor that is told")
    mask: hex32 = at("DN_*")
    order: u32 = at("how many others watch this directory before it")

    def invalid(self) -> str | None:
        return None if self.file_objref > 0 and self.fd >= 0 else "a negative number"


@record(size=16)
class SocketNetlink(Framed):
    """A netlink socket."""

    TYPE = HDR_SOCKET_NETLINK

    port: u32 = at("its number; 0: none yet")
    groups: hex32 = at("the groups that it has joined")
