"""Signals: sending, queueing, blocking, taking.

A signal set is an integer: bit n - 1 stands for signal n. Sending only notes the signal and makes
its taker runnable; everything else happens before the task runs user code again (`delivery`).

Mirrors: Linux kernel/signal.c (2.6.3x).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kernel_model import itimers, posix_timers
from kernel_model.abi.errno import EAGAIN
from kernel_model.user_limits import may_queue
from kernel_model.waitqueue import WaitQueue

if TYPE_CHECKING:
    from kernel_model.clock import Timer
    from kernel_model.posix_timers import PosixTimer
    from kernel_model.task import Task
    from kernel_model.tty.terminal import Tty

NSIG = 64
(SIGHUP, SIGINT, SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGKILL, SIGUSR1) = range(1, 11)
(SIGSEGV, SIGUSR2, SIGPIPE, SIGALRM, SIGTERM, SIGSTKFLT, SIGCHLD, SIGCONT) = range(11, 19)
(SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU, SIGURG, SIGXCPU, SIGXFSZ, SIGVTALRM) = range(19, 27)
(SIGPROF, SIGWINCH, SIGIO, SIGPWR, SIGSYS) = range(27, 32)
SIGRTMIN = 32

SIG_DFL, SIG_IGN = 0, 1
SA_NOCLDSTOP, SA_NOCLDWAIT, SA_SIGINFO = 1, 2, 4
SA_ONSTACK, SA_RESTART, SA_NODEFER, SA_RESETHAND = 0x08000000, 0x10000000, 0x40000000, 0x80000000
SA_RESTORER = 0x04000000

SI_USER, SI_KERNEL, SI_QUEUE, SI_TIMER, SI_TKILL = 0, 0x80, -1, -2, -6


def bit(signo: int) -> int:
    """The set that holds one signal."""
    return 1 << (signo - 1)


def signal_set(*signals: int) -> int:
    """The set that holds these signals."""
    total = 0
    for signo in signals:
        total |= bit(signo)
    return total


ALL = (1 << NSIG) - 1
UNBLOCKABLE = signal_set(SIGKILL, SIGSTOP)
IGNORED_BY_DEFAULT = signal_set(SIGCHLD, SIGURG, SIGWINCH, SIGCONT)
STOPPING = signal_set(SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU)
CORE_DUMPING = signal_set(
    SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGXCPU, SIGXFSZ, SIGSYS
)
SYNCHRONOUS = signal_set(SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE, SIGSYS)
CORE_FLAG = 0x80


@dataclass(frozen=True, slots=True)
class SigInfo:
    """Why a signal was sent. Which fields count depends on `code`, as in siginfo_t."""

    signo: int
    code: int = SI_USER
    errno: int = 0
    pid: int = 0
    uid: int = 0
    value: int = 0  # sigval as a word
    addr: int = 0
    status: int = 0
    utime: int = 0
    stime: int = 0
    band: int = 0
    fd: int = 0
    timer_id: int = 0
    overrun: int = 0
    trapno: int = 0
    cause: str = ""
    """Of a fault: the access (read, write, fetch), or the cause that the CPU named."""


@dataclass(frozen=True, slots=True)
class Action:
    """What a process does with a signal: SIG_DFL, SIG_IGN or a handler's address."""

    handler: int = SIG_DFL
    flags: int = 0
    restorer: int = 0
    mask: int = 0


_DEFAULT = Action()


@dataclass(slots=True)
class Pending:
    """Signals that were sent and not taken: the set, and what is known of each."""

    signals: int = 0
    queue: list[SigInfo] = field(default_factory=list)

    def add(self, info: SigInfo, *, known: bool = True) -> bool:
        """Note a signal; not `known`: only that it came. False: a standard signal was there."""
        if info.signo < SIGRTMIN and self.signals & bit(info.signo):
            return False
        self.signals |= bit(info.signo)
        if known:
            self.queue.append(info)
        return True

    def take(self, signo: int) -> SigInfo:
        """Remove the oldest one of a signal."""
        for position, info in enumerate(self.queue):
            if info.signo == signo:
                del self.queue[position]
                break
        else:
            info = SigInfo(signo)
        if not any(other.signo == signo for other in self.queue):
            self.signals &= ~bit(signo)
        return info

    def discard(self, signals: int) -> None:
        """Forget all signals of a set."""
        self.signals &= ~signals
        self.queue = [info for info in self.queue if not signals & bit(info.signo)]


