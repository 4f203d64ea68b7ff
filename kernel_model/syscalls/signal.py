"""Signal calls.

Mirrors: Linux kernel/signal.c.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from kernel_model.abi.errno import EAGAIN, EINVAL, EPERM, ESRCH
from kernel_model.arch.signal_stack import altstack_flags, set_altstack
from kernel_model.siginfo import SIGINFO_BYTES, unpack_siginfo
from kernel_model.signals import (
    NSIG,
    SI_TKILL,
    SI_USER,
    SIG_DFL,
    SIG_IGN,
    SIGCONT,
    UNBLOCKABLE,
    Action,
    SigInfo,
    bit,
    dequeue,
    ignored,
    killing,
    send,
    send_queued,
    set_blocked,
)
from kernel_model.sigset import (
    SIGSET_BYTES,
    pack_set,
    read_action,
    read_old_action,
    unpack_set,
    write_action,
    write_old_action,
)
from kernel_model.syscalls.declare import Int, Long, Ptr, Size, syscall
from kernel_model.syscalls.dispatch import NoResult
from kernel_model.waitqueue import Restart, Sleep

if TYPE_CHECKING:
    from kernel_model.task import Task

_SIG_BLOCK, _SIG_UNBLOCK, _SIG_SETMASK = 0, 1, 2


def _check_size(size: int) -> None:
    if size != SIGSET_BYTES:
        raise EINVAL(f"a signal set of {size} bytes")


def _set_action(task: Task, signo: int, action: Action | None) -> Action:
    if not 1 <= signo <= NSIG or (action is not None and bit(signo) & UNBLOCKABLE):
        raise EINVAL(f"the action of signal {signo} cannot be set")
    old = task.sighand.actions[signo - 1]
    if action is not None:
        action = Action(action.handler, action.flags, action.restorer, action.mask & ~UNBLOCKABLE)
        task.sighand.actions[signo - 1] = action
        if action.handler in (SIG_IGN, SIG_DFL):
            blocked, task.blocked = task.blocked, 0
            gone = ignored(task, signo)
            task.blocked = blocked
            if gone:
                task.signal.pending.discard(bit(signo))
                for thread in task.signal.threads:
                    thread.pending.discard(bit(signo))
    return old


@syscall()
def rt_sigaction(task: Task, signo: Int, new: Ptr, old: Ptr, size: Size) -> int:
    """Read and change what a signal does."""
    _check_size(size)
    before = _set_action(task, signo, read_action(task, new) if new else None)
    if old:
        write_action(task, old, before)
    return 0


@syscall()
def sigaction(task: Task, signo: Int, new: Ptr, old: Ptr) -> int:
    """The old call, with a mask of one word."""
    before = _set_action(task, signo, read_old_action(task, new) if new else None)
    if old:
        write_old_action(task, old, before)
    return 0


@syscall()
def signal(task: Task, signo: Int, handler: Ptr) -> int:
    """The oldest call: a handler that is reset when it is entered."""
    action = Action(handler, 0x80000000 | 0x40000000)
    return _set_action(task, signo, action).handler


def _change_mask(task: Task, how: int, signals: int) -> None:
    if how == _SIG_BLOCK:
        set_blocked(task, task.blocked | signals)
    elif how == _SIG_UNBLOCK:
        set_blocked(task, task.blocked & ~signals)
    elif how == _SIG_SETMASK:
        set_blocked(task, signals)
    else:
        raise EINVAL(f"sigprocmask: how = {how}")


@syscall()
def rt_sigprocmask(task: Task, how: Int, new: Ptr, old: Ptr, size: Size) -> int:
    """Read and change the blocked signals."""
    _check_size(size)
    before = task.blocked
    if new:
        _change_mask(task, how, unpack_set(task.abi, task.user.read(new, SIGSET_BYTES)))
    if old:
        task.user.write(old, pack_set(task.abi, before))
    return 0


@syscall()
def sigprocmask(task: Task, how: Int, new: Ptr, old: Ptr) -> int:
    """The old call, with a mask of one word."""
    before = task.blocked
    if new:
        signals = task.user.word(new)
        if how == _SIG_SETMASK:
            signals |= task.blocked & ~task.abi.mask
        _change_mask(task, how, signals)
    if old:
        task.user.write_word(old, before)
    return 0


@syscall()
def rt_sigpending(task: Task, signals: Ptr, size: Size) -> int:
    """Signals that are blocked and waiting."""
    if size > SIGSET_BYTES:
        raise EINVAL(f"a signal set of {size} bytes")
    waiting = (task.pending.signals | task.signal.pending.signals) & task.blocked
    task.user.write(signals, pack_set(task.abi, waiting)[:size])
    return 0


@syscall()
def sigpending(task: Task, signals: Ptr) -> int:
    """The old call, with a mask of one word."""
    task.user.write_word(
        signals, (task.pending.signals | task.signal.pending.signals) & task.blocked
    )
    return 0


def _suspend(task: Task, signals: int) -> int:
    if task.saved_blocked is None:
        task.saved_blocked = task.blocked
        set_blocked(task, signals)
    raise Sleep(restart=Restart.ERESTARTNOHAND)


@syscall()
def rt_sigsuspend(task: Task, signals: Ptr, size: Size) -> int:
    """Wait for a signal under another mask."""
    _check_size(size)
    return _suspend(task, unpack_set(task.abi, task.user.read(signals, SIGSET_BYTES)))


@syscall()
def sigsuspend(task: Task, first: Long, second: Long, mask: Size) -> int:
    """The old call; the mask is the third argument on i386."""
    return _suspend(task, mask)


@syscall()
def rt_sigtimedwait(task: Task, signals: Ptr, info: Ptr, timeout: Ptr, size: Size) -> int:
    """Take one of a set of blocked signals; wait for it."""
    from kernel_model.restart_block import Progress
    from kernel_model.syscalls.time import read_timespec

    _check_size(size)
    wanted = unpack_set(task.abi, task.user.read(signals, SIGSET_BYTES)) & ~UNBLOCKABLE
    duration = read_timespec(task, timeout) if timeout else None
    # Who sleeps again after a restart was not woken: what is there was given to another thread.
    found = dequeue(task, wanted & ~killing(task)) if not task.frozen else None
    task.waits_for = 0
    if found is not None:
        if info:
            task.user.write(info, task.abi.pack_siginfo(task, found))
        return found.signo
    now = task.kernel.clock.now_ns()
    deadline = None
    if duration is not None:
        block = task.restart_block
        deadline = block.deadline_ns if block is not None else task.kernel.clock.after(duration)
        assert deadline is not None
        task.restart_block = Progress(deadline_ns=deadline)
        if now >= deadline:
            raise EAGAIN("none of the signals came")
    sleep = Sleep(deadline_ns=deadline, restart=Restart.ERESTARTNOHAND)
    sleep.stoppable = True
    if not task.has_signal():
        task.waits_for = wanted
    raise sleep


@syscall()
def sigaltstack(task: Task, new: Ptr, old: Ptr) -> int:
    """Read and set the alternate signal stack."""
    user, width = task.user, task.abi.word_bytes
    addr, size = task.altstack
    wanted = None
    if new:
        flags = int.from_bytes(user.read(new + width, 4), task.abi.byte_order)
        wanted = (user.word(new), flags, user.word(new + 2 * width))
    flags_before = altstack_flags(task)
    if wanted is not None:
        set_altstack(task, *wanted)
    if old:
        data = addr.to_bytes(width, task.abi.byte_order)
        data += flags_before.to_bytes(4, task.abi.byte_order) + bytes(width - 4)
        data += size.to_bytes(width, task.abi.byte_order)
        user.write(old, data)
    return 0


def _may_signal(task: Task, target: Task, signo: int) -> bool:
    """Whether one may send a signal to the other."""
    mine, theirs = task.cred, target.cred
    return (
        task.cred.cap("CAP_KILL")
        or task.tgid == target.tgid
        or mine.euid in (theirs.suid, theirs.uid)
        or mine.uid in (theirs.suid, theirs.uid)
        or (signo == SIGCONT and task.signal.sid == target.signal.sid)
    )


def check_sender(task: Task, target: Task, signo: int) -> None:
    """Raise unless `signo` is a signal (or 0) that `task` may send to `target`.

    Mirrors: Linux check_kill_permission. It comes last: nobody is found before anything is wrong.
    """
    if not 0 <= signo <= NSIG:
        raise EINVAL(f"there is no signal {signo}")
    if not _may_signal(task, target, signo):
        raise EPERM(f"may not send signal {signo} to {target.pid_ns.number_of(target.pid)}")


@syscall()
def kill(task: Task, pid: Int, signo: Int) -> int:
    """Send a signal to a process, a group, or all."""
    namespace = task.pid_ns
    if pid > 0:
        found = namespace.task(pid)
        targets = [] if found is None else [found.signal.leader]
    elif pid == -1:
        targets = [t for t in namespace.tasks() if t.is_leader and t.tgid != task.tgid]
        targets = [t for t in targets if namespace.number_of(t.pid) > 1]
    else:
        group = namespace.find(-pid) if pid else task.signal.pgid
        targets = [t for t in namespace.tasks() if t.is_leader and t.signal.pgid == group]
    if not targets:
        raise ESRCH(f"there is no process {pid}")
    refused: EPERM | None = None
    sent = pid == -1  # to all whom one may signal, be it nobody
    for target in targets:
        try:
            check_sender(task, target, signo)
        except EPERM as problem:
            refused = problem
            continue
        sent = True
        if signo:
            sender = target.pid_ns.number_of(task.tgid)
            send(target, SigInfo(signo, SI_USER, pid=sender, uid=task.cred.uid))
    if refused is not None and not sent:
        raise refused
    return 0


def _signal_thread(task: Task, tgid: int | None, tid: int, signo: int) -> int:
    if tid <= 0 or (tgid is not None and tgid <= 0):
        raise EINVAL(f"there is no thread {tid}")
    target = _thread(task, tgid, tid)
    check_sender(task, target, signo)
    if signo:
        pid = target.pid_ns.number_of(task.tgid)
        info = SigInfo(signo, SI_TKILL, pid=pid, uid=task.cred.uid)
        send_queued(target, info, to_thread=True)
    return 0


def _thread(task: Task, tgid: int | None, tid: int) -> Task:
    target = task.find(tid)
    if target is None or (tgid is not None and target.tgid != task.pid_ns.find(tgid)):
        raise ESRCH(f"there is no thread {tid}")
    return target


@syscall()
def tgkill(task: Task, tgid: Int, tid: Int, signo: Int) -> int:
    """Send a signal to a thread of a process."""
    return _signal_thread(task, tgid, tid, signo)


@syscall()
def tkill(task: Task, tid: Int, signo: Int) -> int:
    """Send a signal to a thread."""
    return _signal_thread(task, None, tid, signo)


@syscall()
def sigreturn(task: Task) -> int:
    """Leave a signal handler; the registers are all set from the frame."""
    task.abi.sigreturn(task)
    raise NoResult


@syscall()
def rt_sigreturn(task: Task) -> int:
    """Leave a signal handler; the registers are all set from the frame."""
    task.abi.rt_sigreturn(task)
    raise NoResult


def read_siginfo(task: Task, addr: int) -> SigInfo:
    """What the sender tells of its own signal."""
    return unpack_siginfo(task.abi, task.user.read(addr, SIGINFO_BYTES))


def queued_info(task: Task, tid: int, signo: int, info: SigInfo) -> SigInfo:
    """A siginfo as it is queued for `tid`. Raises EPERM if it lies about who sends."""
    if info.code >= 0 or info.code == SI_TKILL:
        if tid != task.pid_ns.number_of(task.pid):
            raise EPERM(f"si_code {info.code} is the kernel's own")
    return replace(info, signo=signo)


@syscall()
def rt_sigqueueinfo(task: Task, pid: Int, signo: Int, info: Ptr) -> int:
    """Send a signal with a value to a process."""
    queued = queued_info(task, pid, signo, read_siginfo(task, info))
    target = task.find(pid)
    if target is None:
        raise ESRCH(f"there is no process {pid}")
    check_sender(task, target, signo)
    if signo:
        send_queued(target.signal.leader, queued)
    return 0


@syscall()
def rt_tgsigqueueinfo(task: Task, tgid: Int, tid: Int, signo: Int, info: Ptr) -> int:
    """Send a signal with a value to a thread."""
    told = read_siginfo(task, info)  # before anything else
    if tgid <= 0 or tid <= 0:
        raise EINVAL(f"there is no thread {tid}")
    queued = queued_info(task, tid, signo, told)
    target = _thread(task, tgid, tid)
    check_sender(task, target, signo)
    if signo:
        send_queued(target, queued, to_thread=True)
    return 0
