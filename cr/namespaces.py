"""Checkpoint and restart of namespaces: host names.

Image grammar:

    ns  =  [ OBJREF uts-ns ]  NS

Mirrors:  linux-cr kernel/nsproxy.c -- do_checkpoint_ns, do_restore_ns; kernel/utsname.c.
Not modelled: ipc and net namespaces (references of 0: the restarting kernel's own).
"""

from __future__ import annotations

from cr.context import Checkpoint, Restart
from cr.image import namespaces as image
from cr.image import types as t
from kernel_model.abi.errno import ENOSYS
from kernel_model.nsproxy import NsProxy, UtsNamespace


def checkpoint_ns(ctx: Checkpoint, nsproxy: NsProxy) -> None:
    """Write the set of namespaces of a task."""
    if nsproxy.ipc.shm.slots or nsproxy.ipc.msg.slots or nsproxy.ipc.sem.slots:
        ctx.refuse(ENOSYS, "System V IPC objects are not saved yet")
    uts = ctx.write_object(t.OBJ_UTS_NS, nsproxy.uts, checkpoint_uts)
    ctx.image.write(t.HDR_NS, image.Ns(uts_objref=uts, ipc_objref=0, net_objref=0))


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
    if record.ipc_objref or record.net_objref:
        ctx.refuse("ipc and net namespaces are not modelled")
    uts = ctx.opener.nsproxy.uts
    if record.uts_objref:
        uts = ctx.objs.fetch(ctx, record.uts_objref, t.OBJ_UTS_NS, UtsNamespace)
    return NsProxy(uts, ctx.opener.nsproxy.ipc)


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