class Sighand:
    """The handlers of a process; shared by its threads."""

    def __init__(self, actions: list[Action] | None = None) -> None:
        """`actions` are copied; without them every signal has its default one."""
        self.actions = [_DEFAULT] * NSIG if actions is None else list(actions)
        self.signalfd = WaitQueue()
        """Who reads signals from a file."""
        self.users = 1

    def copy(self) -> Sighand:
        """For a child that does not share it."""
        return Sighand(self.actions)

    def grab(self) -> Sighand:
        """One more task shares it."""
        self.users += 1
        return self

    def drop(self) -> None:
        """One task less."""
        self.users -= 1

    def reset_for_exec(self) -> None:
        """Handlers become SIG_DFL; what is ignored stays ignored."""
        for position, action in enumerate(self.actions):
            if action.handler != SIG_IGN:
                self.actions[position] = Action()
            else:
                self.actions[position] = Action(SIG_IGN)


@dataclass(slots=True)
class IntervalTimer:
    """ITIMER_REAL, _VIRTUAL or _PROF of a process. `due` and `interval` are nanoseconds.

    `due` is on the timer's own clock: virtual time, or the time that the process ran; 0 is off.
    """

    due: int = 0
    interval: int = 0
    timer: Timer | None = None


class SignalStruct:
    """What the threads of a process share of signals, limits and timers.

    Mirrors: Linux signal_struct.
    """

    def __init__(self, rlimits: list[tuple[int, int]]) -> None:
        self.rlimits = rlimits
        self.pending = Pending()
        self.itimers = (IntervalTimer(), IntervalTimer(), IntervalTimer())
        self.posix_timers: dict[int, PosixTimer] = {}
        self.cpu_timers = 0
        """How many of them are on executed code."""
        self.threads: list[Task] = []
        self.group_exit_code: int | None = None
        self.child_exited = WaitQueue()
        self.stop_news = 0
        """The signal that stopped the process, until a parent has asked."""
        self.continue_news = False
        self.children_units = 0
        """Executed code of children that were waited for."""
        self.tty: Tty | None = None
        """The controlling terminal."""
        self.tty_old_pgrp = 0
        """Its foreground group when it hung up."""
        self.pgid = 0
        self.sid = 0
        self.run_units = 0
        """Executed code of all threads, dead ones included: user time."""
        self.users = 1

    def count_cpu_timers(self) -> None:
        """A timer has come or gone."""
        self.cpu_timers = sum(timer.on_cpu for timer in self.posix_timers.values())

    def real_timer_fired(self) -> None:
        """The clock calls this when ITIMER_REAL is due."""
        itimers.fire(self.leader, itimers.ITIMER_REAL)

    @property
    def leader(self) -> Task:
        """The thread whose pid is the process's."""
        return self.threads[0]


# ---- sending


def ignored(task: Task, signo: int) -> bool:
    """Whether a signal would be thrown away at once."""
    if task.blocked & bit(signo):
        return False
    handler = task.sighand.actions[signo - 1].handler
    return handler == SIG_IGN or (handler == SIG_DFL and bool(bit(signo) & IGNORED_BY_DEFAULT))


def killing(task: Task) -> int:
    """The set of signals that end the task before anybody could take them (Linux: sig_fatal)."""
    harmless = task.blocked | IGNORED_BY_DEFAULT | STOPPING | CORE_DUMPING
    actions = enumerate(task.sighand.actions, 1)
    return signal_set(
        *(
            signo
            for signo, action in actions
            if action.handler == SIG_DFL and not harmless & bit(signo) and not task.immune(signo)
        )
    )


