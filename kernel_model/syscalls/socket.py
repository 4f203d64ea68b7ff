"""Making, naming, connecting and closing sockets.

Mirrors: Linux net/socket.c.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from kernel_model.abi import socket as abi
from kernel_model.abi.errno import EFAULT, EINVAL, ENOTSOCK, EOPNOTSUPP, LinuxError
from kernel_model.net.families import create
from kernel_model.net.socket import Socket
from kernel_model.net.sockfs import SocketFile, open_socket
from kernel_model.net.unix_datagram import UnixDatagram
from kernel_model.net.unix_stream import ConnectedUnix
from kernel_model.syscalls.declare import Fd, Flags, Int, Ptr, syscall
from kernel_model.syscalls.open import descriptor_limit

if TYPE_CHECKING:
    from kernel_model.task import Task

_ADDRESS_LIMIT = 128
_TYPE_FLAGS = abi.SOCK_NONBLOCK | abi.SOCK_CLOEXEC


def socket_file(task: Task, fd: int) -> SocketFile:
    """The open socket of a descriptor. Raises EBADF, ENOTSOCK."""
    file = task.files.get(fd)
    if not isinstance(file, SocketFile):
        raise ENOTSOCK(f"descriptor {fd} is no socket")
    return file


def read_address(task: Task, addr: int, length: int) -> bytes:
    """A sockaddr from user memory. Raises EINVAL, EFAULT."""
    if not 0 <= length <= _ADDRESS_LIMIT:
        raise EINVAL(f"an address of {length} bytes")
    return task.user.read(addr, length) if length else b""


def store_address(task: Task, address: bytes, addr: int, length_at: int) -> None:
    """Store a sockaddr, cut to the room there is, and its whole length."""
    room = struct.unpack(task.abi.order + "i", task.user.read(length_at, 4))[0]
    if room < 0:
        raise EINVAL(f"room for {room} bytes")
    if address[:room]:
        task.user.write(addr, address[:room])
    task.user.write_int(length_at, len(address))


def _split_type(kind: int) -> tuple[int, int]:
    flags = kind & ~abi.SOCK_TYPE_MASK
    if flags & ~_TYPE_FLAGS:
        raise EINVAL(f"socket flags {flags:#o}")
    return kind & abi.SOCK_TYPE_MASK, flags


def _install(task: Task, made: Socket, flags: int) -> int:
    file = open_socket(task, made, flags & abi.SOCK_NONBLOCK)
    cloexec = bool(flags & abi.SOCK_CLOEXEC)
    return task.files.install(file, descriptor_limit(task), cloexec=cloexec)


@syscall(name="socket", partial="AF_UNIX, AF_INET, AF_INET6, and NETLINK_ROUTE; no raw sockets")
def make_socket(task: Task, family: Int, kind: Int, protocol: Int) -> int:
    """Make a socket."""
    kind, flags = _split_type(kind)
    made = create(task, family, kind, protocol)
    task.files.lowest_free(descriptor_limit(task))
    return _install(task, made, flags)


@syscall()
def socketpair(task: Task, family: Int, kind: Int, protocol: Int, fildes: Ptr) -> int:
    """Make two connected sockets."""
    kind, flags = _split_type(kind)
    pair = [create(task, family, kind, protocol) for _ in range(2)]
    one, other = pair
    limit = descriptor_limit(task)
    task.files.lowest_free(limit, task.files.lowest_free(limit) + 1)
    if isinstance(one, ConnectedUnix) and isinstance(other, ConnectedUnix):
        one.join(other)
    elif isinstance(one, UnixDatagram) and isinstance(other, UnixDatagram):
        one.join(other)
    else:
        raise EOPNOTSUPP("only UNIX sockets come in pairs")
    if task.user.writable(fildes, 8) < 8:
        raise EFAULT(f"no room for two descriptors at {fildes:#x}")
    one.peercred = other.peercred = one.peer_cred(task)
    descriptors = [_install(task, each, flags) for each in pair]
    task.user.write(fildes, struct.pack(task.abi.order + "ii", *descriptors))
    return 0


@syscall()
def bind(task: Task, fd: Fd, addr: Ptr, length: Int) -> int:
    """Give a socket a name."""
    file = socket_file(task, fd)
    file.socket.bind(task, read_address(task, addr, length))
    return 0


@syscall()
def connect(task: Task, fd: Fd, addr: Ptr, length: Int) -> int:
    """Connect a socket to the one of that name."""
    file = socket_file(task, fd)
    address = read_address(task, addr, length)
    file.socket.connect(task, address, dont_wait=file.nonblocking)
    return 0


@syscall()
def listen(task: Task, fd: Fd, backlog: Int) -> int:
    """Let others connect to a socket."""
    file = socket_file(task, fd)
    wanted = backlog & 0xFFFFFFFF
    file.socket.listen(task, min(wanted, abi.SOMAXCONN))
    return 0


def _accept(task: Task, fd: int, addr: int, length_at: int, flags: int) -> int:
    if flags & ~_TYPE_FLAGS:
        raise EINVAL(f"accept flags {flags:#o}")
    file = socket_file(task, fd)
    task.files.lowest_free(descriptor_limit(task))
    child = file.socket.accept(task, dont_wait=file.nonblocking)
    if addr:
        try:
            store_address(task, child.peer_name(task), addr, length_at)
        except LinuxError:
            child.release()  # as Linux: the connection is lost
            raise
    return _install(task, child, flags)


@syscall()
def accept(task: Task, fd: Fd, addr: Ptr, length_at: Ptr) -> int:
    """A descriptor for the connection that waits longest."""
    return _accept(task, fd, addr, length_at, 0)


@syscall()
def accept4(task: Task, fd: Fd, addr: Ptr, length_at: Ptr, flags: Flags) -> int:
    """accept with SOCK_NONBLOCK and SOCK_CLOEXEC."""
    return _accept(task, fd, addr, length_at, flags)


@syscall()
def getsockname(task: Task, fd: Fd, addr: Ptr, length_at: Ptr) -> int:
    """The name of a socket."""
    file = socket_file(task, fd)
    store_address(task, file.socket.own_name(task), addr, length_at)
    return 0


@syscall()
def getpeername(task: Task, fd: Fd, addr: Ptr, length_at: Ptr) -> int:
    """The name of the other end."""
    file = socket_file(task, fd)
    store_address(task, file.socket.peer_name(task), addr, length_at)
    return 0


@syscall()
def shutdown(task: Task, fd: Fd, how: Int) -> int:
    """Close one direction of a connection, or both."""
    file = socket_file(task, fd)
    if how not in (abi.SHUT_RD, abi.SHUT_WR, abi.SHUT_RDWR):
        raise EINVAL(f"shutdown direction {how}")
    file.socket.shutdown(task, how)
    return 0
