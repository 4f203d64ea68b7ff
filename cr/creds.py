"""Checkpoint and restart of credentials: ids, groups, users, capabilities.

Image grammar:

    cred  =  { OBJREF user | groupinfo }  CRED

Restoring a credential is doing it again with the rights of who restarts: ids that the restarting
task may not take, and capabilities that it does not have, are refused.

Mirrors:  linux-cr kernel/cred.c -- checkpoint_cred, restore_cred, checkpoint_groupinfo,
          checkpoint_user, do_restore_userns.
"""

from __future__ import annotations

from cr.context import Checkpoint, Restart
from cr.image import security as image
from cr.image import types as t
from cr.security import check_label
from kernel_model.abi.errno import EPERM
from kernel_model.creds import Cred, Groups, User, UserNamespace

_LOW = 0xFFFFFFFF


def checkpoint_cred(ctx: Checkpoint, cred: Cred) -> None:
    """Write a credential, after the user and the groups that it names."""
    user_ref = ctx.write_object(t.OBJ_USER, cred.user, checkpoint_user)
    groups_ref = ctx.write_object(t.OBJ_GROUPINFO, cred.group_info, checkpoint_groups)
    caps = image.Capabilities(
        cap_i_0=cred.cap_inheritable & _LOW,
        cap_i_1=cred.cap_inheritable >> 32,
        cap_p_0=cred.cap_permitted & _LOW,
        cap_p_1=cred.cap_permitted >> 32,
        cap_e_0=cred.cap_effective & _LOW,
        cap_e_1=cred.cap_effective >> 32,
        cap_b_0=cred.cap_bounding & _LOW,
        cap_b_1=cred.cap_bounding >> 32,
        securebits=cred.securebits,
    )
    record = image.Cred(
        uid=cred.uid,
        suid=cred.suid,
        euid=cred.euid,
        fsuid=cred.fsuid,
        gid=cred.gid,
        sgid=cred.sgid,
        egid=cred.egid,
        fsgid=cred.fsgid,
        user_ref=user_ref,
        groupinfo_ref=groups_ref,
        sec_ref=0,
        cap_s=caps,
    )
    ctx.image.write(t.HDR_CRED, record)


def checkpoint_user(ctx: Checkpoint, user: User) -> None:
    """Write a user; 0 stands for the namespace of the tree's root."""
    namespace = 0
    if user.namespace is not ctx.user_ns:
        namespace = ctx.write_object(t.OBJ_USER_NS, user.namespace, _checkpoint_namespace)
    ctx.image.write(t.HDR_USER, image.User(uid=user.uid, userns_ref=namespace))


def _checkpoint_namespace(ctx: Checkpoint, namespace: UserNamespace) -> None:
    if namespace.creator is None:
        ctx.refuse(EPERM, "a task is in a user namespace above that of the tree's root")
    creator = ctx.write_object(t.OBJ_USER, namespace.creator, checkpoint_user)
    ctx.image.write(t.HDR_USER_NS, image.UserNs(creator_ref=creator))


def checkpoint_groups(ctx: Checkpoint, groups: Groups) -> None:
    """Write the supplementary groups."""
    record = image.Groupinfo(ngroups=len(groups.gids), groups=groups.gids)
    ctx.image.write(t.HDR_GROUPINFO, record)


def restore_cred(ctx: Restart) -> Cred:
    """Read a credential that the restarting task may give."""
    record = ctx.image.read(t.HDR_CRED, image.Cred)
    user = ctx.objs.fetch(ctx, record.user_ref, t.OBJ_USER, User)
    groups = ctx.objs.fetch(ctx, record.groupinfo_ref, t.OBJ_GROUPINFO, Groups)
    check_label(ctx, record.sec_ref)
    caps = record.cap_s
    cred = Cred(
        user=user,
        uid=record.uid,
        suid=record.suid,
        euid=record.euid,
        fsuid=record.fsuid,
        gid=record.gid,
        sgid=record.sgid,
        egid=record.egid,
        fsgid=record.fsgid,
        group_info=groups,
        securebits=caps.securebits,
        cap_inheritable=caps.cap_i_1 << 32 | caps.cap_i_0,
        cap_permitted=caps.cap_p_1 << 32 | caps.cap_p_0,
        cap_effective=caps.cap_e_1 << 32 | caps.cap_e_0,
        cap_bounding=caps.cap_b_1 << 32 | caps.cap_b_0,
    )
    _may_give(ctx, cred)
    return cred


def _may_give(ctx: Restart, cred: Cred) -> None:
    mine = ctx.opener.cred
    if cred.cap_effective & ~cred.cap_permitted:
        ctx.refuse("effective capabilities that are not permitted")
    if cred.cap_permitted & ~mine.cap_permitted or cred.cap_bounding & ~mine.cap_bounding:
        ctx.refuse("capabilities that the restarting task does not have", errno=EPERM.errno)
    uids = {cred.uid, cred.euid, cred.suid, cred.fsuid}
    if not mine.cap("CAP_SETUID") and uids - {mine.uid, mine.euid, mine.suid}:
        ctx.refuse("user ids that the restarting task may not take", errno=EPERM.errno)
    gids = {cred.gid, cred.egid, cred.sgid, cred.fsgid}
    if not mine.cap("CAP_SETGID") and (
        gids - {mine.gid, mine.egid, mine.sgid} or set(cred.groups) - set(mine.groups)
    ):
        ctx.refuse("groups that the restarting task may not take", errno=EPERM.errno)


def restore_user(ctx: Restart) -> User:
    """Read a user."""
    record = ctx.image.read(t.HDR_USER, image.User)
    if record.userns_ref:
        namespace = ctx.objs.fetch(ctx, record.userns_ref, t.OBJ_USER_NS, UserNamespace)
    else:
        namespace = ctx.opener.cred.user.namespace
    return namespace.user(record.uid)


def restore_user_namespace(ctx: Restart) -> UserNamespace:
    """Read a user namespace."""
    record = ctx.image.read(t.HDR_USER_NS, image.UserNs)
    if not record.creator_ref:
        return ctx.opener.cred.user.namespace
    return UserNamespace(ctx.objs.fetch(ctx, record.creator_ref, t.OBJ_USER, User))


def restore_groups(ctx: Restart) -> Groups:
    """Read the supplementary groups."""
    return Groups(tuple(ctx.image.read(t.HDR_GROUPINFO, image.Groupinfo).groups))
