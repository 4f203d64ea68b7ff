"""Sending and receiving: sendto, sendmsg, sendmmsg and their opposites.

A call that has stored some bytes and waits for more (MSG_WAITALL) keeps their number in its
restart block; so does a call that waits with some of its messages done.

Mirrors: Linux net/socket.c (___sys_sendmsg, ___sys_recvmsg), net/core/scm.c.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from kernel_model.abi import socket as abi
from kernel_model.abi.errno import (
    EFAULT,
    EINVAL,
    EMFILE,
    EMSGSIZE,
    ENOBUFS,
    EPERM,
    ESRCH,
    LinuxError,
)
from kernel_model.abi.socket import MessageHeader, message_layout
from kernel_model.net.socket import Outgoing, Received, Socket, Ucred
from kernel_model.net.sockfs import SocketFile
from kernel_model.net.unix import UnixSocket
from kernel_model.restart_block import Progress
from kernel_model.syscalls.declare import Fd, Flags, Int, Ptr, Size, UInt, syscall
from kernel_model.syscalls.open import descriptor_limit
from kernel_model.syscalls.readwrite import IOV_MAX, gather, scatter, targets_of, vector
from kernel_model.syscalls.socket import read_address, socket_file, store_address
from kernel_model.waitqueue import Sleep

if TYPE_CHECKING:
    from kernel_model.task import Task
    from kernel_model.vfs.openfile import OpenFile

_Pairs = list[tuple[int, int]]
_MOST_MESSAGES = 1024
_CONTROL_LIMIT = 1 << 20
_INT_MAX = (1 << 31) - 1


# ---- sending


def _content(task: Task, socket: Socket, pairs: _Pairs) -> bytes:
    """The bytes to send; a datagram is readable as a whole or not sent."""
    try:
        data = gather(task, pairs)
    except EFAULT:
        if sum(length for _, length in pairs) > socket.longest:
            raise EMSGSIZE("the datagram is too long, and cannot be read") from None
        raise
    if len(data) < sum(length for _, length in pairs) and not socket.stream:
        raise EFAULT("a part of the datagram cannot be read")
    return data


def _flags(file: SocketFile, flags: int) -> int:
    return flags | (abi.MSG_DONTWAIT if file.nonblocking else 0)


def _sendto(
    task: Task, fd: int, buf: int, count: int, flags: int, addr: int = 0, length: int = 0
) -> int:
    file = socket_file(task, fd)
    address = read_address(task, addr, length) if addr else None
    data = _content(task, file.socket, [(buf, min(count, _INT_MAX))])
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
    data = _content(task, file.socket, vector(task, header.iov, header.iov_count))
    cred: Ucred | None = None
    files: tuple[OpenFile, ...] = ()
    if header.control and header.control_bytes:
        cred, files = _control(task, file.socket, header)
    return Outgoing(data, address, _flags(file, flags), cred, files)


def _control(
    task: Task, socket: Socket, header: MessageHeader
) -> tuple[Ucred | None, tuple[OpenFile, ...]]:
    """What the control messages ask for."""
    layout = message_layout(task.abi.word_bytes, task.abi.order)
    if header.control_bytes > _INT_MAX:
        raise ENOBUFS("more bytes of control messages than an int can say")
    if header.control_bytes > _CONTROL_LIMIT:
        raise EINVAL(f"{header.control_bytes} bytes of control messages")
    raw = task.user.read(header.control, header.control_bytes)
    begin, cred = layout.align(layout.control.size), None
    files: tuple[OpenFile, ...] = ()
    position = 0
    while position + layout.control.size <= len(raw):
        length, level, kind = layout.control.unpack_from(raw, position)
        if length < layout.control.size or position + length > len(raw):
            raise EINVAL(f"a control message of {length} bytes")
        content = raw[position + begin : position + length]
        if level == abi.SOL_SOCKET and isinstance(socket, UnixSocket):
            if kind == abi.SCM_RIGHTS:
                files = _files(task, content)
            elif kind == abi.SCM_CREDENTIALS:
                cred = _cred(task, content)
            else:
                raise EINVAL(f"control message {kind}")
        position += layout.align(length)
    return cred, files


def _files(task: Task, content: bytes) -> tuple[OpenFile, ...]:
    count = len(content) // 4
    if count > abi.SCM_MAX_FD:
        raise EINVAL(f"{count} descriptors in one message")
    numbers = struct.unpack(f"{task.abi.order}{count}i", content[: 4 * count])
    return tuple(task.files.get_raw(fd) for fd in numbers)


def _cred(task: Task, content: bytes) -> Ucred:
    if len(content) != 12:
        raise EINVAL("credentials are three ints")
    claimed = Ucred(*struct.unpack(task.abi.order + "iII", content))
    cred = task.cred
    if (
        (claimed.pid != task.tgid and not cred.cap("CAP_SYS_ADMIN"))
        or (claimed.uid not in (cred.uid, cred.euid, cred.suid) and not cred.cap("CAP_SETUID"))
        or (claimed.gid not in (cred.gid, cred.egid, cred.sgid) and not cred.cap("CAP_SETGID"))
    ):
        raise EPERM(f"the credentials {claimed} are not the sender's")
    if claimed.pid != task.tgid and task.pid_ns.find(claimed.pid) not in task.kernel.tasks:
        raise ESRCH(f"there is no process {claimed.pid}")
    return claimed


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
            sent = file.socket.send_some(task, out, 0)
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
    while True:
        try:
            received = socket.recv(task, room - done, flags)
        except LinuxError:
            if not done:
                raise
            received = Received(ends=True)
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
    used = _store_control(task, file.socket, header, received, flags)
    name = received.address or b""
    if header.name:
        if header.name_bytes < 0:
            raise EINVAL(f"room for {header.name_bytes} bytes")
        task.user.write(header.name, name[: header.name_bytes])
        task.user.write_int(addr + layout.name_bytes_at, len(name))
    task.user.write_word(addr + layout.control_bytes_at, used)
    task.user.write_int(addr + layout.flags_at, received.flags | flags & abi.MSG_CMSG_CLOEXEC)
    return result


def _store_control(
    task: Task, socket: Socket, header: MessageHeader, received: Received, flags: int
) -> int:
    """Store control messages; how many bytes they take."""
    passcred = socket.options.passcred and received.cred is not None
    if not header.control:
        if passcred or received.files:
            received.flags |= abi.MSG_CTRUNC
        received.drop_files()
        return 0
    used = 0
    if passcred and received.cred is not None:
        content = struct.pack(task.abi.order + "iII", *received.cred)
        used = _put_control(task, header, received, abi.SCM_CREDENTIALS, content)
    if received.files:
        used += _put_files(task, header, received, flags, used)
    return used


def _put_control(
    task: Task, header: MessageHeader, received: Received, kind: int, content: bytes
) -> int:
    layout = message_layout(task.abi.word_bytes, task.abi.order)
    begin = layout.align(layout.control.size)
    if header.control_bytes < layout.control.size:
        received.flags |= abi.MSG_CTRUNC
        return 0
    length = begin + len(content)
    if length > header.control_bytes:
        received.flags |= abi.MSG_CTRUNC
        length = header.control_bytes
    if task.user.writable(header.control, length) < length:
        return 0
    raw = layout.control.pack(length, abi.SOL_SOCKET, kind).ljust(begin, b"\0") + content
    task.user.write(header.control, raw[:length])
    return min(layout.align(length), header.control_bytes)


def _put_files(task: Task, header: MessageHeader, received: Received, flags: int, used: int) -> int:
    layout = message_layout(task.abi.word_bytes, task.abi.order)
    begin = layout.align(layout.control.size)
    files, received.files = received.files, []
    at = header.control + used
    room = max(header.control_bytes - used - layout.control.size, 0) // 4
    if room:
        room = max(task.user.writable(at, begin + 4 * min(room, len(files))) - begin, 0) // 4
    cloexec = bool(flags & abi.MSG_CMSG_CLOEXEC)
    numbers: list[int] = []
    for file in files[:room]:
        try:
            numbers.append(task.files.install(file, descriptor_limit(task), cloexec=cloexec))
        except EMFILE:
            break
    for file in files[len(numbers) :]:
        file.drop()
    if len(numbers) < len(files):
        received.flags |= abi.MSG_CTRUNC
    if not numbers:
        return 0
    length = begin + 4 * len(numbers)
    raw = layout.control.pack(length, abi.SOL_SOCKET, abi.SCM_RIGHTS).ljust(begin, b"\0")
    raw += struct.pack(f"{task.abi.order}{len(numbers)}i", *numbers)
    task.user.write(at, raw)
    return min(layout.align(length), header.control_bytes - used)


@syscall(partial="of control messages, SCM_RIGHTS and SCM_CREDENTIALS")
def recvmsg(task: Task, fd: Fd, message: Ptr, flags: Flags) -> int:
    """Receive into several buffers, with control messages."""
    return _receive_message(task, socket_file(task, fd), message, flags)


@syscall(partial="as recvmsg; MSG_WAITALL and SO_RCVLOWAT do not count")
def recvmmsg(task: Task, fd: Fd, messages: Ptr, count: UInt, flags: Flags, timeout: Ptr) -> int:
    """Receive several messages; the timeout is looked at behind each one."""
    file = socket_file(task, fd)
    layout = message_layout(task.abi.word_bytes, task.abi.order)
    done = _done(task)
    deadline = _deadline(task, timeout)
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
    wanted = task.user.read_record(task.abi.structs.timespec, timeout)
    if wanted.tv_sec < 0 or not 0 <= wanted.tv_nsec < 1_000_000_000:
        raise EINVAL("a timeout that is no time")
    now_ns: int = task.kernel.clock.now_ns()
    return now_ns + wanted.tv_sec * 1_000_000_000 + wanted.tv_nsec
