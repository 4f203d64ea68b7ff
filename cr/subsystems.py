"""The table of contents: every kind of shared object, how it is restored and let go.

(How each is checkpointed is said where it is first mentioned: `ctx.write_object(...)`.)

Mirrors:  linux-cr struct ckpt_obj_ops.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cr import (
    creds,
    files,
    ipc,
    memory,
    namespaces,
    network,
    regular,
    security,
    signals,
    sockets,
    terminals,
)
from cr.context import Restart
from cr.image import types as t
from cr.image.header import Objref

RESTORE: dict[int, Callable[[Restart], Any]] = {
    t.OBJ_FILE_TABLE: files.restore_table,
    t.OBJ_FILE: files.restore_file,
    t.OBJ_MM: memory.restore_mm,
    t.OBJ_FS: regular.restore_fs,
    t.OBJ_SIGHAND: signals.restore_sighand,
    t.OBJ_NS: namespaces.restore_ns,
    t.OBJ_UTS_NS: namespaces.restore_uts,
    t.OBJ_IPC_NS: ipc.restore_ipc,
    t.OBJ_SEM_UNDO: ipc.restore_undo,
    t.OBJ_USER_NS: creds.restore_user_namespace,
    t.OBJ_CRED: creds.restore_cred,
    t.OBJ_USER: creds.restore_user,
    t.OBJ_GROUPINFO: creds.restore_groups,
    t.OBJ_SOCK: sockets.restore_sock,
    t.OBJ_NET_NS: network.restore_net,
    t.OBJ_NETDEV: network.restore_netdev,
    t.OBJ_TTY: terminals.restore_tty,
    t.OBJ_SECURITY: security.restore_label,
}
COUNTED = frozenset({t.OBJ_FILE_TABLE, t.OBJ_FILE, t.OBJ_MM, t.OBJ_FS, t.OBJ_SIGHAND, t.OBJ_SOCK})
"""Objects that count their users: the table owns one until the restart ends."""


def restore_object(ctx: Restart, objref: Objref) -> None:
    """An OBJREF was met: read the object behind it and note it."""
    restore = RESTORE.get(objref.objtype)
    if restore is None:
        ctx.refuse(f"objects of type {t.object_name(objref.objtype)} are not modelled")
    if ctx.objs.known(objref.objref):
        ctx.refuse(f"object {objref.objref} is there twice")
    thing = restore(ctx)
    drop = thing.drop if objref.objtype in COUNTED else None
    ctx.objs.insert(ctx, objref.objref, objref.objtype, thing, drop)
