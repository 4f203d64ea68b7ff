"""Control messages: open files and credentials that travel with a message.

Mirrors: Linux net/core/scm.c -- __scm_send, put_cmsg, scm_detach_fds.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from kernel_model.abi import socket as abi
from kernel_model.abi.errno import EINVAL, EMFILE, ENOBUFS, EPERM, ESRCH
from kernel_model.abi.socket import MessageHeader, message_layout
from kernel_model.net.message import Received, Ucred
from kernel_model.net.socket import Socket
from kernel_model.net.unix import UnixSocket
from kernel_model.syscalls.open import descriptor_limit

if TYPE_CHECKING:
    from kernel_model.task import Task
    from kernel_model.vfs.openfile import OpenFile

_LIMIT = 1 << 20
_INT_MAX = (1 << 31) - 1


def read_control(
    task: Task, socket: Socket, header: MessageHeader
) -> tuple[Ucred | None, tuple[OpenFile, ...]]:
    """What the control messages ask for."""
    layout = message_layout(task.abi.word_bytes, task.abi.order)
    if header.control_bytes > _INT_MAX:
        raise ENOBUFS("more bytes of control messages than an int can say")
    if header.control_bytes > _LIMIT:
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


def store_control(
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
