"""Who a task is, where it comes from and how it ends.

Mirrors: Linux kernel/sys.c, kernel/exit.c, kernel/fork.c.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel_model.abi.errno import E2BIG, EACCES, EINVAL, ELOOP, ENAMETOOLONG
from kernel_model.abi.fcntl import AT_EMPTY_PATH, AT_FDCWD, AT_SYMLINK_NOFOLLOW
from kernel_model.exec import execute, read_program
from kernel_model.syscalls.declare import Fd, Flags, Int, Path, Ptr, Size, syscall
from kernel_model.syscalls.dispatch import NoResult
from kernel_model.syscalls.open import start_of
from kernel_model.vfs.path import Walk
from kernel_model.waitqueue import TaskDead

if TYPE_CHECKING:
    from kernel_model.task import Task

_MAX_STRINGS = 0x10000
_MAX_STRING_BYTES = 128 << 10


@syscall()
def getpid(task: Task) -> int:
    """The number of the process."""
    return task.vtgid


@syscall()
def gettid(task: Task) -> int:
    """The number of the thread."""
    return task.vpid


@syscall()
def getppid(task: Task) -> int:
    """The number of the parent; 0 when it is outside."""
    return task.pid_ns.number_of(task.parent.tgid) if task.parent is not None else 0


@syscall()
def exit(task: Task, code: Int) -> int:
    """End this thread."""
    task.exit((code & 0xFF) << 8)
    raise TaskDead("exit")


@syscall()
def exit_group(task: Task, code: Int) -> int:
    """End the process."""
    task.exit_group((code & 0xFF) << 8)
    raise TaskDead("exit_group")


@syscall()
def set_tid_address(task: Task, address: Ptr) -> int:
    """Where to store 0 when the thread ends; the thread's number."""
    task.clear_child_tid = address
    return task.vpid


@syscall()
def set_robust_list(task: Task, head: Ptr, length: Size) -> int:
    """Where the list of robust futexes begins."""
    if length != 3 * task.abi.word_bytes:
        raise EINVAL(f"a robust list head of {length} bytes")
    task.robust_list = (head, length)
    return 0


def read_strings(task: Task, addr: int) -> list[bytes]:
    """A null-terminated array of C strings; a null array is empty."""
    strings: list[bytes] = []
    while addr:
        pointer = task.user.word(addr)
        if not pointer:
            break
        if len(strings) >= _MAX_STRINGS:
            raise E2BIG("too many strings")
        try:
            strings.append(task.user.cstring(pointer, _MAX_STRING_BYTES))
        except ENAMETOOLONG:
            raise E2BIG(f"an argument of more than {_MAX_STRING_BYTES} bytes") from None
        addr += task.abi.word_bytes
    return strings


@syscall()
def execve(task: Task, path: Path, argv: Ptr, envp: Ptr) -> int:
    """Run another program in this process."""
    arguments = read_strings(task, argv)
    environment = read_strings(task, envp)
    execute(task, read_program(task, path, arguments), environment)
    raise NoResult


@syscall()
def execveat(task: Task, dirfd: Fd, path: Path, argv: Ptr, envp: Ptr, flags: Flags) -> int:
    """execve of a file relative to a directory, or of an open file."""
    if flags & ~(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW):
        raise EINVAL(f"execveat flags {flags:#x}")
    name = path
    if path or not flags & AT_EMPTY_PATH:
        follow = not flags & AT_SYMLINK_NOFOLLOW
        place = Walk(task).resolve(path, start_of(task, dirfd, path), follow=follow)
        if place.inode.is_link:
            raise ELOOP("a symbolic link, and AT_SYMLINK_NOFOLLOW")
        if path[:1] != b"/" and dirfd != AT_FDCWD:
            name = b"/dev/fd/%d/%s" % (dirfd, path)
    else:
        at_hand = task.files.get_raw(dirfd).path
        if at_hand is None:
            raise EACCES("a file without a place cannot be executed")
        place, name = at_hand, b"/dev/fd/%d" % dirfd
    arguments, environment = read_strings(task, argv), read_strings(task, envp)
    execute(task, read_program(task, name, arguments, place), environment)
    raise NoResult
