"""Namespaces: which ones a task lives in, host names, network devices.

Image grammar:

    ns      =  { OBJREF uts-ns | ipc-ns | net-ns }  NS  [ NET_STATE ]  [ NS_MOUNTS ]
    uts-ns  =  UTS_NS
    net-ns  =  NET_NS  { OBJREF netdev }
    netdev  =  NETDEV  [ NETDEV_ADDR { NetdevAddr } ]

Mirrors:  linux-cr checkpoint_hdr.h: ckpt_hdr_ns, ckpt_hdr_utsns, ckpt_hdr_netns, ckpt_hdr_netdev,
          ckpt_netdev_addr.
Deviates: NETDEV has a union of a veth pair and a macvlan mode; the two words are named for the
          pair, and `macvlan_mode` reads the first.
Not here: mount namespaces, of which linux-cr wrote nothing; ours are in cr.image.mounts.
"""

from typing import Annotated

from cr.image.types import (
    HDR_NET_NS,
    HDR_NETDEV,
    HDR_NS,
    HDR_UTS_NS,
    NETDEV_ADDR_IPV4,
    NETDEV_MACVLAN,
    UTS_BYTES,
    Framed,
)
from emu.layout import Record, at, be32, chars, hex16, raw, record, s32, u16, u32


@record(size=24)
class Ns(Framed):
    """The namespaces of a task; 0 means those of the root task."""

    TYPE = HDR_NS

    uts_objref: s32 = at("host and domain name")
    ipc_objref: s32 = at("System V IPC")
    net_objref: s32 = at("network")
    pad: u32 = at("zero", default=0, must_be=0)

    def invalid(self) -> str | None:
        if min(self.uts_objref, self.ipc_objref, self.net_objref) < 0:
            return "object numbers must not be negative"
        return None


@record(size=400)
class UtsNs(Framed):
    """What uname() says in this namespace."""

    TYPE = HDR_UTS_NS

    sysname: Annotated[bytes, chars(UTS_BYTES)] = at("operating system")
    nodename: Annotated[bytes, chars(UTS_BYTES)] = at("host name")
    release: Annotated[bytes, chars(UTS_BYTES)] = at("kernel release")
    version: Annotated[bytes, chars(UTS_BYTES)] = at("kernel version")
    machine: Annotated[bytes, chars(UTS_BYTES)] = at("processor")
    domainname: Annotated[bytes, chars(UTS_BYTES)] = at("NIS domain name")
    pad: Annotated[bytes, raw(2)] = at("zero", default=bytes(2), must_be=bytes(2))

    def invalid(self) -> str | None:
        for name in ("sysname", "nodename", "release", "version", "machine", "domainname"):
            if len(getattr(self, name)) >= UTS_BYTES:
                return f"{name} has no zero byte at its end"
        return None


@record(size=16)
class NetNs(Framed):
    """A network namespace; its devices follow."""

    TYPE = HDR_NET_NS

    this_ref: s32 = at("its own object number")
    pad: u32 = at("zero", default=0, must_be=0)


@record(size=40)
class Netdev(Framed):
    """A network device."""

    TYPE = HDR_NETDEV

    netns_ref: s32 = at("the namespace it is in")
    this_ref: s32 = at("veth: object number of this end; macvlan: mode")
    peer_ref: s32 = at("veth: object number of the other end")
    inet_addrs: u32 = at("how many addresses follow")
    type: u16 = at("NETDEV_*")
    flags: hex16 = at("IFF_*")
    hwaddr: Annotated[bytes, raw(6)] = at("hardware address")
    pad: u16 = at("zero", default=0, must_be=0)
    pad_tail: u32 = at("zero", default=0, must_be=0)

    def invalid(self) -> str | None:
        if self.type > NETDEV_MACVLAN:
            return f"device type {self.type} is none of NETDEV_*"
        return None

    @property
    def macvlan_mode(self) -> int:
        """The first word of the union, read the other way."""
        return self.this_ref & 0xFFFFFFFF


@record(size=24)
class NetdevAddr(Record):
    """One address of a device."""

    type: u16 = at("NETDEV_ADDR_IPV4")
    pad: u16 = at("zero", default=0, must_be=0)
    pad_type: u32 = at("zero", default=0, must_be=0)
    inet4_local: be32 = at("address")
    inet4_address: be32 = at("the peer's address, or the same")
    inet4_mask: be32 = at("network mask")
    inet4_broadcast: be32 = at("broadcast address")

    def invalid(self) -> str | None:
        return None if self.type == NETDEV_ADDR_IPV4 else f"address type {self.type} is unknown"
