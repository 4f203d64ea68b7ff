"""User and group ids, groups, capabilities.

Mirrors: Linux kernel/sys.c, kernel/groups.c, kernel/capability.c.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel_model.abi.errno import EINVAL, EPERM
from kernel_model.abi.limits import NGROUPS_MAX
from kernel_model.creds import Groups
from kernel_model.syscalls.declare import Int, Ptr, UInt, syscall
from kernel_model.syscalls.user_ids import narrowed

if TYPE_CHECKING:
    from kernel_model.task import Task

_NOBODY_AT_ALL = 0xFFFFFFFF


@syscall()
def getuid(task: Task) -> int:
    """Real user id."""
    return task.cred.uid


@syscall()
def geteuid(task: Task) -> int:
    """Effective user id."""
    return task.cred.euid


@syscall()
def getgid(task: Task) -> int:
    """Real group id."""
    return task.cred.gid


@syscall()
def getegid(task: Task) -> int:
    """Effective group id."""
    return task.cred.egid


@syscall()
def getuid32(task: Task) -> int:
    """Real user id."""
    return task.cred.uid


@syscall()
def geteuid32(task: Task) -> int:
    """Effective user id."""
    return task.cred.euid


@syscall()
def getgid32(task: Task) -> int:
    """Real group id."""
    return task.cred.gid


@syscall()
def getegid32(task: Task) -> int:
    """Effective group id."""
    return task.cred.egid


def _set_uid(task: Task, uid: int) -> int:
    if uid == _NOBODY_AT_ALL:
        raise EINVAL("no user has the number -1")
    cred = task.cred
    if cred.cap("CAP_SETUID"):
        task.commit_cred(cred.with_ids(uid=uid, euid=uid, suid=uid, fsuid=uid))
    elif uid in (cred.uid, cred.suid):
        task.commit_cred(cred.with_ids(euid=uid, fsuid=uid))
    else:
        raise EPERM(f"may not become user {uid}")
    return 0


def _set_gid(task: Task, gid: int) -> int:
    if gid == _NOBODY_AT_ALL:
        raise EINVAL("no group has the number -1")
    cred = task.cred
    if cred.cap("CAP_SETGID"):
        task.commit_cred(cred.with_ids(gid=gid, egid=gid, sgid=gid, fsgid=gid))
    elif gid in (cred.gid, cred.sgid):
        task.commit_cred(cred.with_ids(egid=gid, fsgid=gid))
    else:
        raise EPERM(f"may not become group {gid}")
    return 0


@syscall()
def setuid(task: Task, uid: UInt) -> int:
    """Become a user."""
    return _set_uid(task, uid)


@syscall()
def setuid32(task: Task, uid: UInt) -> int:
    """Become a user."""
    return _set_uid(task, uid)


@syscall()
def setgid(task: Task, gid: UInt) -> int:
    """Become a group."""
    return _set_gid(task, gid)


@syscall()
def setgid32(task: Task, gid: UInt) -> int:
    """Become a group."""
    return _set_gid(task, gid)


def _get_groups(task: Task, size: int, addr: int, width: int) -> int:
    groups = task.cred.groups
    if size < 0 or (size and size < len(groups)):
        raise EINVAL(f"{len(groups)} groups do not fit in {size}")
    if size:
        order = task.abi.byte_order
        told = groups if width == 4 else [narrowed(group) for group in groups]
        data = b"".join(group.to_bytes(width, order) for group in told)
        task.user.write(addr, data)
    return len(groups)


@syscall()
def getgroups(task: Task, size: Int, groups: Ptr) -> int:
    """Supplementary groups."""
    return _get_groups(task, size, groups, 2 if task.abi.structs.short_ids else 4)


@syscall()
def getgroups32(task: Task, size: Int, groups: Ptr) -> int:
    """Supplementary groups."""
    return _get_groups(task, size, groups, 4)


def _set_groups(task: Task, size: int, addr: int, width: int) -> int:
    if not task.cred.cap("CAP_SETGID"):
        raise EPERM("setgroups needs CAP_SETGID")
    if not 0 <= size <= NGROUPS_MAX:
        raise EINVAL(f"{size} groups")
    raw = task.user.read(addr, width * size)
    order = task.abi.byte_order
    gids = sorted(int.from_bytes(raw[k : k + width], order) for k in range(0, len(raw), width))
    task.cred = task.cred.with_ids(group_info=Groups(tuple(gids)))
    return 0


@syscall()
def setgroups(task: Task, size: Int, groups: Ptr) -> int:
    """Replace the supplementary groups."""
    return _set_groups(task, size, groups, 2 if task.abi.structs.short_ids else 4)


@syscall()
def setgroups32(task: Task, size: Int, groups: Ptr) -> int:
    """Replace the supplementary groups."""
    return _set_groups(task, size, groups, 4)
