"""Open files and the tables that number them.

Image grammar:

    file-table  =  FILE_TABLE  { [ OBJREF file ]  FILE_DESC }  files-deferred
    file        =  FILE generic  FILE_NAME  [ unlinked | PROC_FILE ]
                |  FILE pipe     [ PIPE_BUF bytes ]             ; bytes after the first end met
                |  FILE fifo     FILE_NAME  [ unlinked ]  [ PIPE_BUF bytes ]
                |  [ OBJREF sock ]  FILE socket
                |  [ OBJREF tty ]   FILE tty
                |  FILE epoll
                |  FILE eventfd
                |  FILE timerfd | FILE signalfd | FILE inotify | FILE pidfd      ; ours
                |  [ OBJREF ns ]  FILE namespace  FILE_NAME  PROC_FILE  ; ours
    files-deferred  =  { socket-queues | EPOLL_ITEMS { BUFFER EpollItem ... } }

Mirrors:  linux-cr checkpoint_hdr.h: ckpt_hdr_file_table, ckpt_hdr_file_desc, ckpt_hdr_file and
          its variants, ckpt_hdr_eventpoll_items, ckpt_eventpoll_item.
Deviates: the C variants embed the common part under the name `common`; here they extend it.
"""

from cr.image.types import (
    FILE_EPOLL,
    FILE_EVENTFD,
    FILE_FIFO,
    FILE_GENERIC,
    FILE_INOTIFY,
    FILE_NAMESPACE,
    FILE_PIDFD,
    FILE_PIPE,
    FILE_SIGNALFD,
    FILE_SOCKET,
    FILE_TIMERFD,
    FILE_TTY,
    HDR_EPOLL_ITEMS,
    HDR_FILE,
    HDR_FILE_DESC,
    HDR_FILE_TABLE,
    OBJ_IPC_NS,
    OBJ_NET_NS,
    OBJ_UTS_NS,
    Framed,
)
from emu.layout import Record, at, hex32, hex64, record, s32, u32, u64

# An EPOLL_ITEMS record is followed by BUFFERs of at most this many items.
EPOLL_ITEMS_PER_BUFFER = 8096 // 24


@record(size=16)
class FileTable(Framed):
    """A table of file descriptors."""

    TYPE = HDR_FILE_TABLE

    fdt_nfds: s32 = at("how many descriptors are open, and follow")
    pad: u32 = at("zero", default=0, must_be=0)

    def invalid(self) -> str | None:
        return None if self.fdt_nfds >= 0 else "fdt_nfds must not be negative"


@record(size=24)
class FileDesc(Framed):
    """One open descriptor; they come in ascending order."""

    TYPE = HDR_FILE_DESC

    fd_objref: s32 = at("object number of the open file")
    fd_descriptor: s32 = at("the descriptor")
    fd_close_on_exec: u32 = at("0 or 1")
    pad: u32 = at("zero", default=0, must_be=0)

    def invalid(self) -> str | None:
        if self.fd_objref <= 0:
            return "fd_objref must be positive"
        if self.fd_descriptor < 0:
            return "fd_descriptor must not be negative"
        return None if self.fd_close_on_exec <= 1 else "fd_close_on_exec is 0 or 1"


@record(size=48)
class File(Framed):
    """What all open files have; the variants add to it. The variant is told by f_type."""

    TYPE = HDR_FILE

    f_type: u32 = at("FILE_*")
    f_mode: hex32 = at("FMODE_*")
    f_flags: hex32 = at("O_*")
    f_credref: s32 = at("object number of the opener's credentials")
    f_pos: u64 = at("position")
    f_version: u64 = at("stored, never used")
    f_secref: s32 = at("object number of the security label; 0: none")
    pad: u32 = at("zero", default=0, must_be=0)

    def invalid(self) -> str | None:
        if self.f_credref <= 0:
            return "f_credref must be positive"
        return None if self.f_secref >= 0 else "f_secref must not be negative"


@record(size=48)
class FileGeneric(File):
    """A regular file, a directory or a simple device: its name follows."""


@record(size=48)
class FileEpoll(File):
    """An epoll set; its items follow the file table."""


@record(size=56)
class FilePipe(File):
    """One end of a pipe or of a FIFO."""

    pipe_objref: s32 = at("the pipe: equal in all its ends")
    pad_pipe: u32 = at("zero", default=0, must_be=0)

    def invalid(self) -> str | None:
        return super().invalid() or (None if self.pipe_objref > 0 else "pipe_objref is positive")


