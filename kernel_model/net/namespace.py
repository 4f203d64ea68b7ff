"""A network namespace: the loopback device, and the names that sockets have given themselves.

Mirrors:  Linux struct net, as far as a machine without other machines needs it.
Deviates: abstract names (autobind) and ports are handed out in order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kernel_model.abi.errno import ENOSPC
from kernel_model.net.in_flight import InFlight

if TYPE_CHECKING:
    from kernel_model.clock import Clock
    from kernel_model.net.inet import Endpoint, InetSocket
    from kernel_model.net.netlink import NetlinkSocket
    from kernel_model.net.socket import Socket

_AUTOBIND_MASK = 0xFFFFF
FIRST_PORT, LAST_PORT = 32768, 61000
"""net.ipv4.ip_local_port_range."""
_TIME_WAIT_NS = 60 * 10**9


@dataclass(frozen=True)
class TimeWait:
    """A connection that was closed here first; addresses have 16 bytes."""

    until_ns: int
    local: bytes
    remote: bytes
    local_port: int
    remote_port: int
    reuse: bool


class NetNamespace:
    """What sockets of one namespace see of each other."""

    def __init__(self, clock: Clock, *, loopback_up: bool = False) -> None:
        self.clock = clock
        self.loopback_up = loopback_up
        self.abstract: dict[tuple[int, bytes], Socket] = {}
        """UNIX sockets by type and a name that begins with a zero byte."""
        self.next_autobind = 1
        self.next_port = FIRST_PORT
        self.in_flight = InFlight()
        self.netlink: dict[int, NetlinkSocket] = {}
        """Netlink sockets by their number."""
        self.bound: list[InetSocket] = []
        """Internet sockets that have a port; the order is that of taking it."""
        self.time_wait: list[TimeWait] = []

    def free_abstract_name(self, kind: int) -> bytes:
        """A name of five digits that nobody has."""
        for _ in range(_AUTOBIND_MASK + 1):
            name = b"\0%05x" % self.next_autobind
            self.next_autobind = (self.next_autobind + 1) & _AUTOBIND_MASK or 1
            if (kind, name) not in self.abstract:
                return name
        raise ENOSPC("all abstract names are taken")

    def all_time_wait(self, now_ns: int) -> list[TimeWait]:
        """Closed connections that are still remembered."""
        return [entry for entry in self.time_wait if entry.until_ns > now_ns]

    def enter_time_wait(self, local: Endpoint, remote: Endpoint, *, reuse: bool) -> None:
        """`local` closed its connection first: remember it for a minute."""
        now_ns = self.clock.now_ns()
        entry = TimeWait(
            until_ns=now_ns + _TIME_WAIT_NS,
            local=local.host,
            remote=remote.host,
            local_port=local.port,
            remote_port=remote.port,
            reuse=reuse,
        )
        self.time_wait = [*self.all_time_wait(now_ns), entry]

    def prolong_time_wait(self, local: Endpoint, remote: Endpoint) -> None:
        """The other end has closed, too: the minute begins anew."""
        for entry in self.all_time_wait(self.clock.now_ns()):
            here, there = (entry.local, entry.local_port), (entry.remote, entry.remote_port)
            if here == local and there == remote:
                self.time_wait.remove(entry)
                self.enter_time_wait(local, remote, reuse=entry.reuse)
