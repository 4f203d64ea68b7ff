"""The devices of a network namespace, as ioctls and netlink show them: there is one, `lo`.

Mirrors:  Linux net/core/dev_ioctl.c, net/ipv4/devinet.c (devinet_ioctl, inet_gifconf),
          net/core/rtnetlink.c (rtnl_fill_ifinfo), net/ipv6/addrconf.c (inet6_fill_ifaddr).
Deviates: `lo` has its addresses while it is up, and no others can be given to it.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from kernel_model.abi import socket as abi
from kernel_model.abi.errno import EADDRNOTAVAIL, ENODEV, EPERM

if TYPE_CHECKING:
    from kernel_model.net.namespace import NetNamespace
    from kernel_model.task import Task

LO, LO_INDEX, LO_MTU = b"lo", 1, 16436
IFF_UP, IFF_LOOPBACK, IFF_RUNNING, IFF_LOWER_UP = 0x1, 0x8, 0x40, 0x10000
ARPHRD_LOOPBACK = 772
_NAME_BYTES, _QUEUE_LENGTH = 16, 0
_ADDRESSES = {
    abi.SIOCGIFADDR: bytes([127, 0, 0, 1]),
    abi.SIOCGIFNETMASK: bytes([255, 0, 0, 0]),
    abi.SIOCGIFBRDADDR: bytes(4),
    abi.SIOCGIFDSTADDR: bytes([127, 0, 0, 1]),
}


def flags_of(net: NetNamespace) -> int:
    """IFF_* of lo."""
    return IFF_LOOPBACK | (IFF_UP | IFF_RUNNING if net.loopback_up else 0)


def set_up(task: Task, net: NetNamespace, up: bool) -> None:
    """Switch lo on or off. Raises EPERM."""
    if not task.cred.cap("CAP_NET_ADMIN"):
        raise EPERM("devices need CAP_NET_ADMIN")
    net.loopback_up = up


def ioctl(task: Task, net: NetNamespace, request: int, arg: int) -> int | None:
    """A request that every socket understands; None if it is none."""
    order = task.abi.order
    if request == abi.SIOCGIFCONF:
        return _list(task, net, arg)
    if request == abi.SIOCGIFNAME:
        index = struct.unpack(order + "i", task.user.read(arg + _NAME_BYTES, 4))[0]
        if index != LO_INDEX:
            raise ENODEV(f"there is no device {index}")
        task.user.write(arg, LO.ljust(_NAME_BYTES, b"\0"))
        return 0
    if request == abi.SIOCSIFFLAGS:
        _named(task, arg)
        flags = struct.unpack(order + "h", task.user.read(arg + _NAME_BYTES, 2))[0]
        set_up(task, net, bool(flags & IFF_UP))
        return 0
    answers = {
        abi.SIOCGIFINDEX: struct.pack(order + "i", LO_INDEX),
        abi.SIOCGIFFLAGS: struct.pack(order + "h", flags_of(net)),
        abi.SIOCGIFMTU: struct.pack(order + "i", LO_MTU),
        abi.SIOCGIFMETRIC: struct.pack(order + "i", 0),
        abi.SIOCGIFTXQLEN: struct.pack(order + "i", _QUEUE_LENGTH),
        abi.SIOCGIFHWADDR: struct.pack(order + "H14x", ARPHRD_LOOPBACK),
    }
    if request not in answers:
        return None
    _named(task, arg)
    task.user.write(arg + _NAME_BYTES, answers[request])
    return 0


def inet_ioctl(task: Task, net: NetNamespace, request: int, arg: int) -> int | None:
    """A request about IPv4 addresses; None if it is none."""
    if request not in _ADDRESSES:
        return None
    _named(task, arg)
    if not net.loopback_up:
        raise EADDRNOTAVAIL("the device has no address")
    task.user.write(arg + _NAME_BYTES, _sockaddr(task, _ADDRESSES[request]))
    return 0


def _sockaddr(task: Task, host: bytes) -> bytes:
    return struct.pack(task.abi.order + "H2x", abi.AF_INET) + host + bytes(8)


def _named(task: Task, arg: int) -> None:
    name = task.user.read(arg, _NAME_BYTES).split(b"\0")[0]
    if name != LO:
        raise ENODEV(f"there is no device {name!r}")


def _list(task: Task, net: NetNamespace, arg: int) -> int:
    """SIOCGIFCONF: devices with an address, as many as there is room for."""
    width, order = task.abi.word_bytes, task.abi.order
    room = struct.unpack(order + "i", task.user.read(arg, 4))[0]
    buffer = task.user.word(arg + width)
    entry = LO.ljust(_NAME_BYTES, b"\0") + _sockaddr(task, _ADDRESSES[abi.SIOCGIFADDR])
    entry = entry.ljust(32 if width == 4 else 40, b"\0")
    length = 0
    if net.loopback_up and (not buffer or room >= len(entry)):
        if buffer:
            task.user.write(buffer, entry)
        length = len(entry)
    task.user.write(arg, struct.pack(order + "i", length))
    return 0
