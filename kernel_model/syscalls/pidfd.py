"""Processes as open files.

Mirrors: Linux kernel/pid.c (pidfd_open, pidfd_getfd), kernel/signal.c (pidfd_send_signal).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel_model.abi.errno import EBADF, EINVAL, EPERM, ESRCH
from kernel_model.abi.fcntl import O_NONBLOCK
from kernel_model.pidfd import PidFile
from kernel_model.signals import SI_USER, SigInfo, send_queued
from kernel_model.syscalls.declare import Fd, Flags, Int, Ptr, syscall
from kernel_model.syscalls.events import install
from kernel_model.syscalls.signal import check_sender, queued_info, read_siginfo
from kernel_model.vfs.permission import may_look_into

if TYPE_CHECKING:
    from kernel_model.task import Task


def pidfd_of(task: Task, fd: int) -> PidFile:
    """The open pidfd behind a descriptor. Raises EBADF."""
    file = task.files.get(fd)
    if not isinstance(file, PidFile):
        raise EBADF(f"descriptor {fd} is no pidfd")
    return file


@syscall(partial="threads (PIDFD_THREAD) are refused with EINVAL")
def pidfd_open(task: Task, pid: Int, flags: Flags) -> int:
    """A file that means a process, and is readable when it has ended."""
    if flags & ~O_NONBLOCK or pid <= 0:
        raise EINVAL(f"a pidfd of {pid} with flags {flags:#o}")
    target = task.find(pid)
    if target is None:
        raise ESRCH(f"there is no process {pid}")
    if not target.is_leader:
        raise EINVAL(f"{pid} is a thread of another process")
    kernel = task.kernel
    file = PidFile(kernel.vfs.anonfs, kernel.pidfds, target.pid, flags)
    return install(task, file, cloexec=True)


@syscall(partial="a directory of /proc is no pidfd")
def pidfd_send_signal(task: Task, pidfd: Fd, signo: Int, info: Ptr, flags: Flags) -> int:
    """Send a signal to the process that a pidfd means."""
    if flags:
        raise EINVAL(f"pidfd_send_signal flags {flags:#x}")
    target = pidfd_of(task, pidfd).process()
    if info:
        told = read_siginfo(task, info)
        if told.signo != signo:
            raise EINVAL(f"a siginfo of signal {told.signo}")
        told = queued_info(task, task.pid_ns.number_of(target.pid), signo, told)
    else:
        pid = target.pid_ns.number_of(task.tgid)
        told = SigInfo(signo, SI_USER, pid=pid, uid=task.cred.uid)
    check_sender(task, target, signo)
    if signo:
        send_queued(target, told)
    return 0


@syscall()
def pidfd_getfd(task: Task, pidfd: Fd, fd: Fd, flags: Flags) -> int:
    """A descriptor of one's own for an open file of another process."""
    if flags:
        raise EINVAL(f"pidfd_getfd flags {flags:#x}")
    target = pidfd_of(task, pidfd).process()
    if target.exited:
        raise ESRCH("the process has ended")
    if not may_look_into(task, target):
        raise EPERM("no right to attach to this process")
    return install(task, target.files.get_raw(fd).grab(), cloexec=True)