def send(task: Task, info: SigInfo, *, to_thread: bool = False) -> None:
    """Send a signal to a process, or to one thread of it."""
    signal = task.signal
    if task.exited:
        living = [thread for thread in signal.threads if not thread.exited]
        if to_thread or not living:
            return
        task = living[0]  # the first thread has ended alone: the process has not
    if info.signo == SIGCONT:
        _forget(task, STOPPING)
        stopped = [thread for thread in signal.threads if thread.stopped]
        for thread in stopped:
            thread.unstop()
        if stopped:
            task.continued()
    elif bit(info.signo) & STOPPING:
        _forget(task, bit(SIGCONT))
    if info.signo == SIGKILL:
        for thread in signal.threads:
            thread.unstop()
    if ignored(task, info.signo) or _from_below(task, info):
        return
    pending = task.pending if to_thread else signal.pending
    has_room = _has_room(task, info)
    if (_is_lost(info) and not has_room) or not pending.add(info, known=has_room):
        return
    task.sighand.signalfd.wake_all()
    if to_thread:
        _nudge(task, info.signo)
        return
    for thread in signal.threads:
        if not thread.exited and not thread.blocked & ~thread.waits_for & bit(info.signo):
            _nudge(thread, info.signo)
            break


def send_queued(task: Task, info: SigInfo, *, to_thread: bool = False) -> None:
    """Send a signal whose sender hears if it cannot be queued. Raises EAGAIN."""
    if _is_lost(info) and not ignored(task, info.signo) and not _has_room(task, info):
        raise EAGAIN("RLIMIT_SIGPENDING")
    send(task, info, to_thread=to_thread)


def _is_lost(info: SigInfo) -> bool:
    """Whether it does not even become pending when there is no room for what is known of it."""
    return info.signo >= SIGRTMIN and info.code != SI_USER


def _has_room(task: Task, info: SigInfo) -> bool:
    own_room = info.code == SI_TIMER or (info.signo < SIGRTMIN and info.code >= 0)
    return own_room or may_queue(task)


def own_fault(info: SigInfo) -> bool:
    """Whether the kernel sends it for what the task itself did.

    That cannot be survived by being init: the instruction would only fault again.
    """
    return bool(bit(info.signo) & SYNCHRONOUS) and info.code > 0


def _from_below(task: Task, info: SigInfo) -> bool:
    """Who lives in a namespace (and so has a number there) cannot kill its init."""
    if task.pid_ns.init is not task.signal.leader or not info.pid:
        return False
    if task.blocked & bit(info.signo):
        return False  # a handler may be there by the time it is unblocked
    return task.sighand.actions[info.signo - 1].handler == SIG_DFL


def _nudge(task: Task, signo: int) -> None:
    task.attention = True
    if not task.blocked & bit(signo) or signo == SIGKILL or task.waits_for & bit(signo):
        task.wake()


def _forget(task: Task, signals: int) -> None:
    task.signal.pending.discard(signals)
    for thread in task.signal.threads:
        thread.pending.discard(signals)


def force(task: Task, info: SigInfo) -> None:
    """Send a signal that the task cannot avoid: its own fault."""
    action = task.sighand.actions[info.signo - 1]
    blocked = bool(task.blocked & bit(info.signo))
    if blocked or action.handler == SIG_IGN:
        task.sighand.actions[info.signo - 1] = Action()
        task.blocked &= ~bit(info.signo)
    task.pending.add(info)
    task.attention = True


# ---- taking


def deliverable(task: Task) -> int:
    """The set of signals that would interrupt the task now."""
    return (task.pending.signals | task.signal.pending.signals) & ~task.blocked


def dequeue(task: Task, allowed: int) -> SigInfo | None:
    """Take the next signal of a set: faults first, then by number."""
    for pending in (task.pending, task.signal.pending):
        ready = pending.signals & allowed
        if ready:
            first = ready & SYNCHRONOUS or ready
            info = pending.take((first & -first).bit_length())
            return posix_timers.taken(task, info) if info.code == SI_TIMER else info
    return None


def set_blocked(task: Task, blocked: int) -> None:
    """Replace the mask; what is unblocked by that will be delivered."""
    task.blocked = blocked & ALL & ~UNBLOCKABLE
    if deliverable(task):
        task.attention = True
