"""Sockets and network namespaces as canonical text, for the dump of a machine.

A socket is shown where it is first met, with all that it is linked with.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING

from kernel_model.net.in_flight import InFlight
from kernel_model.net.inet import InetSocket
from kernel_model.net.message import Message
from kernel_model.net.namespace import NetNamespace
from kernel_model.net.netlink import NetlinkSocket
from kernel_model.net.socket import Socket
from kernel_model.net.tcp import TcpSocket
from kernel_model.net.unix import UnixSocket

if TYPE_CHECKING:
    from kernel_model.vfs.openfile import OpenFile


class Names:
    """Numbers for objects, in the order in which they are met."""

    def __init__(self, *, whole: bool = True) -> None:
        self.whole = whole
        """All is shown: numbers of inodes, too, which another kernel chooses anew."""
        self.to_come: deque[OpenFile] = deque()
        """Files that were mentioned; what they are is still to be shown."""
        self._met: list[object] = []
        self._shown: set[int] = set()

    def of(self, kind: str, thing: object) -> tuple[str, bool]:
        """The name of an object, and whether it is to be shown: it was not before."""
        number = self._number(thing)
        first = number not in self._shown
        self._shown.add(number)
        return f"{kind}{number}", first

    def mention(self, file: OpenFile) -> str:
        """The name of a file that is shown later, since it may lead to any number of others."""
        self.to_come.append(file)
        return f"file{self._number(file)}"

    def _number(self, thing: object) -> int:
        for number, other in enumerate(self._met):
            if other is thing:
                return number
        self._met.append(thing)
        return len(self._met) - 1


def dump_network(net: NetNamespace, names: Names) -> Iterator[str]:
    """What a namespace knows besides its sockets."""
    yield f"    loopback {net.loopback_up} next {net.next_autobind} port {net.next_port}"
    for entry in net.all_time_wait(net.clock.now_ns()):
        yield f"    {entry}"
    yield f"    abstract {sorted(net.abstract)}"
    yield f"    on their way {sum(_counts(net.in_flight))}"


def _counts(in_flight: InFlight) -> list[int]:
    return sorted(in_flight.counts.values())


def dump_socket(socket: Socket, names: Names) -> Iterator[str]:
    """A socket, and those that it is linked with."""
    name, first = names.of("sock", socket)
    yield name
    if first:
        yield from (f"  {line}" for line in _details(socket, names))


def _details(socket: Socket, names: Names) -> Iterator[str]:
    yield (
        f"family {socket.family} type {socket.type} protocol {socket.protocol}"
        f" state {socket.state} shut {socket.shut} error {socket.error}"
        f"{' connecting' if socket.connecting else ''}{' closed' if socket.dead else ''}"
    )
    if isinstance(socket, UnixSocket):
        yield f"name {socket.name!r}"
    if isinstance(socket, NetlinkSocket):
        yield f"port {socket.port} groups {socket.groups:x}"
    if isinstance(socket, InetSocket):
        yield f"local {socket.local} remote {socket.remote} locked {socket.port_locked}"
        yield f"settings {sorted(socket.settings.items())} bound {socket in socket.net.bound}"
    if socket.dead:
        return
    yield f"{socket.options} backlog {socket.backlog} used {socket.used}"
    peer = socket.peercred
    if peer is not None:
        yield f"peer is {peer.pid} {peer.cred.euid}:{peer.cred.egid}"
    if isinstance(socket, UnixSocket) and socket.peer is not None:
        yield from _linked("to", socket.peer, names)
    if isinstance(socket, TcpSocket):
        yield f"FIN {socket.fin_received}"
        if socket.peer is not None:
            yield from _linked("to", socket.peer, names)
    for child in socket.pending:
        yield from _linked("pending", child, names)
    for message in socket.queue:
        yield from _message(message, names)


def _linked(word: str, other: Socket, names: Names) -> Iterator[str]:
    lines = dump_socket(other, names)
    yield f"{word} {next(lines)}"
    yield from lines


def _message(message: Message, names: Names) -> Iterator[str]:
    yield f"message {bytes(message.data)!r} {tuple(message.cred)} {message.source}"
    sender = message.sender
    if sender is not None and not (sender.dead and getattr(sender, "name", None) is None):
        yield from _linked("from", sender, names)
    for file in message.files:
        yield f"  {names.mention(file)}"
