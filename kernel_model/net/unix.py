"""UNIX sockets: their names, and what all three types have in common.

A name is a path (an inode of type socket, which leads to the socket while it lives) or abstract
(a zero byte and anything, known to the network namespace). What a socket says to another is put
into the other's queue at once.

Mirrors:  Linux net/unix/af_unix.c.
Not modelled: MSG_OOB.
"""

from __future__ import annotations

import stat
import struct
from typing import TYPE_CHECKING

from kernel_model.abi import socket as abi
from kernel_model.abi.errno import (
    EADDRINUSE,
    ECONNREFUSED,
    EEXIST,
    EINVAL,
    ENOTCONN,
    EOPNOTSUPP,
    EPROTOTYPE,
)
from kernel_model.abi.fcntl import MAY_WRITE
from kernel_model.net.message import NOBODY, Message, Outgoing, PeerCred, Received, Ucred
from kernel_model.net.socket import Socket
from kernel_model.vfs.mounts import Path
from kernel_model.vfs.names import make
from kernel_model.vfs.path import Walk
from kernel_model.vfs.permission import permission

if TYPE_CHECKING:
    from kernel_model.net.namespace import NetNamespace
    from kernel_model.task import Task

_FAMILY_BYTES = 2
_ADDRESS_BYTES = _FAMILY_BYTES + abi.UNIX_PATH_MAX


def credentials_of(task: Task) -> Ucred:
    """What SCM_CREDENTIALS says of a task that does not say it itself."""
    return Ucred(task.tgid, task.cred.uid, task.cred.gid)


class UnixSocket(Socket):
    """A UNIX socket of any type."""

    family = abi.AF_UNIX

    def __init__(self, net: NetNamespace, protocol: int = 0) -> None:
        super().__init__(net, protocol)
        self.name: bytes | None = None
        """A path, or a zero byte and an abstract name."""
        self.place: Path | None = None
        """Where the path lies."""
        self.peer: UnixSocket | None = None

    # ---- names

    def _name_of(self, task: Task, address: bytes) -> bytes:
        """The name in a sockaddr_un; empty if it holds nothing but the family."""
        if not _FAMILY_BYTES < len(address) <= _ADDRESS_BYTES:
            raise EINVAL(f"an address of {len(address)} bytes")
        if struct.unpack_from(task.abi.order + "H", address)[0] != abi.AF_UNIX:
            raise EINVAL("not an address of a UNIX socket")
        name = address[_FAMILY_BYTES:]
        return name if name[:1] == b"\0" else name.split(b"\0")[0]

    def sockaddr(self, task: Task) -> bytes:
        """The name as the task's ABI lays it out."""
        name = self.name or b""
        if name and name[:1] != b"\0":
            name += b"\0"
        return struct.pack(task.abi.order + "H", abi.AF_UNIX) + name

    def own_name(self, task: Task) -> bytes:
        """Its name; the family alone if it has none."""
        return self.sockaddr(task)

    def peer_name(self, task: Task) -> bytes:
        """The name of the other end."""
        if self.peer is None:
            raise ENOTCONN("there is no other end")
        return self.peer.sockaddr(task)

    def bind(self, task: Task, address: bytes) -> None:
        """Take a name; the family alone asks for any abstract one."""
        if len(address) == _FAMILY_BYTES:
            if struct.unpack(task.abi.order + "H", address)[0] != abi.AF_UNIX:
                raise EINVAL("not an address of a UNIX socket")
            self.autobind()
            return
        name = self._name_of(task, address)
        if self.name is not None:
            raise EINVAL("the socket has a name")
        if name[:1] == b"\0":
            if (self.type, name) in self.net.abstract:
                raise EADDRINUSE("another socket has this abstract name")
            self.net.abstract[self.type, name] = self
        else:
            walk = Walk(task)
            assert self.file is not None
            mode = self.file.inode.mode & ~task.fs.umask
            try:
                self.place = make(task, walk, walk.parent_of(name), stat.S_IFSOCK | mode & 0o7777)
            except EEXIST:
                raise EADDRINUSE("the name exists") from None
            self.place.inode.socket = self
        self.name = name

    def autobind(self) -> None:
        """Take an abstract name if it has none."""
        if self.name is None:
            self.name = self.net.free_abstract_name(self.type)
            self.net.abstract[self.type, self.name] = self

    def find(self, task: Task, address: bytes) -> UnixSocket:
        """The socket of an address. Raises ECONNREFUSED, EPROTOTYPE and what the walk raises."""
        name = self._name_of(task, address)
        other: Socket | None
        if name[:1] == b"\0":
            other = self.net.abstract.get((self.type, name))
        else:
            place = Walk(task).resolve(name)
            permission(task.cred, place.inode, MAY_WRITE)
            other = place.inode.socket
        if not isinstance(other, UnixSocket) or other.dead:
            raise ECONNREFUSED("no socket answers to this name")
        if other.type != self.type:
            raise EPROTOTYPE("the socket of this name is of another type")
        return other

    def forget_name(self) -> None:
        """Nobody shall find it any more; it still tells its name."""
        if self.place is not None and self.place.inode.socket is self:
            self.place.inode.socket = None
        elif self.name is not None and self.net.abstract.get((self.type, self.name)) is self:
            del self.net.abstract[self.type, self.name]

    # ---- messages

    def post(
        self, target: UnixSocket, out: Outgoing, task: Task, data: bytes, *, first: bool
    ) -> None:
        """Put a message into another socket's queue; the first of a call takes the files."""
        cred = out.cred
        if cred is None and (self.options.passcred or target.options.passcred):
            cred = credentials_of(task)
        message = Message(bytearray(data), cred=cred or NOBODY)
        if first:
            for file in out.files:
                message.files.append(file.grab())
                self.net.in_flight.launched(file)
        self.put(target, message)

    def landed_files(self, message: Message, received: Received, *, peek: bool) -> None:
        """Hand over the files of a message, or other uses of them."""
        if peek:
            received.files += [file.grab() for file in message.files]
            return
        for file in message.files:
            self.net.in_flight.landed(file)
        received.files += message.files
        message.files = []

    def check_flags(self, flags: int) -> None:
        """What UNIX sockets do not do."""
        if flags & abi.MSG_OOB:
            raise EOPNOTSUPP("a UNIX socket has no urgent data")

    def peer_cred(self, task: Task) -> PeerCred:
        """What SO_PEERCRED of the other end shall tell of this task."""
        return PeerCred(task.tgid, task.cred)
