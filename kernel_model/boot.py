"""The first process of a kernel, and its program.

Mirrors: Linux init/main.c (run_init_process), whose console is a terminal only if that is wanted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel_model import init as first_process
from kernel_model.abi.limits import (
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
)
from kernel_model.exec import execute, read_program
from kernel_model.signals import SignalStruct
from kernel_model.task import Task
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
    task.cred = kernel.root_cred
    task.nsproxy = kernel.nsproxy
    task.signal = new_signal_struct()
    task.signal.threads.append(task)
    task.signal.pgid = task.signal.sid = pid
    task.files = FdTable()
    task.fs = kernel.vfs.first_fs()
    return task


def spawn(
    kernel: Kernel,
    path: bytes,
    argv: list[bytes],
    envp: list[bytes],
    *,
    terminal: bool = False,
    as_init: bool = False,
) -> Task:
    """Start a program. Raises LinuxError with the kernel unchanged.

    It is a child of the first process, in a session of its own; the first call starts that too.
    With `as_init` the program itself is the first process: the parent of orphans, which signals
    without a handler do not kill, and with which everybody ends. With `terminal` the console is
    one, and controls the program's session.
    """
    namespace = kernel.pid_ns
    alone = as_init or namespace.init is not None
    task = bare_task(kernel, namespace.next_number + (0 if alone else 1))
    program = read_program(task, path, argv)
    execute(task, program, envp)
    first = namespace.init is None
    if namespace.init is None:
        namespace.init = task if as_init else _start_init(kernel)
    if namespace.init is not task:
        task.parent = namespace.init
        namespace.init.children.append(task)
    if terminal:
        kernel.console.new_terminal(kernel)
    kernel.vfs.open_console(task)
    namespace.choose()
    kernel.tasks[task.pid] = task
    kernel.sched.enqueue(task)
    if first and namespace.init is not task:
        kernel.sched.enqueue(namespace.init)
    kernel.console.begin()
    return task


def _start_init(kernel: Kernel) -> Task:
    init = bare_task(kernel, kernel.pid_ns.choose())
    execute(init, read_program(init, first_process.PATH, [first_process.FILE_NAME]), [])
    kernel.tasks[init.pid] = kernel.own_init = init
    return init
