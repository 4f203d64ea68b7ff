"""flock, and the commands of fcntl that lock ranges of a file.

Mirrors: Linux fs/locks.c (sys_flock, fcntl_getlk, fcntl_setlk), fs/compat.c.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel_model.abi.errno import EBADF, EINVAL, EOVERFLOW, NotModelled
from kernel_model.abi.fcntl import (
    F_GETLK,
    F_GETLK64,
    F_SETLKW,
    F_SETLKW64,
    O_PATH,
    SEEK_CUR,
    SEEK_END,
    SEEK_SET,
)
from kernel_model.syscalls.declare import Fd, UInt, syscall
from kernel_model.vfs import locks
from kernel_model.vfs.locks import F_RDLCK, F_UNLCK, F_WRLCK, LAST_BYTE, Range

if TYPE_CHECKING:
    from kernel_model.abi.flock import Flock, FlockStruct
    from kernel_model.task import Task
    from kernel_model.vfs.openfile import OpenFile

LOCK_SH, LOCK_EX, LOCK_NB, LOCK_UN, LOCK_MAND = 1, 2, 4, 8, 32
_KINDS = {LOCK_SH: F_RDLCK, LOCK_EX: F_WRLCK, LOCK_UN: F_UNLCK}


@syscall(partial="LOCK_MAND is refused with ENOSYS")
def flock(task: Task, fd: Fd, operation: UInt) -> int:
    """Lock a whole file for whoever has this open file."""
    file = task.files.get(fd)
    if operation & LOCK_MAND:
        raise NotModelled("LOCK_MAND: share modes of Samba")
    kind = _KINDS.get(operation & ~LOCK_NB)
    if kind is None:
        raise EINVAL(f"flock operation {operation}")
    if file.flags & O_PATH:
        raise EBADF("opened with O_PATH")
    if not (operation & LOCK_UN or file.may_read or file.may_write):
        raise EBADF("opened neither to read nor to write")
    locks.set_whole(file, kind, wait=not operation & LOCK_NB)
    return 0


def record_lock(task: Task, file: OpenFile, command: int, addr: int) -> int:
    """F_GETLK, F_SETLK, F_SETLKW, and their 64-bit twins."""
    structs = task.abi.structs
    layout: FlockStruct = structs.flock
    if command >= F_GETLK64:
        assert structs.flock64 is not None
        layout = structs.flock64
    if file.flags & O_PATH:
        raise EBADF("opened with O_PATH")
    asked = layout.unpack(task.user.read(addr, layout.fixed_bytes()), task.abi.order)
    if command in (F_GETLK, F_GETLK64):
        return _tell(task, file, addr, asked)
    wanted = _range(task, file, asked)
    if wanted.kind == F_RDLCK and not file.may_read:
        raise EBADF("a read lock needs a file open for reading")
    if wanted.kind == F_WRLCK and not file.may_write:
        raise EBADF("a write lock needs a file open for writing")
    wait = command in (F_SETLKW, F_SETLKW64)
    locks.set_record(task, file.inode, wanted, wait=wait)
    return 0


def _range(task: Task, file: OpenFile, asked: Flock) -> Range:
    starts = {SEEK_SET: 0, SEEK_CUR: file.position, SEEK_END: file.inode.size}
    if asked.l_whence not in starts:
        raise EINVAL(f"whence {asked.l_whence}")
    if asked.l_type not in (F_RDLCK, F_WRLCK, F_UNLCK):
        raise EINVAL(f"a lock of type {asked.l_type}")
    first = starts[asked.l_whence] + asked.l_start
    last = first + asked.l_len - 1 if asked.l_len else LAST_BYTE
    if asked.l_len < 0:
        first, last = first + asked.l_len, first - 1
    if first < 0:
        raise EINVAL("a lock before the file begins")
    if first > LAST_BYTE or last > LAST_BYTE:
        raise EOVERFLOW("a lock behind the last byte that a file can have")
    return Range(asked.l_type, first, last, task.tgid)


def _tell(task: Task, file: OpenFile, addr: int, asked: Flock) -> int:
    if asked.l_type not in (F_RDLCK, F_WRLCK):
        raise EINVAL(f"F_GETLK asks for a lock of type {asked.l_type}")
    wanted = _range(task, file, asked)
    held = file.inode.locks
    found = held.hindrance(task.files, wanted) if held is not None else None
    layout = type(asked)
    values = {name: getattr(asked, name) for name in ("l_whence", "l_start", "l_len", "l_pid")}
    values["l_type"] = F_UNLCK
    if found is not None:
        lock = found[1]
        length = 0 if lock.last == LAST_BYTE else lock.last - lock.first + 1
        values = {
            "l_type": lock.kind,
            "l_whence": SEEK_SET,
            "l_start": lock.first,
            "l_len": length,
            "l_pid": task.pid_ns.number_of(lock.pid),
        }
        if max(lock.first, length) > layout.most:
            raise EOVERFLOW("the lock does not fit into a struct flock")
    task.user.write(addr, layout(**values).pack(task.abi.order))
    return 0
