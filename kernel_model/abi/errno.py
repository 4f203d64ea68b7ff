"""Errors that Linux gives to a guest: one class for each errno.

`raise ENOENT("no such name: /bin/nope")` leaves a handler; the dispatcher turns it into the
number that the guest sees, in the convention of its ABI, and the sentence goes to the trace.
The numbers are those of asm-generic, which all our ABIs share.

Mirrors: Linux include/asm-generic/errno.h and errno-base.h.
"""

from __future__ import annotations


class LinuxError(Exception):
    """The guest asked for what Linux refuses; `errno` is the number it is told."""

    errno: int = 0

    def __init__(self, sentence: str = "") -> None:
        super().__init__(sentence)

    @property
    def name(self) -> str:
        """The symbolic name, such as ENOENT."""
        for cls in type(self).__mro__:
            if cls.__dict__.get("errno"):
                return cls.__name__
        return type(self).__name__


class EPERM(LinuxError):
    """Operation not permitted."""

    errno = 1


class ENOENT(LinuxError):
    """No such file or directory."""

    errno = 2


class ESRCH(LinuxError):
    """No such process."""

    errno = 3


class EINTR(LinuxError):
    """Interrupted system call."""

    errno = 4


class EIO(LinuxError):
    """Input/output error."""

    errno = 5


class ENXIO(LinuxError):
    """No such device or address."""

    errno = 6


class E2BIG(LinuxError):
    """Argument list too long."""

    errno = 7


class ENOEXEC(LinuxError):
    """Exec format error."""

    errno = 8


class EBADF(LinuxError):
    """Bad file descriptor."""

    errno = 9


class ECHILD(LinuxError):
    """No child processes."""

    errno = 10


class EAGAIN(LinuxError):
    """Resource temporarily unavailable."""

    errno = 11


class ENOMEM(LinuxError):
    """Cannot allocate memory."""

    errno = 12


class EACCES(LinuxError):
    """Permission denied."""

    errno = 13


class EFAULT(LinuxError):
    """Bad address."""

    errno = 14


class ENOTBLK(LinuxError):
    """Block device required."""

    errno = 15


class EBUSY(LinuxError):
    """Device or resource busy."""

    errno = 16


class EEXIST(LinuxError):
    """File exists."""

    errno = 17


class EXDEV(LinuxError):
    """Invalid cross-device link."""

    errno = 18


class ENODEV(LinuxError):
    """No such device."""

    errno = 19


class ENOTDIR(LinuxError):
    """Not a directory."""

    errno = 20


class EISDIR(LinuxError):
    """Is a directory."""

    errno = 21


class EINVAL(LinuxError):
    """Invalid argument."""

    errno = 22


class ENFILE(LinuxError):
    """Too many open files in system."""

    errno = 23


class EMFILE(LinuxError):
    """Too many open files."""

    errno = 24


class ENOTTY(LinuxError):
    """Inappropriate ioctl for device."""

    errno = 25


class ETXTBSY(LinuxError):
    """Text file busy."""

    errno = 26


class EFBIG(LinuxError):
    """File too large."""

    errno = 27


class ENOSPC(LinuxError):
    """No space left on device."""

    errno = 28


class ESPIPE(LinuxError):
    """Illegal seek."""

    errno = 29


class EROFS(LinuxError):
    """Read-only file system."""

    errno = 30


class EMLINK(LinuxError):
    """Too many links."""

    errno = 31


class EPIPE(LinuxError):
    """Broken pipe."""

    errno = 32


class EDOM(LinuxError):
    """Numerical argument out of domain."""

    errno = 33


class ERANGE(LinuxError):
    """Numerical result out of range."""

    errno = 34


class EDEADLK(LinuxError):
    """Resource deadlock avoided."""

    errno = 35


class ENAMETOOLONG(LinuxError):
    """File name too long."""

    errno = 36


class ENOLCK(LinuxError):
    """No locks available."""

    errno = 37


class ENOSYS(LinuxError):
    """Function not implemented."""

    errno = 38


class ENOTEMPTY(LinuxError):
    """Directory not empty."""

    errno = 39


class ELOOP(LinuxError):
    """Too many levels of symbolic links."""

    errno = 40


class ENOMSG(LinuxError):
    """No message of desired type."""

    errno = 42


class EIDRM(LinuxError):
    """Identifier removed."""

    errno = 43


class ENODATA(LinuxError):
    """No data available."""

    errno = 61


