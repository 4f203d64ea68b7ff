"""The first program of a kernel.

Mirrors: Linux init/main.c (run_init_process), whose console is a terminal only if that is wanted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel_model.creds import root_cred
from kernel_model.exec import execute, read_program
from kernel_model.signals import SignalStruct
from kernel_model.task import (
    RLIM_INFINITY,
    RLIM_NLIMITS,
    RLIMIT_CORE,
    RLIMIT_MEMLOCK,
    RLIMIT_MSGQUEUE,
    RLIMIT_NICE,
    RLIMIT_NOFILE,
    RLIMIT_NPROC,
    RLIMIT_RTPRIO,
    RLIMIT_SIGPENDING,
    RLIMIT_STACK,
    Task,
)
from kernel_model.vfs.fdtable import FdTable

if TYPE_CHECKING:
    from kernel_model.kernel import Kernel

_DEFAULT_LIMITS = {
    RLIMIT_STACK: (8 << 20, RLIM_INFINITY),
    RLIMIT_CORE: (0, RLIM_INFINITY),
    RLIMIT_NPROC: (4096, 4096),
    RLIMIT_NOFILE: (1024, 4096),
    RLIMIT_MEMLOCK: (65536, 65536),
    RLIMIT_SIGPENDING: (4096, 4096),
    RLIMIT_MSGQUEUE: (819200, 819200),
    RLIMIT_NICE: (0, 0),
    RLIMIT_RTPRIO: (0, 0),
}


def new_signal_struct() -> SignalStruct:
    """With the limits that init has."""
    unlimited = (RLIM_INFINITY, RLIM_INFINITY)
    return SignalStruct([_DEFAULT_LIMITS.get(k, unlimited) for k in range(RLIM_NLIMITS)])


def bare_task(kernel: Kernel, pid: int) -> Task:
    """A task with credentials, limits and directories, but nothing to run."""
    task = Task(kernel, pid, kernel.abis[0])
    task.cred = root_cred()
    task.nsproxy = kernel.nsproxy
    task.signal = new_signal_struct()
    task.signal.threads.append(task)
    task.signal.pgid = task.signal.sid = pid
    task.files = FdTable()
    task.fs = kernel.vfs.first_fs()
    return task


def spawn(
    kernel: Kernel, path: bytes, argv: list[bytes], envp: list[bytes], *, terminal: bool = False
) -> Task:
    """Start the first program. Raises LinuxError with the kernel unchanged.

    With `terminal` the console is one, and controls the program's session.
    """
    task = bare_task(kernel, kernel.pid_ns.next_number)
    program = read_program(task, path, argv)
    execute(task, program, envp)
    if terminal:
        kernel.console.new_terminal(kernel)
    kernel.vfs.open_console(task)
    kernel.pid_ns.choose()
    kernel.tasks[task.pid] = task
    kernel.sched.enqueue(task)
    kernel.console.begin()
    return task
