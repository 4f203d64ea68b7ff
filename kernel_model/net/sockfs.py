"""Sockets as files: the file system that their inodes are in, and the open file over a socket.

Mirrors: Linux net/socket.c (sockfs, sock_aio_read, sock_aio_write, sock_poll, sock_close).
"""

from __future__ import annotations

import stat
import struct
from typing import TYPE_CHECKING

from kernel_model.abi.errno import ENOTTY, ESPIPE
from kernel_model.abi.fcntl import O_NONBLOCK, O_RDWR
from kernel_model.abi.socket import CONNECTED, MSG_DONTWAIT, SEND_SHUTDOWN, SOCK_STREAM, TCP_LISTEN
from kernel_model.net.message import Outgoing
from kernel_model.net.socket import Socket
from kernel_model.vfs.disk import DiskNode
from kernel_model.vfs.filesystem import FileSystem
from kernel_model.vfs.inode import Inode
from kernel_model.vfs.openfile import OpenFile
from kernel_model.waitqueue import WaitQueue

if TYPE_CHECKING:
    from kernel_model.task import Task


class SockFs(FileSystem):
    """Where the inodes of sockets live; it is never mounted."""

    type_name = b"sockfs"
    magic = 0x534F434B
    next_ino = 1

    def new_inode(self, uid: int, gid: int) -> Inode:
        """An inode for a socket."""
        node = DiskNode(self.next_ino, stat.S_IFSOCK | 0o777)
        self.next_ino += 1
        node.uid, node.gid = uid, gid
        node.atime_ns = node.mtime_ns = node.ctime_ns = self.clock.realtime_ns()
        return Inode(self, node)


class SocketFile(OpenFile):
    """An open socket."""

    tells = True

    def __init__(self, socket: Socket, inode: Inode, flags: int) -> None:
        super().__init__(inode, None, O_RDWR | flags & O_NONBLOCK)
        self.socket = socket
        socket.file = self

    @property
    def is_stream(self) -> bool:  # type: ignore[override]
        """Whether a transfer may be short: of a stream, not of messages."""
        return self.socket.type == SOCK_STREAM

    def drop(self) -> None:
        """One user less; when only messages are left as users, perhaps nobody can reach it."""
        super().drop()
        in_flight = self.socket.net.in_flight
        if self.users and self.users == in_flight.counts.get(self):
            in_flight.collect_garbage()

    def release(self) -> None:
        """The last descriptor is closed."""
        self.socket.release()
        super().release()

    def _flags(self) -> int:
        return MSG_DONTWAIT if self.nonblocking else 0

    @property
    def message_bytes(self) -> float | None:
        """Of a datagram or packet: all or nothing is sent."""
        return None if self.socket.stream else self.socket.longest

    @property
    def part_bytes(self) -> int:
        """What the socket makes one buffer of."""
        return self.socket.part_bytes

    @property
    def faults_late(self) -> bool:
        """A datagram is lost; of a stream nothing is."""
        socket = self.socket
        if not socket.stream or socket.state == TCP_LISTEN:
            return True
        return not (socket.queue or socket.unread())

    @property
    def faults_late_in_write(self) -> bool:
        """A stream without a connection, or that is closed, says so first."""
        socket = self.socket
        return socket.stream and (
            socket.state not in CONNECTED or bool(socket.shut & SEND_SHUTDOWN)
        )

    def read_for(self, task: Task, count: int) -> bytes:
        """Receive; a read of nothing asks for nothing."""
        if not count:
            return b""
        received = self.socket.recv(task, count, self._flags())
        received.drop_files()
        return received.data

    def write_for(self, task: Task, data: bytes) -> int:
        """Send all."""
        return self.socket.send(task, Outgoing.plain(task, data, self._flags()))

    def write_some(self, task: Task, data: bytes) -> int:
        """Send what there is room for."""
        return self.socket.send_some(task, Outgoing.plain(task, data, self._flags()), 0)

    def pread(self, offset: int, count: int) -> bytes:
        """Refused: a socket has no position."""
        raise ESPIPE("a socket has no position")

    def _store(self, offset: int, data: bytes) -> int:
        raise ESPIPE("a socket has no position")

    def poll(self) -> int:
        """What is true of the socket."""
        return self.socket.poll()

    def poll_queues(self) -> tuple[WaitQueue, ...]:
        """Both directions, and the state."""
        return (self.socket.readable, self.socket.writable, self.socket.changed)

    def ioctl(self, task: Task, request: int, arg: int) -> int:
        """FIONREAD, SIOCOUTQ, and what the family knows."""
        numbers = task.abi.structs.ioctl
        if request == numbers.fionread:
            count = self.socket.unread()
        elif request == numbers.tiocoutq:
            count = self.socket.unsent()
        else:
            answered = self.socket.ioctl(task, request, arg)
            if answered is None:
                raise ENOTTY(f"ioctl {request:#x} means nothing to this socket")
            return answered
        task.user.write(arg, struct.pack(task.abi.order + "i", count))
        return 0


def open_socket(task: Task, socket: Socket, flags: int) -> SocketFile:
    """An open file over a new socket."""
    inode = task.kernel.vfs.sockfs.new_inode(task.cred.fsuid, task.cred.fsgid)
    return SocketFile(socket, inode, flags)
