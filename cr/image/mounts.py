"""Mounts and what is in them: records of ours, in the image of a whole machine.

Image grammar:

    mounts   =  MOUNTS  { MOUNT_FS { MOUNT_DATA } }  { MOUNT }     ; behind FREEZER_GROUPs
    after a FILE_NAME         [ FILE_PLACE ]  [ PROC_FILE ]
    at the end of an NS       [ NS_MOUNTS ]                        ; behind NET_STATE
    before a terminal         [ TTY_INSTANCE ]
    file     =  FILE namespace  FILE_NAME  [ FILE_PLACE ]  PROC_FILE

Mirrors:  nothing: in linux-cr all tasks are in one mount namespace, and what is mounted is the
          business of who restarts.
"""

from typing import Annotated

from cr.image.types import (
    HDR_FILE_PLACE,
    HDR_MOUNT,
    HDR_MOUNT_DATA,
    HDR_MOUNT_FS,
    HDR_MOUNTS,
    HDR_NS_MOUNTS,
    HDR_PROC_FILE,
    HDR_TTY_INSTANCE,
    Framed,
)
from emu.layout import at, hex32, record, rest_bytes, s32, u32, u64

FS_FIRST, FS_TMPFS, FS_DEVPTS, FS_PROC = 1, 2, 3, 4


@record(size=32)
class Mounts(Framed):
    """What is mounted differs from what a boot mounts; all of it follows."""

    TYPE = HDR_MOUNTS

    nr_file_systems: u32 = at("how many MOUNT_FS follow")
    nr_mounts: u32 = at("how many MOUNT follow")
    nr_namespaces: u32 = at("how many mount namespaces there are; the first process's is number 1")
    next_mount: u32 = at("the number that the next mount gets")
    next_dev: u32 = at("the device number that the next file system gets")
    pad: u32 = at("zero", default=0, must_be=0)

    def invalid(self) -> str | None:
        return None if self.nr_namespaces else "there is at least one mount namespace"


@record(size=64)
class MountFs(Framed):
    """A file system that a boot does not make, or makes with something else in it."""

    TYPE = HDR_MOUNT_FS

    dev: u32 = at("its device number, by which mounts name it")
    kind: u32 = at("1: of the boot, 2 tmpfs, 3 devpts, 4 proc")
    read_only: u32 = at("1: nothing can be changed through any of its mounts")
    init: s32 = at("proc: the first process of its pid namespace; 0: that has ended")
    capacity_bytes: u64 = at("tmpfs: how much it may hold")
    slave_mode: hex32 = at("devpts: permissions of a new slave")
    ptmx_mode: hex32 = at("devpts: type and permissions of ptmx")
    uid: u32 = at("devpts: owner of a new slave; all ones: who makes it")
    gid: u32 = at("devpts: its group; all ones: that of who makes it")
    nr_pieces: u32 = at("how many MOUNT_DATA follow; 0: its files are as at boot")
    pad: u32 = at("zero", default=0, must_be=0)
    size_bytes: u64 = at("how long they are together: a tar of its files, as of a disk")

    def invalid(self) -> str | None:
        if not FS_FIRST <= self.kind <= FS_PROC or self.read_only > 1:
            return "kind is 1 to 4, read_only 0 or 1"
        return None if self.init >= 0 else "init must not be negative"


@record(size=8)
class MountData(Framed):
    """A piece of the tar of a file system's files."""

    TYPE = HDR_MOUNT_DATA

    content: Annotated[bytes, rest_bytes()] = at("the bytes")


@record(size=48)
class Mount(Framed):
    """One mount; what it lies on comes before it, unless it lies on nothing."""

    TYPE = HDR_MOUNT

    number: u32 = at("as /proc/PID/mountinfo shows it")
    above: u32 = at("the mount that it lies on; 0: it is a root, or was detached")
    namespace: u32 = at("1 and up; 0: it was detached, and somebody is in it")
    dev: u32 = at("device number of its file system")
    flags: hex32 = at("MS_*")
    expiring: u32 = at("1: MNT_EXPIRE has marked it")
    order: u32 = at("its place among the mounts of its namespace")
    device_bytes: u32 = at("length of the name of its source")
    root_bytes: u32 = at("length of the path of its root in its file system")
    pad: u32 = at("zero", default=0, must_be=0)
    content: Annotated[bytes, rest_bytes()] = at("both, then the path of its place in the mount")

    def invalid(self) -> str | None:
        if self.device_bytes + self.root_bytes > len(self.content):
            return "the names are longer than the record"
        if self.expiring > 1 or not self.number:
            return "expiring is 0 or 1, number is not 0"
        return "a name has no zero in it" if b"\0" in self.content else None

    @property
    def device(self) -> bytes:
        """The source, as /proc shows it."""
        return self.content[: self.device_bytes]

    @property
    def root(self) -> bytes:
        """The path of its root in its file system."""
        return self.content[self.device_bytes : self.device_bytes + self.root_bytes]

    @property
    def place(self) -> bytes:
        """Where it lies in the mount above."""
        return self.content[self.device_bytes + self.root_bytes :]


@record(size=16)
class NsMounts(Framed):
    """The mount namespace of the tasks with the namespaces before."""

    TYPE = HDR_NS_MOUNTS

    namespace: u32 = at("its number, from 1")
    pad: u32 = at("zero", default=0, must_be=0)


@record(size=16)
class FilePlace(Framed):
    """The name before does not lead to the file: it is hidden, elsewhere, or in no namespace."""

    TYPE = HDR_FILE_PLACE

    mount: u32 = at("the number of the mount that it is seen through")
    pad: u32 = at("zero", default=0, must_be=0)
    path: Annotated[bytes, rest_bytes()] = at("its path below the root of the file system")

    def invalid(self) -> str | None:
        return "a path has no zero in it" if b"\0" in self.path else None


@record(size=32)
class ProcFile(Framed):
    """An open file of /proc whose content was made when it was opened; or a directory."""

    TYPE = HDR_PROC_FILE

    mount: u32 = at("the number of the mount of proc")
    mode: hex32 = at("S_IFREG or S_IFDIR, and permissions")
    uid: u32 = at("owner")
    gid: u32 = at("group")
    path_bytes: u32 = at("length of its path in that file system")
    pad: u32 = at("zero", default=0, must_be=0)
    content: Annotated[bytes, rest_bytes()] = at("the path, then the text")

    def invalid(self) -> str | None:
        if not 0 < self.path_bytes <= len(self.content):
            return "a path that is not there"
        names = self.content[: self.path_bytes].split(b"/")
        return None if all(names) and b"\0" not in b"".join(names) else "that is no path"


@record(size=16)
class TtyInstance(Framed):
    """The devpts of a pty, where it is not the first one."""

    TYPE = HDR_TTY_INSTANCE

    dev: u32 = at("its device number")
    pad: u32 = at("zero", default=0, must_be=0)
