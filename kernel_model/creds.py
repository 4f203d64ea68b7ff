"""Credentials: who a task is, and what it may do.

Mirrors: Linux struct cred; capabilities by their names without CAP_.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

CAPABILITIES = (
    "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE "
    "NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO "
    "SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME "
    "SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG "
    "WAKE_ALARM"
).split()
ALL_CAPABILITIES = (1 << len(CAPABILITIES)) - 1
_BITS = {"CAP_" + name: 1 << position for position, name in enumerate(CAPABILITIES)}
_FS_CAPABILITIES = sum(
    _BITS["CAP_" + name]
    for name in (
        "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID LINUX_IMMUTABLE MKNOD MAC_OVERRIDE"
    ).split()
)
SECURE_NOROOT, SECURE_NO_SETUID_FIXUP, SECURE_KEEP_CAPS = 1, 4, 16
SECURE_ALL_BITS = SECURE_NOROOT | SECURE_NO_SETUID_FIXUP | SECURE_KEEP_CAPS
SECURE_ALL_LOCKS = SECURE_ALL_BITS << 1


class UserNamespace:
    """A user namespace; `creator` is None for the first."""

    def __init__(self, creator: User | None = None) -> None:
        self.creator = creator
        self._users: dict[int, User] = {}

    def user(self, uid: int) -> User:
        """What tasks of one user share: always the same object."""
        if uid not in self._users:
            self._users[uid] = User(uid, self)
        return self._users[uid]


@dataclass(frozen=True, eq=False)
class User:
    """A user id in a namespace: what tasks of one user share."""

    uid: int
    namespace: UserNamespace

    @property
    def is_first(self) -> bool:
        """The administrator of the machine (Linux: INIT_USER)."""
        return self.uid == 0 and self.namespace.creator is None


@dataclass(frozen=True, eq=False)
class Groups:
    """The supplementary groups; sorted."""

    gids: tuple[int, ...] = ()


@dataclass(frozen=True, eq=False)
class Cred:
    """Immutable, as in Linux: a change makes a new one."""

    user: User
    uid: int = 0
    gid: int = 0
    suid: int = 0
    sgid: int = 0
    euid: int = 0
    egid: int = 0
    fsuid: int = 0
    fsgid: int = 0
    group_info: Groups = Groups()
    securebits: int = 0
    cap_inheritable: int = 0
    cap_permitted: int = ALL_CAPABILITIES
    cap_effective: int = ALL_CAPABILITIES
    cap_bounding: int = ALL_CAPABILITIES

    @property
    def groups(self) -> tuple[int, ...]:
        """Supplementary group ids."""
        return self.group_info.gids

    def cap(self, name: str) -> bool:
        """Whether the capability (CAP_...) is effective."""
        return bool(self.cap_effective & _BITS[name])

    def with_ids(self, **ids: Any) -> Cred:
        """A changed copy; capabilities follow the user ids as setuid(2) says."""
        if ids.get("uid", self.uid) != self.uid:
            ids["user"] = self.user.namespace.user(ids["uid"])
        fresh = replace(self, **ids)
        if self.securebits & SECURE_NO_SETUID_FIXUP:
            return fresh
        had_root = 0 in (self.uid, self.euid, self.suid)
        has_root = 0 in (fresh.uid, fresh.euid, fresh.suid)
        if had_root and not has_root and not self.securebits & SECURE_KEEP_CAPS:
            fresh = replace(fresh, cap_permitted=0, cap_effective=0)
        if self.euid == 0 and fresh.euid != 0:
            fresh = replace(fresh, cap_effective=0)
        if self.euid != 0 and fresh.euid == 0:
            fresh = replace(fresh, cap_effective=fresh.cap_permitted)
        return fresh

    def with_fsuid(self, fsuid: int) -> Cred:
        """setfsuid: capabilities about files come and go with user 0."""
        fresh = replace(self, fsuid=fsuid)
        if self.securebits & SECURE_NO_SETUID_FIXUP:
            return fresh
        if self.fsuid == 0 and fsuid != 0:
            return replace(fresh, cap_effective=self.cap_effective & ~_FS_CAPABILITIES)
        if self.fsuid != 0 and fsuid == 0:
            regained = self.cap_permitted & _FS_CAPABILITIES
            return replace(fresh, cap_effective=self.cap_effective | regained)
        return fresh

    def after_exec(self) -> Cred:
        """What a new program has, which itself brings no capabilities."""
        permitted = effective = 0
        if not self.securebits & SECURE_NOROOT:
            if 0 in (self.uid, self.euid):
                permitted = self.cap_inheritable | self.cap_bounding
            if self.euid == 0:
                effective = permitted
        fresh = replace(
            self,
            suid=self.euid,
            sgid=self.egid,
            fsuid=self.euid,
            fsgid=self.egid,
            cap_permitted=permitted,
            cap_effective=effective,
            securebits=self.securebits & ~SECURE_KEEP_CAPS,
        )
        return self if fresh.same_as(self) else fresh

    def same_as(self, other: Cred) -> bool:
        """Whether all fields are equal (the class compares by identity)."""
        return all(getattr(self, each.name) == getattr(other, each.name) for each in fields(self))


def root_cred() -> Cred:
    """Of the first task: uid 0, all capabilities."""
    return Cred(UserNamespace().user(0))


def in_new_namespace(cred: Cred) -> Cred:
    """CLONE_NEWUSER: user 0 of a namespace that the user of `cred` has made; capabilities stay.

    Mirrors: Linux 2.6.37 create_user_ns.
    """
    root = UserNamespace(cred.user).user(0)
    zero = dict.fromkeys(("uid", "euid", "suid", "fsuid", "gid", "egid", "sgid", "fsgid"), 0)
    return replace(cred, user=root, group_info=Groups(), **zero)
