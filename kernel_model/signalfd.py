"""signalfd: pending signals read as records from a file. Everybody reads his own.

Mirrors:  Linux fs/signalfd.c.
Deviates: after a restart, a watch of an epoll set that several processes share is that of the
          first of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from emu.layout import Record, at, record, s32, u32, u64
from kernel_model import signals
from kernel_model.abi.errno import EAGAIN, EINVAL, ESPIPE
from kernel_model.abi.fcntl import O_NONBLOCK, O_RDWR, POLLIN
from kernel_model.siginfo import reading
from kernel_model.vfs.anon import AnonFs
from kernel_model.vfs.openfile import OpenFile
from kernel_model.waitqueue import Sleep, WaitQueue

if TYPE_CHECKING:
    from kernel_model.task import Task

RECORD_BYTES = 128
_WORD = (1 << 64) - 1
_LOW = 0xFFFFFFFF


@record(size=80)
class SignalfdSiginfo(Record):
    """struct signalfd_siginfo; zeros follow it up to 128 bytes."""

    ssi_signo: u32 = at("the signal")
    ssi_errno: s32 = at("an errno, or 0")
    ssi_code: s32 = at("SI_*, or a reason of this signal")
    ssi_pid: u32 = at("who sent it", default=0)
    ssi_uid: u32 = at("as whom", default=0)
    ssi_fd: s32 = at("SIGIO: descriptor", default=0)
    ssi_tid: u32 = at("a POSIX timer: its number", default=0)
    ssi_band: u32 = at("SIGIO: POLL* bits", default=0)
    ssi_overrun: u32 = at("a POSIX timer: expirations that were not told", default=0)
    ssi_trapno: u32 = at("zero", default=0)
    ssi_status: s32 = at("SIGCHLD: exit code or signal", default=0)
    ssi_int: s32 = at("the value that was sent, as an int", default=0)
    ssi_ptr: u64 = at("and as a pointer", default=0)
    ssi_utime: u64 = at("SIGCHLD: user time", default=0)
    ssi_stime: u64 = at("SIGCHLD: system time", default=0)
    ssi_addr: u64 = at("a fault: its address", default=0)


def _signed(value: int) -> int:
    value &= _LOW
    return value - (1 << 32) if value >> 31 else value


def pack(info: signals.SigInfo, order: str, word_bytes: int) -> bytes:
    """One signal as a reader gets it."""
    kind = reading(info.signo, info.code)
    fields: dict[str, int] = {}
    if kind in ("sender", "queued", "child"):
        fields |= {"ssi_pid": info.pid & _LOW, "ssi_uid": info.uid & _LOW}
    if kind in ("queued", "timer"):
        # The int is the first four bytes of the word that the sender gave.
        first = info.value >> 8 * (word_bytes - 4) if order == ">" else info.value
        fields |= {"ssi_int": _signed(first), "ssi_ptr": info.value & _WORD}
    if kind == "timer":
        fields |= {"ssi_tid": info.timer_id & _LOW, "ssi_overrun": info.overrun & _LOW}
    elif kind == "child":
        fields |= {"ssi_status": _signed(info.status), "ssi_utime": info.utime & _WORD}
    elif kind == "poll":
        fields |= {"ssi_band": info.band & _LOW, "ssi_fd": _signed(info.fd)}
    elif kind == "fault":
        fields |= {"ssi_addr": info.addr & _WORD}
    found = SignalfdSiginfo(
        ssi_signo=info.signo, ssi_errno=info.errno, ssi_code=_signed(info.code), **fields
    )
    return found.pack("<" if order == "<" else ">").ljust(RECORD_BYTES, b"\0")


class SignalFile(OpenFile):
    """An open signalfd."""

    anon_name = b"[signalfd]"
    has_write = False

    @property
    def faults_late(self) -> bool:
        """Who cannot store what he took has lost it."""
        return True

    def __init__(self, fs: AnonFs, mask: int, flags: int) -> None:
        super().__init__(fs.inode, None, O_RDWR | flags & O_NONBLOCK)
        self.mask = mask & ~signals.UNBLOCKABLE

    def read_for(self, task: Task, count: int) -> bytes:
        """As many of the task's pending signals as fit; wait for the first."""
        if count < RECORD_BYTES:
            raise EINVAL(f"a signalfd is read by {RECORD_BYTES} bytes")
        found = b""
        while len(found) + RECORD_BYTES <= count:
            info = signals.dequeue(task, self.mask)
            if info is None:
                break
            found += pack(info, task.abi.order, task.abi.word_bytes)
        if not found:
            if self.nonblocking:
                raise EAGAIN("no such signal is pending")
            raise Sleep(task.sighand.signalfd)
        return found

    def poll(self) -> int:
        """Whose signals? Nobody's."""
        return 0

    def poll_for(self, task: Task) -> int:
        """Readable when one of the signals is pending."""
        pending = task.pending.signals | task.signal.pending.signals
        return POLLIN if pending & self.mask else 0

    def queues_for(self, task: Task) -> tuple[WaitQueue, ...]:
        """Woken with every signal of the process."""
        return (task.sighand.signalfd,)

    def pread(self, offset: int, count: int) -> bytes:
        """Refused: signals have no position."""
        raise ESPIPE("a signalfd has no position")
