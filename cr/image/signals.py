"""Signals: handlers, pending ones, masks, and the limits and timers kept beside them.

Image grammar:

    sighand  =  SIGHAND                                        ; 64 Sigactions in the record
    signal   =  { object tty }  SIGNAL  SIGPENDING shared

Mirrors:  linux-cr checkpoint_hdr.h: ckpt_sigset, ckpt_sigaction, ckpt_hdr_sighand,
          ckpt_siginfo, ckpt_hdr_sigpending, ckpt_rlimit, ckpt_hdr_signal, ckpt_hdr_signal_task.
Deviates: SIGHAND must hold all 64 actions; the C reader would take its length as it comes.
"""

from typing import Annotated

from cr.image.types import (
    HDR_SIGHAND,
    HDR_SIGNAL,
    HDR_SIGNAL_TASK,
    HDR_SIGPENDING,
    HDR_WAIT_MASK,
    NSIG,
    RLIMIT_COUNT,
    Framed,
)
from emu.layout import Record, array, at, hex64, raw, record, rest, s32, u32, u64


@record(size=8)
class Sigset(Record):
    """A set of signals: signal n is bit (n - 1) of a row of bytes, lowest bit first."""

    sigset: Annotated[bytes, raw(8)] = at("the bits; the same bytes on every architecture")

    @classmethod
    def of_mask(cls, mask: int) -> "Sigset":
        """The set whose bit n - 1 is signal n."""
        return cls(sigset=mask.to_bytes(8, "little"))

    @property
    def mask(self) -> int:
        """The set as one number."""
        return int.from_bytes(self.sigset, "little")

    @property
    def numbers(self) -> tuple[int, ...]:
        """The signals in it."""
        return tuple(n for n in range(1, NSIG + 1) if self.mask >> (n - 1) & 1)


@record(size=32)
class Sigaction(Record):
    """What one signal does."""

    sa_handler: hex64 = at("address; 0: default; 1: ignore")
    sa_flags: hex64 = at("SA_*")
    sa_restorer: hex64 = at("where the handler returns to")
    sa_mask: Sigset = at("blocked while it runs")


@record(size=8)
class Sighand(Framed):
    """All 64 handlers."""

    TYPE = HDR_SIGHAND

    action: Annotated[tuple[Sigaction, ...], rest(Sigaction)] = at("of signal 1, 2, ... 64")

    def invalid(self) -> str | None:
        found = len(self.action)
        return None if found == NSIG else f"{NSIG} actions are needed, {found} are here"


@record(size=88)
class Siginfo(Record):
    """One queued signal. Which fields mean something depends on csi_code and csi_signo."""

    csi_signo: u32 = at("the signal")
    csi_errno: s32 = at("si_errno")
    csi_code: s32 = at("si_code: who sent it, or why")
    csi_pid: u32 = at("sender")
    csi_uid: u32 = at("the sender's user")
    csi_fd: s32 = at("SIGPOLL: descriptor")
    csi_tid: u32 = at("timer")
    csi_band: u32 = at("SIGPOLL: events")
    csi_overrun: u32 = at("timer: overruns")
    csi_trapno: u32 = at("fault: trap number")
    csi_status: s32 = at("SIGCHLD: exit code or signal")
    csi_int: s32 = at("the integer sent along")
    csi_ptr: hex64 = at("the pointer sent along")
    csi_utime: u64 = at("SIGCHLD: user time")
    csi_stime: u64 = at("SIGCHLD: system time")
    csi_addr: hex64 = at("fault: address")
    csi_sys_private: s32 = at("timer: private to the kernel")
    pad: u32 = at("zero", default=0, must_be=0)

    def invalid(self) -> str | None:
        if 1 <= self.csi_signo <= NSIG:
            return None
        return f"there is no signal {self.csi_signo}"


@record(size=24)
class Sigpending(Framed):
    """Pending signals of a thread group or of one thread."""

    TYPE = HDR_SIGPENDING

    nr_pending: u32 = at("how many are queued")
    pad: u32 = at("zero", default=0, must_be=0)
    signal: Sigset = at("which signals are pending")
    siginfo: Annotated[tuple[Siginfo, ...], rest(Siginfo)] = at("the queue")

    def invalid(self) -> str | None:
        if self.nr_pending == len(self.siginfo):
            return None
        return f"nr_pending is {self.nr_pending}, but {len(self.siginfo)} are here"


@record(size=16)
class Rlimit(Record):
    """One resource limit; all ones means unlimited."""

    rlim_cur: u64 = at("soft limit")
    rlim_max: u64 = at("hard limit")


@record(size=328)
class Signal(Framed):
    """What a thread group shares besides its handlers. Times are nanoseconds."""

    TYPE = HDR_SIGNAL

    rlim: Annotated[tuple[Rlimit, ...], array(Rlimit, RLIMIT_COUNT)] = at("RLIMIT_*")
    it_real_value: u64 = at("ITIMER_REAL: what is left; 0: not armed")
    it_real_incr: u64 = at("ITIMER_REAL: interval")
    it_virt_value: u64 = at("ITIMER_VIRTUAL: what is left")
    it_virt_incr: u64 = at("ITIMER_VIRTUAL: interval")
    it_prof_value: u64 = at("ITIMER_PROF: what is left")
    it_prof_incr: u64 = at("ITIMER_PROF: interval")
    tty_objref: s32 = at("controlling terminal; 0: keep the inherited one")
    tty_pgrp: s32 = at("its foreground process group")
    tty_old_pgrp: s32 = at("the foreground group when it hung up")
    pad: u32 = at("zero", default=0, must_be=0)

    def invalid(self) -> str | None:
        return None if self.tty_objref >= 0 else "tty_objref must not be negative"


@record(size=16)
class SignalTask(Framed):
    """The signals that this thread blocks."""

    TYPE = HDR_SIGNAL_TASK

    blocked: Sigset = at("the mask")


@record(size=16)
class WaitMask(Framed):
    """What a call blocked while it waited, when it is over and its signal not yet handled (ours).

    linux-cr keeps only the mask that comes back then: such a signal may have to wait.
    """

    TYPE = HDR_WAIT_MASK

    blocked: Sigset = at("the mask of epoll_pwait")
