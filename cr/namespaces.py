"""Checkpoint and restart of namespaces: host names, System V IPC.

Image grammar:

    ns  =  [ OBJREF uts-ns ]  [ OBJREF ipc-ns ]  NS

Mirrors:  linux-cr kernel/nsproxy.c -- do_checkpoint_ns, do_restore_ns; kernel/utsname.c.
Not modelled: net namespaces (a reference of 0: the restarting kernel's own).
"""

from __future__ import annotations

from cr.context import Checkpoint, Restart
from cr.image import namespaces as image
from cr.image import types as t
from cr.ipc import checkpoint_ipc
from kernel_model.ipc.namespace import IpcNamespace
from kernel_model.nsproxy import NsProxy, UtsNamespace


def checkpoint_ns(ctx: Checkpoint, nsproxy: NsProxy) -> None:
    """Write the set of namespaces of a task."""
    uts = ctx.write_object(t.OBJ_UTS_NS, nsproxy.uts, checkpoint_uts)
    ipc = ctx.write_object(t.OBJ_IPC_NS, nsproxy.ipc, checkpoint_ipc)
    ctx.image.write(t.HDR_NS, image.Ns(uts_objref=uts, ipc_objref=ipc, net_objref=0))


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
    if record.net_objref:
        ctx.refuse("net namespaces are not modelled")
    uts, ipc = ctx.opener.nsproxy.uts, ctx.opener.nsproxy.ipc
    if record.uts_objref:
        uts = ctx.objs.fetch(ctx, record.uts_objref, t.OBJ_UTS_NS, UtsNamespace)
    if record.ipc_objref:
        ipc = ctx.objs.fetch(ctx, record.ipc_objref, t.OBJ_IPC_NS, IpcNamespace)
    return NsProxy(uts, ipc, ctx.opener.nsproxy.net)


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