@record(size=64)
class FileEventfd(File):
    """An eventfd with all its state."""

    count: u64 = at("the counter")
    flags: hex32 = at("EFD_*")
    pad_eventfd: u32 = at("zero", default=0, must_be=0)


@record(size=80)
class FileTimerfd(File):
    """A timerfd with all its state; ours."""

    clock_id: u32 = at("0 realtime, 1 monotonic")
    expired: u32 = at("1: it fired, and was not started again")
    ticks: u64 = at("expirations that nobody has read")
    due_ns: u64 = at("virtual clock at which it expires or expired last; 0: off")
    interval_ns: u64 = at("time between expirations; 0: only once")

    def invalid(self) -> str | None:
        return super().invalid() or (None if self.expired <= 1 else "expired is 0 or 1")


@record(size=56)
class FileSignalfd(File):
    """A signalfd; ours."""

    mask: hex64 = at("the signals that it reads: bit n - 1 for signal n")


@record(size=64)
class FileInotify(File):
    """An inotify instance; its watches and events follow; ours."""

    last_wd: s32 = at("the number that the last watch got")
    nr_watches: u32 = at("how many INOTIFY_WATCH records follow")
    nr_events: u32 = at("how many INOTIFY_EVENT records follow them")
    pad_inotify: u32 = at("zero", default=0, must_be=0)

    def invalid(self) -> str | None:
        if self.last_wd < 0 or self.nr_watches > 8192 or self.nr_events > 16385:
            return "a negative number, more than 8192 watches or more than 16385 events"
        return super().invalid()


@record(size=56)
class FilePidfd(File):
    """A pidfd; ours."""

    number: s32 = at("of the process; 0: it is gone, or with `own` the task")
    own: u32 = at("1: the task that the file was met in")

    def invalid(self) -> str | None:
        if self.number < 0 or self.own > 1 or (self.own and self.number):
            return "a negative number, own is not 0 or 1, or both are given"
        return super().invalid()


@record(size=56)
class FileSocket(File):
    """A socket; the object came before."""

    sock_objref: s32 = at("the socket")
    pad_socket: u32 = at("zero", default=0, must_be=0)

    def invalid(self) -> str | None:
        return super().invalid() or (None if self.sock_objref > 0 else "sock_objref is positive")


@record(size=56)
class FileTty(File):
    """A terminal; the object came before."""

    tty_objref: s32 = at("the terminal")
    pad_tty: u32 = at("zero", default=0, must_be=0)

    def invalid(self) -> str | None:
        return super().invalid() or (None if self.tty_objref > 0 else "tty_objref is positive")


@record(size=56)
class FileNamespace(File):
    """An open file of /proc/PID/ns; the namespace came before."""

    objtype: u32 = at("UTS_NS, IPC_NS or NET_NS")
    ns_objref: s32 = at("its object number; 0: the restarter's")

    def invalid(self) -> str | None:
        if self.objtype not in (OBJ_UTS_NS, OBJ_IPC_NS, OBJ_NET_NS) or self.ns_objref < 0:
            return "no namespace of a kind that can be open"
        return super().invalid()


@record(size=16)
class EpollItems(Framed):
    """The watched descriptors of one epoll set follow in BUFFERs."""

    TYPE = HDR_EPOLL_ITEMS

    epfile_objref: s32 = at("object number of the epoll file")
    num_items: u32 = at("how many items follow")

    def invalid(self) -> str | None:
        return None if self.epfile_objref > 0 else "epfile_objref must be positive"


@record(size=24)
class EpollItem(Record):
    """One watched descriptor."""

    data: hex64 = at("what epoll_wait() gives back")
    fd: u32 = at("the descriptor it was added by")
    file_objref: s32 = at("object number of the watched file")
    events: hex32 = at("EPOLL*")
    pad: u32 = at("zero", default=0, must_be=0)

    def invalid(self) -> str | None:
        return None if self.file_objref > 0 else "file_objref must be positive"


def file_class(f_type: int) -> type[File] | None:
    """The record class of a FILE with this f_type; None when nobody knows it."""
    return {
        FILE_GENERIC: FileGeneric,
        FILE_PIPE: FilePipe,
        FILE_FIFO: FilePipe,
        FILE_SOCKET: FileSocket,
        FILE_TTY: FileTty,
        FILE_EPOLL: FileEpoll,
        FILE_EVENTFD: FileEventfd,
        FILE_TIMERFD: FileTimerfd,
        FILE_SIGNALFD: FileSignalfd,
        FILE_INOTIFY: FileInotify,
        FILE_PIDFD: FilePidfd,
        FILE_NAMESPACE: FileNamespace,
    }.get(f_type)
