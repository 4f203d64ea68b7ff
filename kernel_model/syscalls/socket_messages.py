"""Sending and receiving: sendto, sendmsg, sendmmsg and their opposites.

A call that has stored some bytes and waits for more (MSG_WAITALL) keeps their number in its
restart block; so does a call that waits with some of its messages done.

Mirrors: Linux net/socket.c -- ___sys_sendmsg, ___sys_recvmsg.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel_model.abi import socket as abi
from kernel_model.abi.errno import (
    EFAULT,
    EINVAL,
    EMSGSIZE,
    LinuxError,
)
from kernel_model.abi.socket import MessageHeader, message_layout
from kernel_model.net.message import Outgoing, Received, Ucred
from kernel_model.net.sockfs import SocketFile
from kernel_model.restart_block import Progress
from kernel_model.syscalls.buffers import IOV_MAX, gather_for, scatter, targets_of, vector
from kernel_model.syscalls.control_messages import read_control, store_control
from kernel_model.syscalls.declare import Fd, Flags, Int, Ptr, Size, UInt, syscall
from kernel_model.syscalls.socket import read_address, socket_file, store_address
from kernel_model.syscalls.time import read_timespec
from kernel_model.waitqueue import Sleep

if TYPE_CHECKING:
    from kernel_model.task import Task
    from kernel_model.vfs.openfile import OpenFile

_Pairs = list[tuple[int, int]]
_MOST_MESSAGES = 1024
_INT_MAX = (1 << 31) - 1


# ---- sending


def _flags(file: SocketFile, flags: int) -> int:
    return flags | (abi.MSG_DONTWAIT if file.nonblocking else 0)


def _sendto(
    task: Task, fd: int, buf: int, count: int, flags: int, addr: int = 0, length: int = 0
) -> int:
    file = socket_file(task, fd)
    address = read_address(task, addr, length) if addr else None
    data = gather_for(task, file, [(buf, min(count, _INT_MAX))])
    return file.socket.send(task, Outgoing(data, address, _flags(file, flags), None))


@syscall()
def sendto(task: Task, fd: Fd, buf: Ptr, count: Size, flags: Flags, addr: Ptr, length: Int) -> int:
    """Send to an address, or to the peer."""
    return _sendto(task, fd, buf, count, flags, addr, length)


@syscall()
def send(task: Task, fd: Fd, buf: Ptr, count: Size, flags: Flags) -> int:
    """Send to the peer."""
    return _sendto(task, fd, buf, count, flags)


def _header(task: Task, addr: int) -> MessageHeader:
    layout = message_layout(task.abi.word_bytes, task.abi.order)
    header = MessageHeader(*layout.header.unpack(task.user.read(addr, layout.header.size)))
    if header.iov_count > IOV_MAX:
        raise EMSGSIZE(f"{header.iov_count} buffers")
    return header


def _outgoing(task: Task, file: SocketFile, addr: int, flags: int) -> Outgoing:
    header = _header(task, addr)
    address = None
    if header.name and header.name_bytes:
        address = read_address(task, header.name, min(header.name_bytes, 128))
    data = gather_for(task, file, vector(task, header.iov, header.iov_count))
    cred: Ucred | None = None
    files: tuple[OpenFile, ...] = ()
    file.socket.check_sends()
    if header.control and header.control_bytes:
        cred, files = read_control(task, file.socket, header)
    return Outgoing(data, address, _flags(file, flags), cred, files)


@syscall(partial="of control messages, SCM_RIGHTS and SCM_CREDENTIALS")
def sendmsg(task: Task, fd: Fd, message: Ptr, flags: Flags) -> int:
    """Send from several buffers, with control messages."""
    file = socket_file(task, fd)
    return file.socket.send(task, _outgoing(task, file, message, flags))


@syscall(partial="as sendmsg; a stream's message that does not fit ends the call")
def sendmmsg(task: Task, fd: Fd, messages: Ptr, count: UInt, flags: Flags) -> int:
    """Send several messages."""
    file = socket_file(task, fd)
    layout = message_layout(task.abi.word_bytes, task.abi.order)
    done = _done(task)
    while done < min(count, _MOST_MESSAGES):
        at = messages + done * layout.vector_step
        try:
            out = _outgoing(task, file, at, flags)
            sent = file.socket.send_part(task, out, 0)
            task.user.write_int(at + layout.length_at, sent)
        except LinuxError:
            if done:
                break
            raise
        done += 1
        if sent < len(out.data):
            break
        _note(task, done)
    return done


# ---- receiving


def _done(task: Task) -> int:
    block = task.restart_block
    return block.done if block is not None else 0


def _note(task: Task, done: int) -> None:
    block = task.restart_block
    deadline = block.deadline_ns if block is not None else None
    task.restart_block = Progress(done=done, deadline_ns=deadline)


def _receive(
    task: Task, file: SocketFile, targets: _Pairs, flags: int, *, whole: bool = True
) -> tuple[Received, int]:
    """Receive into these places, and the result; goes on for MSG_WAITALL and SO_RCVLOWAT."""
    socket = file.socket
    flags = _flags(file, flags)
    room = sum(length for _, length in targets)
    wanted = 0
    if whole and not flags & (abi.MSG_PEEK | abi.MSG_WAITALL) and not _done(task):
        room = task.kernel.chaos.shorter_read(task, file, room)
    if socket.stream and whole and not flags & abi.MSG_PEEK:
        wanted = room if flags & abi.MSG_WAITALL else min(socket.options.rcvlowat, room)
    done = _done(task) if wanted else 0
    first: Received | None = None
    while True:
        try:
            received = socket.recv(task, room - done, flags)
        except LinuxError:
            if not done:
                raise
            received = Received(ends=True)
        if first is not None:  # who has sent the first bytes is told
            received.address, received.cred = first.address, first.cred
        first = received
        scatter(task, received.data, _from(targets, done))
        done += len(received.data)
        if done >= wanted or received.ends:
            return received, done if received.result < 0 else received.result
        received.drop_files()
        _note(task, done)


def _from(targets: _Pairs, done: int) -> _Pairs:
    """The places that are left when some bytes are stored."""
    left = []
    for addr, length in targets:
        skip = min(done, length)
        done -= skip
        if length > skip:
            left.append((addr + skip, length - skip))
    return left


def _recvfrom(
    task: Task, fd: int, buf: int, count: int, flags: int, addr: int = 0, length_at: int = 0
) -> int:
    file = socket_file(task, fd)
    try:
        targets = targets_of(task, [(buf, min(count, _INT_MAX))])
    except EFAULT:
        if not file.faults_late:
            raise
        received = file.socket.recv(task, count, _flags(file, flags))
        received.drop_files()
        if received.data:
            raise
        return 0
    received, result = _receive(task, file, targets, flags)
    received.drop_files()
    if addr:
        store_address(task, received.address or b"", addr, length_at)
    return result


@syscall()
def recvfrom(
    task: Task, fd: Fd, buf: Ptr, count: Size, flags: Flags, addr: Ptr, length_at: Ptr
) -> int:
    """Receive, and learn from whom."""
    return _recvfrom(task, fd, buf, count, flags, addr, length_at)


@syscall()
def recv(task: Task, fd: Fd, buf: Ptr, count: Size, flags: Flags) -> int:
    """Receive."""
    return _recvfrom(task, fd, buf, count, flags)


def _receive_message(
    task: Task, file: SocketFile, addr: int, flags: int, *, whole: bool = True
) -> int:
    layout = message_layout(task.abi.word_bytes, task.abi.order)
    header = _header(task, addr)
    targets = targets_of(task, vector(task, header.iov, header.iov_count))
    received, result = _receive(task, file, targets, flags, whole=whole)
    used = store_control(task, file.socket, header, received, flags)
    name = received.address or b""
    if header.name:
        if header.name_bytes < 0:
            raise EINVAL(f"room for {header.name_bytes} bytes")
        task.user.write(header.name, name[: header.name_bytes])
        task.user.write_int(addr + layout.name_bytes_at, len(name))
    task.user.write_word(addr + layout.control_bytes_at, used)
    task.user.write_int(addr + layout.flags_at, received.flags | flags & abi.MSG_CMSG_CLOEXEC)
    return result


@syscall(partial="of control messages, SCM_RIGHTS and SCM_CREDENTIALS")
def recvmsg(task: Task, fd: Fd, message: Ptr, flags: Flags) -> int:
    """Receive into several buffers, with control messages."""
    return _receive_message(task, socket_file(task, fd), message, flags)


@syscall(partial="as recvmsg; MSG_WAITALL and SO_RCVLOWAT do not count")
def recvmmsg(task: Task, fd: Fd, messages: Ptr, count: UInt, flags: Flags, timeout: Ptr) -> int:
    """Receive several messages; the timeout is looked at behind each one."""
    done = _done(task)
    deadline = _deadline(task, timeout)
    file = socket_file(task, fd)
    layout = message_layout(task.abi.word_bytes, task.abi.order)
    while done < min(count, _MOST_MESSAGES):
        at = messages + done * layout.vector_step
        wait = not done or not flags & abi.MSG_WAITFORONE
        once = flags & ~abi.MSG_WAITFORONE | (0 if wait else abi.MSG_DONTWAIT)
        try:
            result = _receive_message(task, file, at, once, whole=False)
            task.user.write_int(at + layout.length_at, result)
        except LinuxError:
            if done:
                break
            raise
        except Sleep:
            if done:
                task.restart_block = Progress(done=done, deadline_ns=deadline)
            raise
        done += 1
        if deadline is not None and task.kernel.clock.now_ns() >= deadline:
            break
    return done


def _deadline(task: Task, timeout: int) -> int | None:
    block = task.restart_block
    if block is not None:
        return block.deadline_ns
    if not timeout:
        return None
    deadline: int = task.kernel.clock.after(read_timespec(task, timeout))
    return deadline
