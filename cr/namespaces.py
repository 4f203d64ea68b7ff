"""Checkpoint and restart of namespaces: host names, System V IPC, networks.

Image grammar:

    ns  =  [ OBJREF uts-ns ]  [ OBJREF ipc-ns ]  [ OBJREF net-ns ]  NS  [ NET_STATE ]  [ NS_MOUNTS ]

Mirrors:  linux-cr kernel/nsproxy.c -- do_checkpoint_ns, do_restore_ns; kernel/utsname.c.
A reference of 0 means the namespace of who restarts.
"""

from __future__ import annotations

from cr import network
from cr.context import Checkpoint, Restart
from cr.image import namespaces as image
from cr.image import types as t
from cr.ipc import checkpoint_ipc
from cr.mounts import checkpoint_ns_mounts, restore_ns_mounts
from kernel_model.ipc.namespace import IpcNamespace
from kernel_model.net.namespace import NetNamespace
from kernel_model.nsproxy import NsProxy, UtsNamespace


def checkpoint_ns(ctx: Checkpoint, nsproxy: NsProxy) -> None:
    """Write the set of namespaces of a task."""
    uts = ctx.write_object(t.OBJ_UTS_NS, nsproxy.uts, checkpoint_uts)
    ipc = ctx.write_object(t.OBJ_IPC_NS, nsproxy.ipc, checkpoint_ipc)
    net = network.checkpoint_reference(ctx, nsproxy.net)
    ctx.image.write(t.HDR_NS, image.Ns(uts_objref=uts, ipc_objref=ipc, net_objref=net))
    if nsproxy.net not in ctx.nets_written:
        ctx.nets_written.append(nsproxy.net)
        network.checkpoint_state(ctx, nsproxy.net)
    checkpoint_ns_mounts(ctx, nsproxy.mnt)


def checkpoint_uts(ctx: Checkpoint, uts: UtsNamespace) -> None:
    """Write what uname tells."""
    record = image.UtsNs(
        sysname=uts.sysname,
        nodename=uts.nodename,
        release=uts.release,
        version=uts.version,
        machine=uts.machine,
        domainname=uts.domainname,
    )
    ctx.image.write(t.HDR_UTS_NS, record)


def restore_ns(ctx: Restart) -> NsProxy:
    """Read a set of namespaces; a reference of 0 is the restarting task's own."""
    record = ctx.image.read(t.HDR_NS, image.Ns)
    own = ctx.opener.nsproxy
    uts, ipc, net = own.uts, own.ipc, own.net
    if record.uts_objref:
        uts = ctx.objs.fetch(ctx, record.uts_objref, t.OBJ_UTS_NS, UtsNamespace)
    if record.ipc_objref:
        ipc = ctx.objs.fetch(ctx, record.ipc_objref, t.OBJ_IPC_NS, IpcNamespace)
    if record.net_objref:
        net = ctx.objs.fetch(ctx, record.net_objref, t.OBJ_NET_NS, NetNamespace)
    network.restore_state(ctx, net, own=not record.net_objref)
    return NsProxy(uts, ipc, net, restore_ns_mounts(ctx))


def restore_uts(ctx: Restart) -> UtsNamespace:
    """Read what uname tells."""
    record = ctx.image.read(t.HDR_UTS_NS, image.UtsNs)
    names = (
        record.sysname,
        record.nodename,
        record.release,
        record.version,
        record.machine,
        record.domainname,
    )
    # What lies behind the first zero byte of a field is no part of the name.
    return UtsNamespace(*(name.partition(b"\0")[0] for name in names))
