"""Messages of sockets: on their way in, in a queue, on their way out.

Each knows its sender, whose room for sending it takes until it is read.

Mirrors:  Linux struct sk_buff, struct scm_cookie.
Deviates: what a message costs its sender is its length and a fixed overhead.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from kernel_model.abi import socket as abi

if TYPE_CHECKING:
    from kernel_model.creds import Cred
    from kernel_model.task import Task
    from kernel_model.vfs.openfile import OpenFile

MESSAGE_OVERHEAD = 512


class Ucred(NamedTuple):
    """struct ucred: who sent a message."""

    pid: int
    uid: int
    gid: int


NOBODY = Ucred(0, abi.OVERFLOW_ID, abi.OVERFLOW_ID)


class PeerCred(NamedTuple):
    """SO_PEERCRED: who made the other end."""

    pid: int
    cred: Cred


@dataclass(eq=False)
class Message:
    """One message, or a run of bytes, that was not read yet."""

    data: bytearray
    sender: Any = None
    """The socket that sent it; its room is taken until this is read."""
    cred: Ucred = NOBODY
    files: list[OpenFile] = field(default_factory=list)
    """Open files on their way (SCM_RIGHTS); the message is a user of each."""
    source: Any = None
    """Internet: the address it came from."""

    @property
    def cost(self) -> int:
        """What it takes of its sender's room."""
        return len(self.data) + MESSAGE_OVERHEAD


@dataclass(frozen=True)
class Outgoing:
    """What a task wants to send."""

    data: bytes
    address: bytes | None
    flags: int
    cred: Ucred | None
    files: tuple[OpenFile, ...] = ()

    @classmethod
    def plain(cls, task: Task, data: bytes, flags: int) -> Outgoing:
        """What write(2) sends."""
        return cls(data, None, flags, None)

    @property
    def dont_wait(self) -> bool:
        """MSG_DONTWAIT, or O_NONBLOCK."""
        return bool(self.flags & abi.MSG_DONTWAIT)


@dataclass
class Received:
    """What a task has received."""

    data: bytes = b""
    address: bytes | None = None
    cred: Ucred | None = None
    files: list[OpenFile] = field(default_factory=list)
    flags: int = 0
    result: int = -1
    """What the call returns; -1: the length of the data."""
    ends: bool = False
    """MSG_WAITALL does not go on behind this."""

    def drop_files(self) -> None:
        """Nobody wants the files."""
        for file in self.files:
            file.drop()
        self.files = []
