"""Checkpoint and restart of network namespaces.

With CHECKPOINT_NETNS a namespace is written with its devices, of which there is only the loopback
device. Without it all tasks must be in one namespace, and the restarted ones are in that of who
restarts. What the kernel has to remember besides devices is in NET_STATE, ours.

Image grammar:

    net-ns  =  NETNS  OBJREF netdev
    netdev  =  NETDEV  NETDEV_ADDR { NetdevAddr }

Mirrors:  linux-cr net/checkpoint_dev.c -- checkpoint_netns, restore_netns, checkpoint_netdev.
Not modelled: veth, sit and macvlan devices.
"""

from __future__ import annotations

from cr.context import Checkpoint, Restart
from cr.image import namespaces as image
from cr.image import network as ours
from cr.image import types as t
from kernel_model.abi.errno import EPERM
from kernel_model.clock import KTIME_MAX_NS
from kernel_model.net.namespace import FIRST_PORT, LAST_PORT, NetNamespace, TimeWait

_IFF_UP, _IFF_LOOPBACK, _IFF_RUNNING = 0x1, 0x8, 0x40
_LOOPBACK, _MASK = 0x7F000001, 0xFF000000


def checkpoint_reference(ctx: Checkpoint, net: NetNamespace) -> int:
    """The number of a namespace; 0 if namespaces are not saved."""
    if not ctx.netns:
        if net is not ctx.net:
            ctx.refuse(EPERM, "a task is in another network namespace than the root of the tree")
        return 0
    return ctx.write_object(t.OBJ_NET_NS, net, _checkpoint_net)


def _checkpoint_net(ctx: Checkpoint, net: NetNamespace) -> None:
    number = ctx.objs.lookup(net)
    assert number is not None
    ctx.image.write(t.HDR_NET_NS, image.NetNs(this_ref=number))
    ctx.image.write_objref(t.OBJ_NETDEV, ctx.objs.reserve())
    up = _IFF_UP | _IFF_RUNNING if net.loopback_up else 0
    record = image.Netdev(
        netns_ref=number,
        this_ref=0,
        peer_ref=0,
        inet_addrs=int(net.loopback_up),
        type=t.NETDEV_LO,
        flags=_IFF_LOOPBACK | up,
        hwaddr=bytes(6),
    )
    ctx.image.write(t.HDR_NETDEV, record)
    if net.loopback_up:
        address = image.NetdevAddr(
            type=t.NETDEV_ADDR_IPV4,
            inet4_local=_LOOPBACK,
            inet4_address=_LOOPBACK,
            inet4_mask=_MASK,
            inet4_broadcast=0,
        )
        ctx.image.write_blob(t.HDR_NETDEV_ADDR, address.pack(ctx.image.order))


def checkpoint_state(ctx: Checkpoint, net: NetNamespace) -> None:
    """Write what a namespace remembers, if it has anything to remember."""
    waiting = net.all_time_wait(ctx.now_ns)
    fresh = (net.next_autobind, net.next_port, net.loopback_up) == (1, FIRST_PORT, True)
    if ctx.pure or (fresh and not waiting):
        return
    entries = tuple(
        ours.TimeWait(
            until_ns=each.until_ns,
            local=each.local,
            remote=each.remote,
            local_port=each.local_port,
            remote_port=each.remote_port,
            reuse=int(each.reuse),
        )
        for each in waiting
    )
    record = ours.NetState(
        next_autobind=net.next_autobind,
        next_port=net.next_port,
        loopback_up=int(net.loopback_up),
        time_wait=entries,
    )
    ctx.image.write(t.HDR_NET_STATE, record)


def restore_net(ctx: Restart) -> NetNamespace:
    """Make a namespace with its devices."""
    record = ctx.image.read(t.HDR_NET_NS, image.NetNs)
    ctx.netdevs.clear()
    ctx.image.take_objects()
    if [(each.netns_ref, each.type) for each in ctx.netdevs] != [(record.this_ref, t.NETDEV_LO)]:
        ctx.refuse("a network namespace has its loopback device, and no other is modelled")
    up = bool(ctx.netdevs[0].flags & _IFF_UP)
    return NetNamespace(ctx.kernel.clock, loopback_up=up)


def restore_netdev(ctx: Restart) -> image.Netdev:
    """Read a device; its namespace looks at it."""
    record = ctx.image.read(t.HDR_NETDEV, image.Netdev)
    if record.inet_addrs > 1:
        ctx.refuse(f"a loopback device with {record.inet_addrs} addresses")
    if record.inet_addrs:
        ctx.image.read_records(image.NetdevAddr, record.inet_addrs, t.HDR_NETDEV_ADDR)
    ctx.netdevs.append(record)
    return record


def restore_state(ctx: Restart, net: NetNamespace, *, own: bool) -> None:
    """Read what a namespace remembers; it is put in place at the commit.

    Unless it is the own one of who restarts, which has a life of its own.
    """
    if ctx.image.peek() != t.HDR_NET_STATE:
        return
    record = ctx.image.read(t.HDR_NET_STATE, ours.NetState)
    if not FIRST_PORT <= record.next_port <= LAST_PORT or not record.next_autobind:
        ctx.refuse(f"port {record.next_port} cannot be the next one")
    if any(each.until_ns > KTIME_MAX_NS or each.reuse > 1 for each in record.time_wait):
        ctx.refuse("a closed connection that never ends")
    if ctx.alone or not own:
        ctx.net_states.append((net, record))


def attach_state(ctx: Restart) -> None:
    """Commit: a namespace remembers. Nothing here can fail."""
    for net, record in ctx.net_states:
        net.next_autobind, net.next_port = record.next_autobind, record.next_port
        net.loopback_up = bool(record.loopback_up)
        for each in record.time_wait:
            entry = TimeWait(
                until_ns=ctx.clock_time(each.until_ns),
                local=each.local,
                remote=each.remote,
                local_port=each.local_port,
                remote_port=each.remote_port,
                reuse=bool(each.reuse),
            )
            net.time_wait.append(entry)
