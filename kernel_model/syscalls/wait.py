"""Waiting for children.

Mirrors: Linux kernel/exit.c (do_wait, wait_consider_task).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kernel_model.abi.errno import ECHILD, EINVAL
from kernel_model.clock import UNITS_PER_NS
from kernel_model.cpu_clocks import process_units
from kernel_model.exit import CLD_CONTINUED, CLD_STOPPED, child_info, reap
from kernel_model.siginfo import pack_siginfo
from kernel_model.signals import SIGCHLD, SIGCONT, SigInfo
from kernel_model.syscalls.declare import Flags, Int, Ptr, syscall
from kernel_model.syscalls.pidfd import pidfd_of
from kernel_model.waitqueue import Sleep

if TYPE_CHECKING:
    from kernel_model.task import Task

WNOHANG, WUNTRACED, WSTOPPED, WEXITED, WCONTINUED = 1, 2, 2, 4, 8
WNOWAIT, _WNOTHREAD, _WALL, _WCLONE = 0x1000000, 0x20000000, 0x40000000, 0x80000000
_P_ALL, _P_PID, _P_PGID, _P_PIDFD = 0, 1, 2, 3
_KNOWN_WAIT4 = WNOHANG | WUNTRACED | WCONTINUED | _WNOTHREAD | _WALL | _WCLONE
_KNOWN_WAITID = WNOHANG | WSTOPPED | WEXITED | WCONTINUED | WNOWAIT | _WNOTHREAD | _WALL | _WCLONE


@dataclass(frozen=True)
class Found:
    """A child with news: its status as wait4 tells it, and what waitid tells."""

    child: Task
    status: int
    info: SigInfo
    run_units: int
    pid: int
    """As the waiter calls it."""


def _matches(child: Task, kind: int, number: int, options: int) -> bool:
    if kind == _P_PID and child.tgid != number:
        return False
    if kind == _P_PGID and child.signal.pgid != number:
        return False
    if not options & WEXITED and all(thread.exited for thread in child.signal.threads):
        return False  # it has nothing to tell any more but its end
    is_clone = child.exit_signal != SIGCHLD
    return bool(options & _WALL) or is_clone == bool(options & _WCLONE)


def _news(task: Task, child: Task, options: int) -> Found | None:
    """What there is to tell of a child, taken away unless WNOWAIT."""
    keep = bool(options & WNOWAIT)
    signal = child.signal
    uid, pid = child.cred.uid, task.pid_ns.number_of(child.tgid)
    if child.exited:
        if not options & WEXITED or not all(thread.exited for thread in signal.threads):
            return None
        found = Found(
            child, child.exit_code, child_info(child, SIGCHLD, task), signal.run_units, pid
        )
        if not keep:
            reap(child)
        return found
    if options & WSTOPPED and signal.stop_news:
        info = SigInfo(SIGCHLD, CLD_STOPPED, pid=pid, uid=uid, status=signal.stop_news)
        found = Found(child, signal.stop_news << 8 | 0x7F, info, signal.run_units, pid)
        if not keep:
            signal.stop_news = 0
        return found
    if options & WCONTINUED and signal.continue_news:
        info = SigInfo(SIGCHLD, CLD_CONTINUED, pid=pid, uid=uid, status=SIGCONT)
        if not keep:
            signal.continue_news = False
        return Found(child, 0xFFFF, info, signal.run_units, pid)
    return None


def _wait(task: Task, kind: int, number: int, options: int) -> Found | None:
    """The first child with news; None with WNOHANG when there is none yet."""
    number = task.pid_ns.find(number)
    children = [c for c in task.signal.leader.children if _matches(c, kind, number, options)]
    if not children:
        raise ECHILD("no such child")
    for child in children:
        found = _news(task, child, options)
        if found is not None:
            return found
    if options & WNOHANG:
        return None
    raise Sleep(task.signal.child_exited)


def pack_rusage(task: Task, run_units: int) -> bytes:
    """struct rusage: user time; the model has no other figures."""
    micros = run_units // UNITS_PER_NS // 1000
    letter = "q" if task.abi.word_bytes == 8 else "i"
    words = [micros // 1_000_000, micros % 1_000_000, *[0] * 16]
    return struct.pack(f"{task.abi.order}18{letter}", *words)


@syscall()
def wait4(task: Task, pid: Int, status: Ptr, options: Flags, usage: Ptr) -> int:
    """Wait for a child to end, stop or continue."""
    if options & ~_KNOWN_WAIT4:
        raise EINVAL(f"wait options {options:#x}")
    kind, number = _P_PID, pid
    if pid == -1:
        kind = _P_ALL
    elif pid <= 0:
        kind = _P_PGID
        number = -pid or task.pid_ns.number_of(task.signal.pgid)
    found = _wait(task, kind, number, options | WEXITED)
    if found is None:
        return 0
    if status:
        task.user.write_int(status, found.status)
    if usage:
        task.user.write(usage, pack_rusage(task, found.run_units))
    return found.pid


@syscall()
def waitpid(task: Task, pid: Int, status: Ptr, options: Flags) -> int:
    """wait4 without rusage."""
    return wait4.handler(task, pid, status, options, 0)


@syscall()
def waitid(task: Task, kind: Int, number: Int, info: Ptr, options: Flags, usage: Ptr) -> int:
    """Wait for a child; tell it as a siginfo."""
    if options & ~_KNOWN_WAITID or not options & (WEXITED | WSTOPPED | WCONTINUED):
        raise EINVAL(f"waitid options {options:#x}")
    if kind == _P_PIDFD:
        kind, number = _P_PID, task.pid_ns.number_of(pidfd_of(task, number).number) or -1
        if number < 0:
            raise ECHILD("the process of this pidfd is gone")
    if kind not in (_P_ALL, _P_PID, _P_PGID) or (kind != _P_ALL and number <= 0):
        raise EINVAL(f"waitid kind {kind}, number {number}")
    found = _wait(task, kind, number, options)
    if info:
        data = bytes(128) if found is None else pack_siginfo(task.abi, found.info)
        task.user.write(info, data)
    if usage and found is not None:
        task.user.write(usage, pack_rusage(task, found.run_units))
    return 0


@syscall()
def getrusage(task: Task, who: Int, usage: Ptr) -> int:
    """Times of the process (0), its ended children (-1) or the thread (1)."""
    if who == 0:
        units = process_units(task)
    elif who == -1:
        units = task.signal.children_units
    elif who == 1:
        units = task.run_units
    else:
        raise EINVAL(f"rusage of {who}")
    task.user.write(usage, pack_rusage(task, units))
    return 0


@syscall()
def times(task: Task, buffer: Ptr) -> int:
    """Process times in ticks of a hundredth of a second."""
    tick_units = UNITS_PER_NS * 10_000_000
    own = process_units(task)
    if buffer:
        letter = "q" if task.abi.word_bytes == 8 else "i"
        values = (own // tick_units, 0, task.signal.children_units // tick_units, 0)
        task.user.write(buffer, struct.pack(f"{task.abi.order}4{letter}", *values))
    return task.kernel.clock.now_ns() // 10_000_000
