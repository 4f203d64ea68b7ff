"""Numbers of open(2), fcntl(2), the *at() calls and lseek(2): what the kernel uses inside.

The values are those of asm-generic. Four O_* bits differ on PowerPC and on x86; `OpenFlagBits` in
structs.py says which bits an ABI uses, and the system calls translate at their edge, both ways.

Mirrors: Linux include/asm-generic/fcntl.h and include/linux/fcntl.h.
"""

from __future__ import annotations

O_ACCMODE = 0o3
O_RDONLY = 0o0
O_WRONLY = 0o1
O_RDWR = 0o2
O_CREAT = 0o100
O_EXCL = 0o200
O_NOCTTY = 0o400
O_TRUNC = 0o1000
O_APPEND = 0o2000
O_NONBLOCK = 0o4000
O_DSYNC = 0o10000
FASYNC = 0o20000
O_DIRECT = 0o40000
O_LARGEFILE = 0o100000
MAX_NON_LFS = (1 << 31) - 1
"""The end of what a file can have that was opened without O_LARGEFILE."""
O_DIRECTORY = 0o200000
O_NOFOLLOW = 0o400000
O_NOATIME = 0o1000000
O_CLOEXEC = 0o2000000
O_SYNC = 0o4000000 | O_DSYNC
O_PATH = 0o10000000

NOT_STATUS = O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC
"""What open(2) uses up: F_GETFL never shows these."""
SETTABLE = O_APPEND | O_NONBLOCK | O_NOATIME | FASYNC | O_DIRECT
"""What F_SETFL may change."""

AT_FDCWD = -100
AT_SYMLINK_NOFOLLOW = 0x100
AT_REMOVEDIR = 0x200
AT_EACCESS = 0x200
AT_SYMLINK_FOLLOW = 0x400
AT_NO_AUTOMOUNT = 0x800
AT_EMPTY_PATH = 0x1000

F_DUPFD = 0
F_GETFD = 1
F_SETFD = 2
F_GETFL = 3
F_SETFL = 4
F_GETLK = 5
F_SETLK = 6
F_SETLKW = 7
F_SETOWN = 8
F_GETOWN = 9
F_SETSIG = 10
F_GETSIG = 11
F_GETLK64 = 12
F_SETLK64 = 13
F_SETLKW64 = 14
F_SETOWN_EX = 15
F_GETOWN_EX = 16
F_SETLEASE = 1024
F_GETLEASE = 1025
F_NOTIFY = 1026
F_DUPFD_CLOEXEC = 1030
F_SETPIPE_SZ = 1031
F_GETPIPE_SZ = 1032
F_ADD_SEALS = 1033
F_GET_SEALS = 1034

FD_CLOEXEC = 1

SEEK_SET = 0
SEEK_CUR = 1
SEEK_END = 2
SEEK_DATA = 3
SEEK_HOLE = 4

MAY_EXEC = 1
MAY_WRITE = 2
MAY_READ = 4

NAME_MAX = 255
PATH_MAX = 4096
LINK_MAX = 65000
SYMLINK_LIMIT = 40

UTIME_NOW = (1 << 30) - 1
UTIME_OMIT = (1 << 30) - 2

POLLIN = 0x001
POLLPRI = 0x002
POLLOUT = 0x004
POLLERR = 0x008
POLLHUP = 0x010
POLLNVAL = 0x020
POLLRDNORM = 0x040
POLLRDBAND = 0x080
POLLWRNORM = 0x100
POLLWRBAND = 0x200
POLLRDHUP = 0x2000

SIGPIPE = 13
SIGXFSZ = 25


def makedev(major: int, minor: int) -> int:
    """A device number as stat(2) shows it."""
    return (minor & 0xFF) | (major << 8) | ((minor & ~0xFF) << 12)


def device_of(rdev: int) -> tuple[int, int]:
    """(major, minor) of a device number."""
    return (rdev >> 8) & 0xFFF, (rdev & 0xFF) | ((rdev >> 12) & 0xFFF00)
