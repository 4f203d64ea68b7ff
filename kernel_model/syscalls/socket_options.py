"""getsockopt and setsockopt.

Mirrors: Linux net/core/sock.c (sock_setsockopt, sock_getsockopt).
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import TYPE_CHECKING

from kernel_model.abi import socket as abi
from kernel_model.abi.errno import (
    EACCES,
    EDOM,
    EINVAL,
    ENOPROTOOPT,
    ENOTCONN,
    EOPNOTSUPP,
    EPERM,
    NotModelled,
)
from kernel_model.abi.time import NS_PER_S, US_PER_S, timeval
from kernel_model.net.socket import (
    BUFFER_BYTES,
    JIFFY_NS,
    LEAST_RCVBUF,
    LEAST_SNDBUF,
    LINGER_FOR_EVER,
    MOST_SECONDS,
    Options,
    Socket,
)
from kernel_model.syscalls.declare import Fd, Int, Ptr, syscall
from kernel_model.syscalls.socket import socket_file

if TYPE_CHECKING:
    from kernel_model.task import Task

_LOCK_SNDBUF, _LOCK_RCVBUF = 1, 2
_FLAGS = {
    abi.SO_DEBUG: "debug",
    abi.SO_REUSEADDR: "reuse",
    abi.SO_DONTROUTE: "dontroute",
    abi.SO_BROADCAST: "broadcast",
    abi.SO_KEEPALIVE: "keepalive",
    abi.SO_OOBINLINE: "oobinline",
    abi.SO_NO_CHECK: "no_check",
}
_REFUSED = (
    abi.SO_ATTACH_FILTER,
    abi.SO_DETACH_FILTER,
    abi.SO_BINDTODEVICE,
    abi.SO_TIMESTAMP,
    abi.SO_TIMESTAMPNS,
    abi.SO_TIMESTAMPING,
    abi.SO_MARK,
    abi.SO_RXQ_OVFL,
    abi.SO_PASSSEC,
)


@syscall(partial="filters, marks, timestamps and devices of SOL_SOCKET are refused")
def setsockopt(task: Task, fd: Fd, level: Int, name: Int, value: Ptr, length: Int) -> int:
    """Set an option."""
    file = socket_file(task, fd)
    if length < 0:
        raise EINVAL(f"an option of {length} bytes")
    if not file.socket.has_options(level):
        raise _no_such_option(file.socket, level, name)
    raw = task.user.read(value, min(length, 256)) if length else b""
    if level == abi.SOL_SOCKET:
        _set(task, file.socket, name, raw)
    elif not file.socket.set_option(task, level, name, raw):
        raise _no_such_option(file.socket, level, name)
    return 0


def _no_such_option(socket: Socket, level: int, name: int) -> ENOPROTOOPT | EOPNOTSUPP:
    if socket.family == abi.AF_UNIX:
        return EOPNOTSUPP("a UNIX socket has no options of its own")
    return ENOPROTOOPT(f"option {name} of level {level}")


def _set(task: Task, socket: Socket, name: int, raw: bytes) -> None:
    order, numbers, options = task.abi.order, task.abi.structs.socket, socket.options
    if len(raw) < 4:
        raise EINVAL(f"an option of {len(raw)} bytes")
    value = struct.unpack_from(order + "i", raw)[0]
    if name == abi.SO_DEBUG and value and not task.cred.cap("CAP_NET_ADMIN"):
        raise EACCES("SO_DEBUG needs CAP_NET_ADMIN")
    if name in _FLAGS:
        setattr(options, _FLAGS[name], bool(value))
    elif name == numbers.passcred:
        options.passcred = bool(value)
    elif name == abi.SO_LINGER:
        if len(raw) < 8:
            raise EINVAL("a linger that is too short")
        on, seconds = struct.unpack_from(order + "ii", raw)
        options.linger = bool(on)
        if on:
            options.linger_seconds = seconds if seconds >= 0 else LINGER_FOR_EVER
    elif name in (numbers.rcvtimeo, numbers.sndtimeo):
        timeout_ns = _timeout(task, raw)
        setattr(options, "rcvtimeo_ns" if name == numbers.rcvtimeo else "sndtimeo_ns", timeout_ns)
    elif name == numbers.rcvlowat:
        options.rcvlowat = (1 << 31) - 1 if value < 0 else value or 1
    else:
        _set_buffer(task, socket, name, value)


def _set_buffer(task: Task, socket: Socket, name: int, value: int) -> None:
    options, forced = socket.options, name in (abi.SO_SNDBUFFORCE, abi.SO_RCVBUFFORCE)
    if forced and not task.cred.cap("CAP_NET_ADMIN"):
        raise EPERM("buffers beyond the limit need CAP_NET_ADMIN")
    wanted = value & 0xFFFFFFFF if not forced else max(value, 0)
    doubled = 2 * (min(wanted, (1 << 30) - 1) if forced else min(wanted, BUFFER_BYTES))
    if name in (abi.SO_SNDBUF, abi.SO_SNDBUFFORCE):
        options.sndbuf = max(doubled, LEAST_SNDBUF)
        options.userlocks |= _LOCK_SNDBUF
        socket.free_room(0)
    elif name in (abi.SO_RCVBUF, abi.SO_RCVBUFFORCE):
        options.rcvbuf = max(doubled, LEAST_RCVBUF)
        options.userlocks |= _LOCK_RCVBUF
    elif name == abi.SO_PRIORITY:
        if not 0 <= value <= 6 and not task.cred.cap("CAP_NET_ADMIN"):
            raise EPERM("priorities above 6 need CAP_NET_ADMIN")
        options.priority = value
    elif name in _REFUSED:
        raise NotModelled(f"setsockopt SOL_SOCKET {name}")
    else:
        raise ENOPROTOOPT(f"option {name} cannot be set")


def _timeout(task: Task, raw: bytes) -> int:
    layout = task.abi.structs.timeval
    if len(raw) < layout.fixed_bytes():
        raise EINVAL("a timeout that is too short")
    time = layout.unpack(raw[: layout.fixed_bytes()], task.abi.order)
    if not 0 <= time.tv_usec < US_PER_S:
        raise EDOM(f"{time.tv_usec} microseconds")
    if time.tv_sec < 0:
        return 1  # Linux: at once
    if time.tv_sec >= MOST_SECONDS - 1:
        return 0
    return time.tv_sec * NS_PER_S + -(-time.tv_usec * 1000 // JIFFY_NS) * JIFFY_NS


@syscall(partial="filters, marks, timestamps and devices of SOL_SOCKET are refused")
def getsockopt(task: Task, fd: Fd, level: Int, name: Int, value: Ptr, length_at: Ptr) -> int:
    """Ask for an option."""
    file = socket_file(task, fd)
    if not file.socket.has_options(level):
        if file.socket.family == abi.AF_INET:
            raise EOPNOTSUPP(f"no options of level {level}")
        raise _no_such_option(file.socket, level, name)
    room = struct.unpack(task.abi.order + "i", task.user.read(length_at, 4))[0]
    if room < 0:
        raise EINVAL(f"room for {room} bytes")
    if level == abi.SOL_SOCKET:
        raw = _get(task, file.socket, name, room)
    else:
        found = file.socket.get_option(task, level, name)
        if found is None:
            raise _no_such_option(file.socket, level, name)
        raw = found
    raw = raw[:room]
    if raw:
        task.user.write(value, raw)
    task.user.write_int(length_at, len(raw))
    return 0


_Ask = Callable[[Socket, Options], int]
_ANSWERS: dict[int, _Ask] = {
    abi.SO_TYPE: lambda socket, _: socket.type,
    abi.SO_PROTOCOL: lambda socket, _: socket.protocol,
    abi.SO_DOMAIN: lambda socket, _: socket.family,
    abi.SO_ACCEPTCONN: lambda socket, _: int(socket.state == abi.TCP_LISTEN),
    abi.SO_SNDBUF: lambda _, options: options.sndbuf,
    abi.SO_RCVBUF: lambda _, options: options.rcvbuf,
    abi.SO_PRIORITY: lambda _, options: options.priority,
    abi.SO_BSDCOMPAT: lambda _, options: 0,
}


def _get(task: Task, socket: Socket, name: int, room: int) -> bytes:
    order, numbers, options = task.abi.order, task.abi.structs.socket, socket.options
    if name == abi.SO_LINGER:
        return struct.pack(order + "ii", options.linger, options.linger_seconds)
    if name in (numbers.rcvtimeo, numbers.sndtimeo):
        total = options.rcvtimeo_ns if name == numbers.rcvtimeo else options.sndtimeo_ns
        return timeval(task.abi.structs.timeval, total).pack(order)
    if name == numbers.peercred:
        peer = socket.peercred
        if peer is None:
            return struct.pack(order + "iII", 0, 0xFFFFFFFF, 0xFFFFFFFF)
        return struct.pack(order + "iII", peer.pid, peer.cred.euid, peer.cred.egid)
    if name == abi.SO_PEERNAME:
        name_of_peer = socket.peer_name(task)
        if not name_of_peer:
            raise ENOTCONN("there is no other end")
        if len(name_of_peer) < room:
            raise EINVAL("a name that is shorter than the room for it")
        return name_of_peer
    if name == abi.SO_ERROR:
        value, socket.error = socket.error, 0
    elif name in _FLAGS:
        value = int(getattr(options, _FLAGS[name]))
    elif name == numbers.passcred:
        value = int(options.passcred)
    elif name == numbers.rcvlowat:
        value = options.rcvlowat
    elif name == numbers.sndlowat:
        value = 1
    elif name in _ANSWERS:
        value = _ANSWERS[name](socket, options)
    elif name in _REFUSED:
        raise NotModelled(f"getsockopt SOL_SOCKET {name}")
    else:
        raise ENOPROTOOPT(f"option {name}")
    return struct.pack(order + "i", value)
