"""What differs between ABIs in the file system calls, as data: struct layouts and O_* bits.

A task's ABI has one of the four values below; handlers ask `task.abi.structs` and never for the
name of an arch.
"""

from __future__ import annotations

from dataclasses import dataclass

from emu.layout import Record
from kernel_model.abi import fcntl, ipc, stat, termios, time
from kernel_model.abi.flock import Flock32, Flock64X8632, FlockStruct, FlockWide
from kernel_model.abi.socket import POWERPC_OPTIONS, X86_OPTIONS, SocketOptionNumbers


@dataclass(frozen=True)
class OpenFlagBits:
    """The four O_* bits that are not the same everywhere."""

    direct: int
    largefile: int
    directory: int
    nofollow: int
    largefile_implied: bool
    """64-bit ABIs open every file as if O_LARGEFILE were given."""

    def _pairs(self) -> tuple[tuple[int, int], ...]:
        return (
            (self.direct, fcntl.O_DIRECT),
            (self.largefile, fcntl.O_LARGEFILE),
            (self.directory, fcntl.O_DIRECTORY),
            (self.nofollow, fcntl.O_NOFOLLOW),
        )

    def to_kernel(self, flags: int) -> int:
        """Flags of this ABI, as the inside of the kernel knows them."""
        inner = flags & ~(self.direct | self.largefile | self.directory | self.nofollow)
        for theirs, ours in self._pairs():
            if flags & theirs:
                inner |= ours
        return inner | fcntl.O_LARGEFILE if self.largefile_implied else inner

    def to_user(self, flags: int) -> int:
        """Flags of the inside of the kernel, as this ABI knows them (F_GETFL)."""
        outer = flags
        for _, ours in self._pairs():
            outer &= ~ours
        for theirs, ours in self._pairs():
            if flags & ours:
                outer |= theirs
        return outer


@dataclass(frozen=True)
class IoctlNumbers:
    """The ioctl requests that every file answers."""

    fioclex: int
    fionclex: int
    fionbio: int
    fioasync: int
    fionread: int
    tiocoutq: int
    figetbsz: int


@dataclass(frozen=True)
class Structs:
    """The struct layouts of one ABI, and its open flags."""

    stat: type[Record]
    stat64: type[Record]
    statfs: type[Record]
    statfs64: type[Record]
    timespec: type[time.Timespec32] | type[time.Timespec64]
    timeval: type[time.Timeval32] | type[time.Timeval64]
    utimbuf: type[time.Utimbuf32] | type[time.Utimbuf64]
    flock: FlockStruct
    flock64: FlockStruct | None
    """None where struct flock is wide already, and the 64-bit commands do not exist."""
    ipc: ipc.IpcStructs
    open_flags: OpenFlagBits
    ioctl: IoctlNumbers
    socket: SocketOptionNumbers
    terminal: termios.TerminalAbi
    short_ids: bool
    """Whether plain stat, chown and so on use 16-bit user ids."""
    packed_select: bool
    """Whether select takes its five arguments from memory, and _newselect is the plain call."""
    packed_epoll: bool
    """Whether struct epoll_event has no padding."""
    short_ino: bool
    """Whether stat64 also has a 32-bit field for the inode number."""
    stat_limit: int
    """The largest st_size and st_blocks that plain stat can tell."""


_X86 = OpenFlagBits(0o40000, 0o100000, 0o200000, 0o400000, largefile_implied=False)
_X86_64 = OpenFlagBits(0o40000, 0o100000, 0o200000, 0o400000, largefile_implied=True)
_PPC = OpenFlagBits(0o400000, 0o200000, 0o40000, 0o100000, largefile_implied=False)
_PPC64 = OpenFlagBits(0o400000, 0o200000, 0o40000, 0o100000, largefile_implied=True)
_X86_IOCTL = IoctlNumbers(0x5451, 0x5450, 0x5421, 0x5452, 0x541B, 0x5411, 2)
_PPC_IOCTL = IoctlNumbers(
    0x20006601, 0x20006602, 0x8004667E, 0x8004667D, 0x4004667F, 0x40047473, 0x20000002
)
_MAX32 = (1 << 31) - 1
_MAX64 = (1 << 63) - 1

X86_32 = Structs(
    stat=stat.StatX8632,
    stat64=stat.Stat64X8632,
    statfs=stat.Statfs32,
    statfs64=stat.Statfs64X8632,
    timespec=time.Timespec32,
    timeval=time.Timeval32,
    utimbuf=time.Utimbuf32,
    flock=Flock32,
    flock64=Flock64X8632,
    ipc=ipc.X86_32,
    open_flags=_X86,
    ioctl=_X86_IOCTL,
    socket=X86_OPTIONS,
    terminal=termios.X86,
    short_ids=True,
    packed_epoll=True,
    packed_select=True,
    short_ino=True,
    stat_limit=_MAX32,
)
X86_64 = Structs(
    stat=stat.StatX8664,
    stat64=stat.StatX8664,
    statfs=stat.Statfs64Bit,
    statfs64=stat.Statfs64Bit,
    timespec=time.Timespec64,
    timeval=time.Timeval64,
    utimbuf=time.Utimbuf64,
    flock=FlockWide,
    flock64=None,
    ipc=ipc.X86_64,
    open_flags=_X86_64,
    ioctl=_X86_IOCTL,
    socket=X86_OPTIONS,
    terminal=termios.X86,
    short_ids=False,
    packed_epoll=True,
    packed_select=False,
    short_ino=False,
    stat_limit=_MAX64,
)
PPC32 = Structs(
    stat=stat.StatPpc32,
    stat64=stat.Stat64Ppc32,
    statfs=stat.Statfs32,
    statfs64=stat.Statfs64Ppc32,
    timespec=time.Timespec32,
    timeval=time.Timeval32,
    utimbuf=time.Utimbuf32,
    flock=Flock32,
    flock64=FlockWide,
    ipc=ipc.PPC32,
    open_flags=_PPC,
    ioctl=_PPC_IOCTL,
    socket=POWERPC_OPTIONS,
    terminal=termios.PPC,
    short_ids=False,
    packed_epoll=False,
    packed_select=False,
    short_ino=False,
    stat_limit=_MAX32,
)
PPC64 = Structs(
    stat=stat.StatPpc64,
    stat64=stat.StatPpc64,
    statfs=stat.Statfs64Bit,
    statfs64=stat.Statfs64Bit,
    timespec=time.Timespec64,
    timeval=time.Timeval64,
    utimbuf=time.Utimbuf64,
    flock=FlockWide,
    flock64=None,
    ipc=ipc.PPC64,
    open_flags=_PPC64,
    ioctl=_PPC_IOCTL,
    socket=POWERPC_OPTIONS,
    terminal=termios.PPC,
    short_ids=False,
    packed_epoll=False,
    packed_select=False,
    short_ino=False,
    stat_limit=_MAX64,
)
