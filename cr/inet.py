"""Checkpoint and restart of internet sockets."""

from __future__ import annotations

from cr.context import Checkpoint, Restart
from cr.image import sockets as image
from kernel_model.net.inet import InetSocket
from kernel_model.net.socket import Message, Socket


def checkpoint_inet(ctx: Checkpoint, socket: InetSocket) -> None:
    """Write what an internet socket has of its own."""


def control_block(message: Message) -> bytes:
    """What a queue remembers of a message besides its bytes."""
    return b""


def fill_message(
    ctx: Restart, socket: InetSocket, message: Message, record: image.SocketBuffer
) -> None:
    """The opposite of `control_block`."""


def restore_inet(ctx: Restart, record: image.Socket) -> InetSocket:
    """Make an internet socket."""
    ctx.refuse("internet sockets are not modelled", errno=38)


def link_all(ctx: Restart, sockets: list[Socket]) -> None:
    """Find the two ends of connections."""


def attach_all(ctx: Restart, sockets: list[Socket]) -> None:
    """Commit: take the ports."""
