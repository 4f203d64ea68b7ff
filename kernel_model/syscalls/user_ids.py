"""Real, effective, saved and file system ids: the calls that set them one by one.

On i386 the plain names take 16-bit ids, in which all ones mean "leave it".

Mirrors: Linux kernel/sys.c (setreuid, setresuid, setfsuid and the same of groups), uid16.c.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel_model.abi.errno import EFAULT, EPERM
from kernel_model.creds import Cred
from kernel_model.syscalls.declare import Ptr, UInt, syscall

if TYPE_CHECKING:
    from kernel_model.task import Task

KEEP = 0xFFFFFFFF


def widened(task: Task, number: int) -> int:
    """An id of a plain call."""
    if not task.abi.structs.short_ids:
        return number
    number &= 0xFFFF
    return KEEP if number == 0xFFFF else number


def narrowed(number: int) -> int:
    """An id as a call with 16-bit ids tells it (high2lowuid)."""
    return 65534 if number > 0xFFFF else number


def _check(cred: Cred, wanted: tuple[int, ...], allowed: tuple[int, ...], capability: str) -> None:
    if cred.cap(capability):
        return
    for number in wanted:
        if number != KEEP and number not in allowed:
            raise EPERM(f"may not take the id {number}")


def _set_re_uid(task: Task, ruid: int, euid: int) -> int:
    cred = task.cred
    _check(cred, (ruid,), (cred.uid, cred.euid), "CAP_SETUID")
    _check(cred, (euid,), (cred.uid, cred.euid, cred.suid), "CAP_SETUID")
    uid = cred.uid if ruid == KEEP else ruid
    effective = cred.euid if euid == KEEP else euid
    saved = cred.suid
    if ruid != KEEP or (euid != KEEP and euid != cred.uid):
        saved = effective
    task.commit_cred(cred.with_ids(uid=uid, euid=effective, suid=saved, fsuid=effective))
    return 0


def _set_re_gid(task: Task, rgid: int, egid: int) -> int:
    cred = task.cred
    _check(cred, (rgid,), (cred.gid, cred.egid), "CAP_SETGID")
    _check(cred, (egid,), (cred.gid, cred.egid, cred.sgid), "CAP_SETGID")
    gid = cred.gid if rgid == KEEP else rgid
    effective = cred.egid if egid == KEEP else egid
    saved = cred.sgid
    if rgid != KEEP or (egid != KEEP and egid != cred.gid):
        saved = effective
    task.commit_cred(cred.with_ids(gid=gid, egid=effective, sgid=saved, fsgid=effective))
    return 0


def _set_res_uid(task: Task, ruid: int, euid: int, suid: int) -> int:
    cred = task.cred
    _check(cred, (ruid, euid, suid), (cred.uid, cred.euid, cred.suid), "CAP_SETUID")
    effective = cred.euid if euid == KEEP else euid
    fresh = cred.with_ids(
        uid=cred.uid if ruid == KEEP else ruid,
        euid=effective,
        suid=cred.suid if suid == KEEP else suid,
        fsuid=effective,
    )
    task.commit_cred(fresh)
    return 0


def _set_res_gid(task: Task, rgid: int, egid: int, sgid: int) -> int:
    cred = task.cred
    _check(cred, (rgid, egid, sgid), (cred.gid, cred.egid, cred.sgid), "CAP_SETGID")
    effective = cred.egid if egid == KEEP else egid
    fresh = cred.with_ids(
        gid=cred.gid if rgid == KEEP else rgid,
        egid=effective,
        sgid=cred.sgid if sgid == KEEP else sgid,
        fsgid=effective,
    )
    task.commit_cred(fresh)
    return 0


def _set_fs_uid(task: Task, uid: int) -> int:
    cred = task.cred
    if uid != KEEP and (
        uid in (cred.uid, cred.euid, cred.suid, cred.fsuid) or cred.cap("CAP_SETUID")
    ):
        if uid != cred.fsuid:
            task.commit_cred(cred.with_fsuid(uid))
    return cred.fsuid


def _set_fs_gid(task: Task, gid: int) -> int:
    cred = task.cred
    if gid != KEEP and (
        gid in (cred.gid, cred.egid, cred.sgid, cred.fsgid) or cred.cap("CAP_SETGID")
    ):
        if gid != cred.fsgid:
            task.commit_cred(cred.with_ids(fsgid=gid))
    return cred.fsgid


def _store(task: Task, places: tuple[int, ...], ids: tuple[int, ...], width: int) -> int:
    for place, number in zip(places, ids):
        if task.user.writable(place, width) < width:
            raise EFAULT(f"cannot store an id at {place:#x}")
        value = narrowed(number) if width == 2 else number
        task.user.write(place, value.to_bytes(width, task.abi.byte_order))
    return 0


def _uids(task: Task) -> tuple[int, ...]:
    return task.cred.uid, task.cred.euid, task.cred.suid


def _gids(task: Task) -> tuple[int, ...]:
    return task.cred.gid, task.cred.egid, task.cred.sgid


def _width(task: Task) -> int:
    return 2 if task.abi.structs.short_ids else 4


@syscall()
def setreuid(task: Task, ruid: UInt, euid: UInt) -> int:
    """Set the real and the effective user id."""
    return _set_re_uid(task, widened(task, ruid), widened(task, euid))


@syscall()
def setreuid32(task: Task, ruid: UInt, euid: UInt) -> int:
    """Set the real and the effective user id."""
    return _set_re_uid(task, ruid, euid)


@syscall()
def setregid(task: Task, rgid: UInt, egid: UInt) -> int:
    """Set the real and the effective group id."""
    return _set_re_gid(task, widened(task, rgid), widened(task, egid))


@syscall()
def setregid32(task: Task, rgid: UInt, egid: UInt) -> int:
    """Set the real and the effective group id."""
    return _set_re_gid(task, rgid, egid)


@syscall()
def setresuid(task: Task, ruid: UInt, euid: UInt, suid: UInt) -> int:
    """Set the real, the effective and the saved user id."""
    return _set_res_uid(task, widened(task, ruid), widened(task, euid), widened(task, suid))


@syscall()
def setresuid32(task: Task, ruid: UInt, euid: UInt, suid: UInt) -> int:
    """Set the real, the effective and the saved user id."""
    return _set_res_uid(task, ruid, euid, suid)


@syscall()
def setresgid(task: Task, rgid: UInt, egid: UInt, sgid: UInt) -> int:
    """Set the real, the effective and the saved group id."""
    return _set_res_gid(task, widened(task, rgid), widened(task, egid), widened(task, sgid))


@syscall()
def setresgid32(task: Task, rgid: UInt, egid: UInt, sgid: UInt) -> int:
    """Set the real, the effective and the saved group id."""
    return _set_res_gid(task, rgid, egid, sgid)


@syscall()
def getresuid(task: Task, ruid: Ptr, euid: Ptr, suid: Ptr) -> int:
    """Store the real, the effective and the saved user id."""
    return _store(task, (ruid, euid, suid), _uids(task), _width(task))


@syscall()
def getresuid32(task: Task, ruid: Ptr, euid: Ptr, suid: Ptr) -> int:
    """Store the real, the effective and the saved user id."""
    return _store(task, (ruid, euid, suid), _uids(task), 4)


@syscall()
def getresgid(task: Task, rgid: Ptr, egid: Ptr, sgid: Ptr) -> int:
    """Store the real, the effective and the saved group id."""
    return _store(task, (rgid, egid, sgid), _gids(task), _width(task))


@syscall()
def getresgid32(task: Task, rgid: Ptr, egid: Ptr, sgid: Ptr) -> int:
    """Store the real, the effective and the saved group id."""
    return _store(task, (rgid, egid, sgid), _gids(task), 4)


@syscall()
def setfsuid(task: Task, uid: UInt) -> int:
    """Set the user id that files see; always the one before."""
    return _set_fs_uid(task, widened(task, uid))


@syscall()
def setfsuid32(task: Task, uid: UInt) -> int:
    """Set the user id that files see; always the one before."""
    return _set_fs_uid(task, uid)


@syscall()
def setfsgid(task: Task, gid: UInt) -> int:
    """Set the group id that files see; always the one before."""
    return _set_fs_gid(task, widened(task, gid))


@syscall()
def setfsgid32(task: Task, gid: UInt) -> int:
    """Set the group id that files see; always the one before."""
    return _set_fs_gid(task, gid)
