"""Who a task is: credentials, users, groups, capabilities, security labels.

Image grammar:

    cred      =  { OBJREF groupinfo | user | security }  CRED
    user      =  [ OBJREF user-ns ]  USER
    user-ns   =  [ OBJREF user ]  USER_NS                      ; the user who made it
    groups    =  GROUPINFO                                     ; the groups are in the record
    security  =  SECURITY  STRING label

Mirrors:  linux-cr checkpoint_hdr.h: ckpt_capabilities, ckpt_hdr_cred, ckpt_hdr_groupinfo,
          ckpt_hdr_user_struct, ckpt_hdr_user_ns, ckpt_hdr_lsm.
Not modelled: keyrings. They were never in an image.
"""

from typing import Annotated

from cr.image.types import (
    HDR_CRED,
    HDR_GROUPINFO,
    HDR_SECURITY,
    HDR_USER,
    HDR_USER_NS,
    NGROUPS_MAX,
    Framed,
)
from emu.layout import Record, at, hex32, raw, record, rest, s32, u8, u32


@record(size=40)
class Capabilities(Record):
    """Four capability sets of 64 bits, low word first, and the secure bits."""

    cap_i_0: hex32 = at("inheritable, capabilities 0-31")
    cap_i_1: hex32 = at("inheritable, capabilities 32-63")
    cap_p_0: hex32 = at("permitted, low word")
    cap_p_1: hex32 = at("permitted, high word")
    cap_e_0: hex32 = at("effective, low word")
    cap_e_1: hex32 = at("effective, high word")
    cap_b_0: hex32 = at("bounding, low word")
    cap_b_1: hex32 = at("bounding, high word")
    securebits: hex32 = at("SECBIT_*")
    pad: u32 = at("zero", default=0, must_be=0)


@record(size=96)
class Cred(Framed):
    """One struct cred."""

    TYPE = HDR_CRED

    uid: u32 = at("real user")
    suid: u32 = at("saved user")
    euid: u32 = at("effective user")
    fsuid: u32 = at("user for file access")
    gid: u32 = at("real group")
    sgid: u32 = at("saved group")
    egid: u32 = at("effective group")
    fsgid: u32 = at("group for file access")
    user_ref: s32 = at("object number of the user")
    groupinfo_ref: s32 = at("object number of the supplementary groups")
    sec_ref: s32 = at("object number of the security label; 0: none")
    pad: u32 = at("zero", default=0, must_be=0)
    cap_s: Capabilities = at("capabilities")

    def invalid(self) -> str | None:
        if self.user_ref <= 0 or self.groupinfo_ref <= 0:
            return "user_ref and groupinfo_ref must be positive"
        return None if self.sec_ref >= 0 else "sec_ref must not be negative"


@record(size=12)
class Groupinfo(Framed):
    """Supplementary groups, ascending.

    The C struct is 16 bytes long and its array begins at 12, so four bytes of slack follow.
    """

    TYPE = HDR_GROUPINFO

    ngroups: u32 = at("how many")
    groups: Annotated[tuple[int, ...], rest(u32, slack=4)] = at("the groups")

    def invalid(self) -> str | None:
        if self.ngroups != len(self.groups):
            return f"ngroups is {self.ngroups}, but {len(self.groups)} are here"
        if self.ngroups > NGROUPS_MAX:
            return f"{self.ngroups} groups are more than {NGROUPS_MAX}"
        if any(a > b for a, b in zip(self.groups, self.groups[1:])):
            return "groups must ascend"
        return None


@record(size=16)
class User(Framed):
    """A user in a user namespace."""

    TYPE = HDR_USER

    uid: u32 = at("number of the user")
    userns_ref: s32 = at("object number of the namespace; 0: the root namespace")

    def invalid(self) -> str | None:
        return None if self.userns_ref >= 0 else "userns_ref must not be negative"


@record(size=16)
class UserNs(Framed):
    """A user namespace."""

    TYPE = HDR_USER_NS

    creator_ref: s32 = at("object number of the user who made it; 0: the root namespace")
    pad: u32 = at("zero", default=0, must_be=0)

    def invalid(self) -> str | None:
        return None if self.creator_ref >= 0 else "creator_ref must not be negative"


@record(size=16)
class Security(Framed):
    """A security label; the text follows."""

    TYPE = HDR_SECURITY

    ptrref: s32 = at("object number by which others name this label")
    sectype: u8 = at("label of what: message, IPC object, file or task")
    pad: Annotated[bytes, raw(3)] = at("zero", default=bytes(3), must_be=bytes(3))

    def invalid(self) -> str | None:
        return None if self.ptrref > 0 else "ptrref must be positive"
