"""A network namespace: the loopback device, and the names that sockets have given themselves.

Mirrors:  Linux struct net, as far as a machine without other machines needs it.
Deviates: abstract names are handed out in order (autobind).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel_model.abi.errno import ENOSPC
from kernel_model.net.in_flight import InFlight

if TYPE_CHECKING:
    from kernel_model.net.socket import Socket
    from kernel_model.vfs.inode import RealTime

_AUTOBIND_MASK = 0xFFFFF


class NetNamespace:
    """What sockets of one namespace see of each other."""

    def __init__(self, clock: RealTime, *, loopback_up: bool = False) -> None:
        self.clock = clock
        self.loopback_up = loopback_up
        self.abstract: dict[tuple[int, bytes], Socket] = {}
        """UNIX sockets by type and a name that begins with a zero byte."""
        self.next_autobind = 1
        self.in_flight = InFlight()

    def free_abstract_name(self, kind: int) -> bytes:
        """A name of five digits that nobody has."""
        for _ in range(_AUTOBIND_MASK + 1):
            name = b"\0%05x" % self.next_autobind
            self.next_autobind = (self.next_autobind + 1) & _AUTOBIND_MASK
            if (kind, name) not in self.abstract:
                return name
        raise ENOSPC("all abstract names are taken")
