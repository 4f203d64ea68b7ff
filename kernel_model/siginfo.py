"""siginfo_t: a head, and a union whose reading depends on the signal and its code.

    code <= -1          who sent it and a value       (SI_TIMER: timer, overrun count, value)
    code 0 or SI_KERNEL who sent it
    code > 0            the kernel's own reason: a child, a fault's address, a file that is ready

Mirrors: Linux copy_siginfo_to_user.
Deviates: Linux hands on all 128 bytes that a process gave to rt_sigqueueinfo; we keep the fields.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from emu.layout import Record, at, hex32, hex64, record, s32, s64, u32
from kernel_model.signals import (
    SI_KERNEL,
    SI_TIMER,
    SI_USER,
    SIGCHLD,
    SIGIO,
    SYNCHRONOUS,
    SigInfo,
    bit,
)

if TYPE_CHECKING:
    from kernel_model.arch.abi import Abi

SIGINFO_BYTES = 128
_LAST_POLL_CODE = 6


@record(size=12)
class Head32(Record):
    """What every siginfo begins with."""

    signo: s32 = at("the signal")
    errno: s32 = at("an errno, or 0")
    code: s32 = at("SI_*, or a reason of this signal")


@record(size=16)
class Head64(Head32):
    """With the padding that aligns the union."""

    pad: u32 = at("zero", default=0)


@record(size=8)
class Sender(Record):
    """kill, tgkill."""

    pid: s32 = at("process")
    uid: u32 = at("its real user")


@record(size=12)
class Queued32(Sender):
    """rt_sigqueueinfo."""

    value: hex32 = at("sigval")


@record(size=16)
class Queued64(Sender):
    """rt_sigqueueinfo."""

    value: hex64 = at("sigval")


@record(size=12)
class Timer32(Record):
    """A POSIX timer."""

    timer_id: s32 = at("the kernel's number of the timer")
    overrun: s32 = at("expirations that were not told")
    value: hex32 = at("sigval")


@record(size=16)
class Timer64(Record):
    """A POSIX timer."""

    timer_id: s32 = at("the kernel's number of the timer")
    overrun: s32 = at("expirations that were not told")
    value: hex64 = at("sigval")


@record(size=20)
class Child32(Sender):
    """SIGCHLD."""

    status: s32 = at("exit code or signal")
    utime: s32 = at("user time in clock ticks")
    stime: s32 = at("system time in clock ticks")


@record(size=32)
class Child64(Sender):
    """SIGCHLD."""

    status: s32 = at("exit code or signal")
    pad: u32 = at("zero", default=0)
    utime: s64 = at("user time in clock ticks")
    stime: s64 = at("system time in clock ticks")


@record(size=4)
class Fault32(Record):
    """SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP."""

    addr: hex32 = at("address that was refused, or of the instruction")


@record(size=8)
class Fault64(Record):
    """SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP."""

    addr: hex64 = at("address that was refused, or of the instruction")


@record(size=8)
class Poll32(Record):
    """SIGIO."""

    band: s32 = at("POLL* bits")
    fd: s32 = at("file descriptor")


@record(size=12)
class Poll64(Record):
    """SIGIO."""

    band: s64 = at("POLL* bits")
    fd: s32 = at("file descriptor")


_UNIONS: dict[str, tuple[type[Record], type[Record]]] = {
    "sender": (Sender, Sender),
    "queued": (Queued32, Queued64),
    "timer": (Timer32, Timer64),
    "child": (Child32, Child64),
    "fault": (Fault32, Fault64),
    "poll": (Poll32, Poll64),
}
_FIELDS: dict[str, tuple[str, ...]] = {
    "sender": ("pid", "uid"),
    "queued": ("pid", "uid", "value"),
    "timer": ("timer_id", "overrun", "value"),
    "child": ("pid", "uid", "status", "utime", "stime"),
    "fault": ("addr",),
    "poll": ("band", "fd"),
}


def reading(signo: int, code: int) -> str:
    """Which part of the union counts."""
    if code == SI_TIMER:
        return "timer"
    if code < 0:
        return "queued"
    if code in (SI_USER, SI_KERNEL):
        return "sender"
    if signo == SIGCHLD:
        return "child"
    if 0 < signo <= 32 and bit(signo) & SYNCHRONOUS:
        return "fault"
    # F_SETSIG: any signal may tell of a file; its code is one of POLL_IN to POLL_HUP.
    return "poll" if signo == SIGIO or code <= _LAST_POLL_CODE else "sender"


def _signed(value: int, bits: int) -> int:
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value


def _fitted(name: str, value: int, word_bits: int) -> int:
    """A field cut to its width, as a C assignment does."""
    if name in ("value", "addr"):
        return value & (1 << word_bits) - 1
    if name == "uid":
        return value & 0xFFFFFFFF
    return _signed(value, word_bits if name in ("band", "utime", "stime") else 32)


def pack_siginfo(abi: Abi, info: SigInfo) -> bytes:
    """The 128 bytes that user space gets."""
    wide = abi.word_bytes == 8
    head = (Head64 if wide else Head32)(
        signo=info.signo, errno=_signed(info.errno, 32), code=_signed(info.code, 32)
    )
    kind_name = reading(info.signo, info.code)
    kind = _UNIONS[kind_name][wide]
    bits = 8 * abi.word_bytes
    union = kind(**{name: _fitted(name, getattr(info, name), bits) for name in _FIELDS[kind_name]})
    return (head.pack(abi.order) + union.pack(abi.order)).ljust(SIGINFO_BYTES, b"\0")


def unpack_siginfo(abi: Abi, data: bytes) -> SigInfo:
    """The same from 128 bytes of user space (rt_sigqueueinfo)."""
    wide = abi.word_bytes == 8
    head = (Head64 if wide else Head32).unpack_from(data, abi.order)
    kind_name = reading(head.signo, head.code)
    union = _UNIONS[kind_name][wide].unpack_from(data, abi.order, type(head).fixed_bytes())
    fields: dict[str, Any] = {name: getattr(union, name) for name in _FIELDS[kind_name]}
    return SigInfo(head.signo, head.code, head.errno, **fields)
