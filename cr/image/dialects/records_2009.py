"""Records of October 2009 that became others until February 2010.

Mirrors:  linux-cr checkpoint_hdr.h as user-cr had it on 3 October 2009.
"""

from __future__ import annotations

from cr.image.security import Capabilities
from cr.image.types import HDR_CRED, HDR_FILE, HDR_TASK, HDR_TASK_OBJS, Framed
from emu.layout import at, hex32, hex64, record, s32, u32, u64


@record(size=72)
class Task2009(Framed):
    """Where a u64 is aligned to eight bytes."""

    TYPE = HDR_TASK

    state: hex32 = at("TASK_*")
    exit_state: hex32 = at("EXIT_*")
    exit_code: hex32 = at("as wait() reports it")
    exit_signal: u32 = at("signal to the parent")
    pdeath_signal: u32 = at("signal when the parent dies")
    pad: u32 = at("alignment", default=0)
    set_child_tid: hex64 = at("address of CLONE_CHILD_SETTID")
    clear_child_tid: hex64 = at("address of CLONE_CHILD_CLEARTID")
    compat_robust_futex_head_len: u32 = at("size of the robust list head of a 32-bit task")
    compat_robust_futex_list: hex32 = at("address of that head")
    robust_futex_head_len: u32 = at("size of the native robust list head")
    pad_list: u32 = at("alignment", default=0)
    robust_futex_list: hex64 = at("address of that head")


@record(size=72)
class Task2009Unaligned(Framed):
    """Where a u64 is aligned to four bytes: the last field lies elsewhere."""

    TYPE = HDR_TASK

    state: hex32 = at("TASK_*")
    exit_state: hex32 = at("EXIT_*")
    exit_code: hex32 = at("as wait() reports it")
    exit_signal: u32 = at("signal to the parent")
    pdeath_signal: u32 = at("signal when the parent dies")
    pad: u32 = at("alignment", default=0)
    set_child_tid: hex64 = at("address of CLONE_CHILD_SETTID")
    clear_child_tid: hex64 = at("address of CLONE_CHILD_CLEARTID")
    compat_robust_futex_head_len: u32 = at("size of the robust list head of a 32-bit task")
    compat_robust_futex_list: hex32 = at("address of that head")
    robust_futex_head_len: u32 = at("size of the native robust list head")
    robust_futex_list: hex64 = at("address of that head")
    pad_tail: u32 = at("alignment", default=0)


@record(size=24)
class TaskObjs2009(Framed):
    """Without working directory and root."""

    TYPE = HDR_TASK_OBJS

    files_objref: s32 = at("file table")
    mm_objref: s32 = at("memory")
    sighand_objref: s32 = at("signal handlers")
    signal_objref: s32 = at("thread group")


@record(size=88)
class Cred2009(Framed):
    """Without a security label."""

    TYPE = HDR_CRED

    uid: u32 = at("user")
    suid: u32 = at("saved user")
    euid: u32 = at("effective user")
    fsuid: u32 = at("user for files")
    gid: u32 = at("group")
    sgid: u32 = at("saved group")
    egid: u32 = at("effective group")
    fsgid: u32 = at("group for files")
    user_ref: s32 = at("object number of the user")
    groupinfo_ref: s32 = at("object number of the supplementary groups")
    cap_s: Capabilities = at("capabilities")


@record(size=40)
class File2009(Framed):
    """An open file without a security label."""

    TYPE = HDR_FILE

    f_type: u32 = at("FILE_*")
    f_mode: hex32 = at("FMODE_*")
    f_flags: hex32 = at("O_*")
    f_credref: s32 = at("object number of the opener's credentials")
    f_pos: u64 = at("position")
    f_version: u64 = at("stored, never used")


@record(size=48)
class FilePipe2009(File2009):
    """One end of a pipe or of a FIFO."""

    pipe_objref: s32 = at("the pipe: equal in all its ends")
    pad_pipe: u32 = at("alignment", default=0)
