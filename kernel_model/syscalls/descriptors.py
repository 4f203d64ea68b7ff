"""dup, fcntl, ioctl, pipe: calls about descriptors themselves.

Mirrors: Linux fs/fcntl.c, fs/ioctl.c, fs/pipe.c (do_pipe_flags).
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from kernel_model.abi.errno import EBADF, EFAULT, EINVAL, ENOTTY, EPERM, ESRCH
from kernel_model.abi.fcntl import (
    F_ADD_SEALS,
    F_DUPFD,
    F_DUPFD_CLOEXEC,
    F_GET_SEALS,
    F_GETFD,
    F_GETFL,
    F_GETLEASE,
    F_GETLK,
    F_GETLK64,
    F_GETOWN,
    F_GETOWN_EX,
    F_GETPIPE_SZ,
    F_GETSIG,
    F_NOTIFY,
    F_SETFD,
    F_SETFL,
    F_SETLEASE,
    F_SETLK,
    F_SETLKW,
    F_SETLKW64,
    F_SETOWN,
    F_SETOWN_EX,
    F_SETPIPE_SZ,
    F_SETSIG,
    FASYNC,
    FD_CLOEXEC,
    O_CLOEXEC,
    O_DIRECT,
    O_NOATIME,
    O_NONBLOCK,
    SETTABLE,
)
from kernel_model.abi.socket import FIOGETOWN, FIOSETOWN, SIOCGPGRP, SIOCSPGRP
from kernel_model.dnotify import set_notify
from kernel_model.net.sockfs import SocketFile
from kernel_model.pipe import PipeEnd, new_pipe
from kernel_model.signals import NSIG
from kernel_model.syscalls.declare import Fd, Flags, Ptr, Size, UInt, syscall
from kernel_model.syscalls.locks import record_lock
from kernel_model.syscalls.open import descriptor_limit
from kernel_model.vfs.locks import get_lease, set_lease
from kernel_model.vfs.openfile import OpenFile
from kernel_model.vfs.owner import F_OWNER_PGRP, F_OWNER_PID, F_OWNER_TID, owner_for
from kernel_model.vfs.permission import owner_or_capable
from kernel_model.vfs.seals import add_seals, get_seals

if TYPE_CHECKING:
    from kernel_model.task import Task


_RECORD_LOCKS = (F_GETLK, F_SETLK, F_SETLKW)
_OF_THE_DESCRIPTOR = (F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_SETFD, F_GETFL)
_OWNER_REQUESTS = (FIOSETOWN, SIOCSPGRP, FIOGETOWN, SIOCGPGRP)
_OWNER = (F_GETOWN, F_SETOWN, F_GETSIG, F_SETSIG, F_GETOWN_EX, F_SETOWN_EX)


@syscall()
def dup(task: Task, fd: Fd) -> int:
    """Another descriptor for the same open file."""
    task.files.get_raw(fd)
    return task.files.duplicate(fd, descriptor_limit(task))


@syscall()
def dup2(task: Task, fd: Fd, new: Fd) -> int:
    """A given descriptor for the same open file; what it was is closed."""
    if fd == new:
        task.files.get_raw(fd)
        return new
    return task.files.duplicate_to(fd, new, descriptor_limit(task))


@syscall()
def dup3(task: Task, fd: Fd, new: Fd, flags: Flags) -> int:
    """dup2 with O_CLOEXEC; equal descriptors are refused."""
    if flags & ~O_CLOEXEC or fd == new:
        raise EINVAL("dup3: unknown flags or equal descriptors")
    return task.files.duplicate_to(fd, new, descriptor_limit(task), cloexec=bool(flags))


def _set_status(task: Task, file: OpenFile, fd: int, arg: int) -> int:
    flags = task.abi.structs.open_flags.to_kernel(arg) & SETTABLE
    if flags & ~file.flags & O_NOATIME and not owner_or_capable(task.cred, file.inode):
        raise EPERM("O_NOATIME is for the owner")
    if flags & O_DIRECT:
        raise EINVAL("this file has no direct access")
    if (flags ^ file.flags) & FASYNC:
        if file.tells:
            file.ask_for_signals(task, fd if flags & FASYNC else -1)
        else:
            flags ^= FASYNC
    file.flags = (file.flags & ~SETTABLE) | flags
    return 0


def _fcntl(task: Task, fd: int, command: int, arg: int) -> int:
    files = task.files
    file = files.get_raw(fd) if command in _OF_THE_DESCRIPTOR else files.get(fd)
    if command in (F_DUPFD, F_DUPFD_CLOEXEC):
        lowest = arg & 0xFFFF_FFFF
        cloexec = command == F_DUPFD_CLOEXEC
        return files.duplicate(fd, descriptor_limit(task), lowest, cloexec=cloexec)
    if command == F_GETFD:
        return FD_CLOEXEC if fd in files.close_on_exec else 0
    if command == F_SETFD:
        (files.close_on_exec.add if arg & FD_CLOEXEC else files.close_on_exec.discard)(fd)
        return 0
    if command == F_GETFL:
        return task.abi.structs.open_flags.to_user(file.flags)
    if command == F_SETFL:
        return _set_status(task, file, fd, arg)
    if command in _OWNER:
        return _owner(task, file, command, arg)
    if command in (F_GETPIPE_SZ, F_SETPIPE_SZ):
        return _pipe_size(task, file, command, arg)
    if command == F_SETLEASE:
        set_lease(task, file, fd, arg & 0xFFFF_FFFF)
        return 0
    if command == F_GETLEASE:
        return get_lease(task, file)
    if command == F_GET_SEALS:
        return get_seals(file)
    if command == F_ADD_SEALS:
        add_seals(file, arg & 0xFFFF_FFFF)
        return 0
    if command in _RECORD_LOCKS:
        return record_lock(task, file, command, arg)
    if command == F_NOTIFY:
        set_notify(task, file, fd, arg & 0xFFFF_FFFF)
        return 0
    raise EINVAL(f"fcntl command {command}")


def _owner(task: Task, file: OpenFile, command: int, arg: int) -> int:
    """Who is told of the file, and how."""
    owner = file.owner
    if command == F_SETSIG:
        if arg > NSIG:
            raise EINVAL(f"signal {arg}")
        file.async_signo = arg
        return 0
    if command == F_GETSIG:
        return file.async_signo
    shown = task.pid_ns.number_of(owner.number) if owner.number else 0
    if command == F_GETOWN:
        return -shown if owner.kind == F_OWNER_PGRP else shown
    pair = struct.Struct(task.abi.order + "ii")
    if command == F_GETOWN_EX:
        task.user.write(arg, pair.pack(owner.kind, shown))
        return 0
    if command == F_SETOWN_EX:
        kind, number = pair.unpack(task.user.read(arg, pair.size))
        if kind not in (F_OWNER_TID, F_OWNER_PID, F_OWNER_PGRP):
            raise EINVAL(f"an owner of kind {kind}")
    else:
        number = arg & 0xFFFF_FFFF
        number -= number >> 31 << 32
        kind, number = (F_OWNER_PGRP, -number) if number < 0 else (F_OWNER_PID, number)
    inner = task.pid_ns.find(number) if number else 0
    if not inner or not task.kernel.pid_in_use(inner):
        if number and command == F_SETOWN_EX:
            raise ESRCH(f"there is no process or group {number}")
        inner = 0
    file.owner, file.async_kernel = owner_for(task, inner, kind), task.kernel
    return 0


def _pipe_size(task: Task, file: OpenFile, command: int, arg: int) -> int:
    if not isinstance(file, PipeEnd):
        raise EBADF("not a pipe")
    if command == F_GETPIPE_SZ:
        return file.pipe.capacity
    return file.pipe.resize(arg & 0xFFFF_FFFF, privileged=task.cred.cap("CAP_SYS_RESOURCE"))


@syscall()
def fcntl(task: Task, fd: Fd, command: UInt, arg: Size) -> int:
    """Duplicate a descriptor, or ask for and set its flags."""
    return _fcntl(task, fd, command, arg)


@syscall()
def fcntl64(task: Task, fd: Fd, command: UInt, arg: Size) -> int:
    """fcntl of 32-bit ABIs, with the 64-bit lock commands."""
    if F_GETLK64 <= command <= F_SETLKW64:
        return record_lock(task, task.files.get(fd), command, arg)
    return _fcntl(task, fd, command, arg)


@syscall(partial="the requests of every file here; others are those of terminals and so on")
def ioctl(task: Task, fd: Fd, request: UInt, arg: Size) -> int:
    """A request that depends on the kind of the file; ENOTTY where it means nothing."""
    file = task.files.get(fd)
    numbers = task.abi.structs.ioctl
    if request == numbers.fioclex:
        task.files.close_on_exec.add(fd)
        return 0
    if request == numbers.fionclex:
        task.files.close_on_exec.discard(fd)
        return 0
    if request == numbers.fionbio:
        value = struct.unpack(task.abi.order + "i", task.user.read(arg, 4))[0]
        file.flags = file.flags | O_NONBLOCK if value else file.flags & ~O_NONBLOCK
        return 0
    if request == numbers.fioasync:
        value = struct.unpack(task.abi.order + "i", task.user.read(arg, 4))[0]
        if bool(value) == bool(file.flags & FASYNC):
            return 0
        if not file.tells:
            raise ENOTTY("this file tells nobody of anything")
        file.ask_for_signals(task, fd if value else -1)
        file.flags = file.flags | FASYNC if value else file.flags & ~FASYNC
        return 0
    if request == numbers.figetbsz:
        task.user.write_int(arg, file.inode.fs.block_bytes)
        return 0
    if request in _OWNER_REQUESTS and isinstance(file, SocketFile):
        return _owner_request(task, file, request, arg)
    if request == numbers.fionread and file.inode.is_regular:
        left = max(0, file.inode.size - file.position) & 0xFFFF_FFFF
        task.user.write(arg, struct.pack(task.abi.order + "I", left))
        return 0
    return file.ioctl(task, request, arg)


def _owner_request(task: Task, file: OpenFile, request: int, arg: int) -> int:
    """What F_SETOWN and F_GETOWN are for sockets on other systems."""
    if request in (FIOSETOWN, SIOCSPGRP):
        number = struct.unpack(task.abi.order + "I", task.user.read(arg, 4))[0]
        return _owner(task, file, F_SETOWN, number)
    shown = _owner(task, file, F_GETOWN, 0)
    task.user.write(arg, struct.pack(task.abi.order + "i", shown))
    return 0


def _pipe(task: Task, fildes: int, flags: int) -> int:
    if flags & ~(O_CLOEXEC | O_NONBLOCK):
        raise EINVAL(f"pipe flags {flags:#o}")
    if task.user.writable(fildes, 8) < 8:
        raise EFAULT(f"no room for two descriptors at {fildes:#x}")
    limit = descriptor_limit(task)
    task.files.lowest_free(limit, task.files.lowest_free(limit) + 1)
    ends = new_pipe(task.kernel.vfs.pipefs, task.cred.fsuid, task.cred.fsgid, flags)
    cloexec = bool(flags & O_CLOEXEC)
    pair = [task.files.install(end, limit, cloexec=cloexec) for end in ends]
    task.user.write(fildes, struct.pack(task.abi.order + "ii", *pair))
    return 0


@syscall()
def pipe(task: Task, fildes: Ptr) -> int:
    """Create a pipe; store the two descriptors at `fildes`."""
    return _pipe(task, fildes, 0)


@syscall(partial="O_DIRECT is refused with EINVAL")
def pipe2(task: Task, fildes: Ptr, flags: Flags) -> int:
    """pipe with O_CLOEXEC and O_NONBLOCK."""
    return _pipe(task, fildes, flags)
