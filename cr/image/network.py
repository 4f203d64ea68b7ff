"""Records of ours: what linux-cr does not say of sockets and of a network namespace.

Image grammar:

    at the end of a sock      [ SOCKET_EXTRA ]  [ INET_OPTIONS ]
    after a socket buffer     [ SOCKET_RIGHTS ]
    at the end of an NS       [ NET_STATE ]

Mirrors:  nothing.
Deviates: Linux refuses sockets with unaccepted connections, or files on their way; these are in
          SOCKET_EXTRA and SOCKET_RIGHTS.
"""

from typing import Annotated

from cr.image.types import (
    HDR_INET_OPTIONS,
    HDR_NET_STATE,
    HDR_SOCKET_EXTRA,
    HDR_SOCKET_RIGHTS,
    Framed,
)
from emu.layout import Record, at, hex32, raw, record, rest, s32, u16, u32, u64


@record(size=16)
class SocketExtra(Framed):
    """What linux-cr does not say of a socket."""

    TYPE = HDR_SOCKET_EXTRA

    peer_pid: s32 = at("SO_PEERCRED: the process at the other end")
    pad: u32 = at("zero", default=0, must_be=0)
    pending: Annotated[tuple[int, ...], rest(s32)] = at(
        "object numbers of connections that nobody has accepted; the oldest first"
    )

    def invalid(self) -> str | None:
        return None if self.peer_pid >= 0 else "peer_pid must not be negative"


@record(size=8)
class SocketRights(Framed):
    """Open files in the message before (SCM_RIGHTS); linux-cr refuses them."""

    TYPE = HDR_SOCKET_RIGHTS

    files: Annotated[tuple[int, ...], rest(s32)] = at("their object numbers")


@record(size=48)
class TimeWait(Record):
    """A connection that was closed here; its port is not free for everybody yet."""

    until_ns: u64 = at("virtual clock at which it ends")
    local: Annotated[bytes, raw(16)] = at("local address; IPv4 in the form ::ffff:a.b.c.d")
    remote: Annotated[bytes, raw(16)] = at("foreign address")
    local_port: u16 = at("local port")
    remote_port: u16 = at("foreign port")
    reuse: u32 = at("1: it was made with SO_REUSEADDR")


@record(size=24)
class NetState(Framed):
    """A network namespace besides its devices; linux-cr loses it."""

    TYPE = HDR_NET_STATE

    next_autobind: u32 = at("the number in the next abstract name that the kernel chooses")
    next_port: u32 = at("the next port that the kernel chooses")
    loopback_up: u32 = at("1: the loopback device is up")
    pad: u32 = at("zero", default=0, must_be=0)
    time_wait: Annotated[tuple[TimeWait, ...], rest(TimeWait)] = at("the oldest first")

    def invalid(self) -> str | None:
        if self.loopback_up > 1 or self.next_port >> 16 or self.next_autobind >> 20:
            return "a flag, a port or a number that there is not"
        return None


@record(size=12)
class InetOption(Record):
    """One option of an internet socket."""

    level: u32 = at("IPPROTO_*")
    name: u32 = at("the option's number")
    value: s32 = at("its value")


@record(size=16)
class InetOptions(Framed):
    """What linux-cr does not say of an internet socket: options, and how its port was chosen."""

    TYPE = HDR_INET_OPTIONS

    flags: hex32 = at("1: bind() chose the port; 2: the other end has sent its FIN")
    pad: u32 = at("zero", default=0, must_be=0)
    options: Annotated[tuple[InetOption, ...], rest(InetOption)] = at(
        "options that differ from what they are at first"
    )

    def invalid(self) -> str | None:
        return "unknown flags" if self.flags > 3 else None