class ETIME(LinuxError):
    """Timer expired."""

    errno = 62


class ENOLINK(LinuxError):
    """Link has been severed."""

    errno = 67


class EPROTO(LinuxError):
    """Protocol error."""

    errno = 71


class EBADMSG(LinuxError):
    """Bad message."""

    errno = 74


class EOVERFLOW(LinuxError):
    """Value too large for defined data type."""

    errno = 75


class EBADFD(LinuxError):
    """File descriptor in bad state."""

    errno = 77


class ERESTART(LinuxError):
    """Interrupted system call should be restarted."""

    errno = 85


class ESTRPIPE(LinuxError):
    """Streams pipe error."""

    errno = 86


class ELIBBAD(LinuxError):
    """Accessing a corrupted shared library."""

    errno = 80


class EUSERS(LinuxError):
    """Too many users."""

    errno = 87


class ENOTSOCK(LinuxError):
    """Socket operation on non-socket."""

    errno = 88


class EDESTADDRREQ(LinuxError):
    """Destination address required."""

    errno = 89


class EMSGSIZE(LinuxError):
    """Message too long."""

    errno = 90


class EPROTOTYPE(LinuxError):
    """Protocol wrong type for socket."""

    errno = 91


class ENOPROTOOPT(LinuxError):
    """Protocol not available."""

    errno = 92


class EPROTONOSUPPORT(LinuxError):
    """Protocol not supported."""

    errno = 93


class ESOCKTNOSUPPORT(LinuxError):
    """Socket type not supported."""

    errno = 94


class EOPNOTSUPP(LinuxError):
    """Operation not supported."""

    errno = 95


class EPFNOSUPPORT(LinuxError):
    """Protocol family not supported."""

    errno = 96


class EAFNOSUPPORT(LinuxError):
    """Address family not supported by protocol."""

    errno = 97


class EADDRINUSE(LinuxError):
    """Address already in use."""

    errno = 98


class EADDRNOTAVAIL(LinuxError):
    """Cannot assign requested address."""

    errno = 99


class ENETDOWN(LinuxError):
    """Network is down."""

    errno = 100


class ENETUNREACH(LinuxError):
    """Network is unreachable."""

    errno = 101


class ENETRESET(LinuxError):
    """Network dropped connection on reset."""

    errno = 102


class ECONNABORTED(LinuxError):
    """Software caused connection abort."""

    errno = 103


class ECONNRESET(LinuxError):
    """Connection reset by peer."""

    errno = 104


class ENOBUFS(LinuxError):
    """No buffer space available."""

    errno = 105


class EISCONN(LinuxError):
    """Transport endpoint is already connected."""

    errno = 106


class ENOTCONN(LinuxError):
    """Transport endpoint is not connected."""

    errno = 107


class ESHUTDOWN(LinuxError):
    """Cannot send after transport endpoint shutdown."""

    errno = 108


class ETOOMANYREFS(LinuxError):
    """Too many references: cannot splice."""

    errno = 109


class ETIMEDOUT(LinuxError):
    """Connection timed out."""

    errno = 110


class ECONNREFUSED(LinuxError):
    """Connection refused."""

    errno = 111


class EHOSTDOWN(LinuxError):
    """Host is down."""

    errno = 112


class EHOSTUNREACH(LinuxError):
    """No route to host."""

    errno = 113


class EALREADY(LinuxError):
    """Operation already in progress."""

    errno = 114


class EINPROGRESS(LinuxError):
    """Operation now in progress."""

    errno = 115


class ESTALE(LinuxError):
    """Stale file handle."""

    errno = 116


class EDQUOT(LinuxError):
    """Disk quota exceeded."""

    errno = 122


class ECANCELED(LinuxError):
    """Operation canceled."""

    errno = 125


class EOWNERDEAD(LinuxError):
    """Owner died."""

    errno = 130


class ENOTRECOVERABLE(LinuxError):
    """State not recoverable."""

    errno = 131


class ENOTSUPP(LinuxError):
    """Operation not supported: a kernel-internal number that linux-cr lets out."""

    errno = 524


class NotModelled(ENOSYS):
    """Linux could, this model cannot: counted, and fails tests that do not expect it."""


def by_number() -> dict[int, type[LinuxError]]:
    """All errors by number (used by restart, which meets errnos in images)."""
    return {cls.errno: cls for cls in LinuxError.__subclasses__() if cls.errno}
