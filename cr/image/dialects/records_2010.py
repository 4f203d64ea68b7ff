"""Records of v19-rc3 to v23-rc1 that became others in the last headers.

Mirrors:  linux-cr checkpoint_hdr.h as user-cr had it between February 2010 and January 2011.
"""

from __future__ import annotations

from typing import Annotated

from cr.image.ipc import IpcPerms
from cr.image.signals import Sigset
from cr.image.types import (
    HDR_FS,
    HDR_IPC_SHM,
    HDR_NS,
    HDR_SIGPENDING,
    HDR_TASK,
    HDR_TASK_OBJS,
    HDR_VMA,
    Framed,
)
from emu.layout import Record, at, hex32, hex64, record, rest, s32, u32, u64


@record(size=24)
class TreePids(Record):
    """The numbers of one task, in the BUFFER behind TREE: pids were no objects yet."""

    vpid: s32 = at("its number in the root's pid namespace")
    vppid: s32 = at("its parent's; 0: outside")
    vtgid: s32 = at("its thread group's")
    vpgid: s32 = at("its process group's; 0: outside")
    vsid: s32 = at("its session's; 0: outside")
    depth: s32 = at("how many numbers it has in deeper namespaces (from rev 6 on)")


@record(size=80)
class TaskRc1(Framed):
    """v23-rc1: without flags, and with the robust futexes in front."""

    TYPE = HDR_TASK

    state: hex32 = at("TASK_*")
    exit_state: hex32 = at("EXIT_*")
    exit_code: hex32 = at("as wait() reports it")
    exit_signal: u32 = at("signal to the parent")
    pdeath_signal: u32 = at("signal when the parent dies")
    compat_robust_futex_head_len: u32 = at("size of the robust list head of a 32-bit task")
    compat_robust_futex_list: hex32 = at("address of that head")
    robust_futex_head_len: u32 = at("size of the native robust list head")
    robust_futex_list: hex64 = at("address of that head")
    set_child_tid: hex64 = at("address of CLONE_CHILD_SETTID")
    clear_child_tid: hex64 = at("address of CLONE_CHILD_CLEARTID")
    sas_ss_sp: hex64 = at("alternate signal stack")
    sas_ss_size: u32 = at("its size")
    pad: u32 = at("alignment", default=0)


@record(size=64)
class Task2010(Framed):
    """v19 to v22: without an alternate signal stack."""

    TYPE = HDR_TASK

    state: hex32 = at("TASK_*")
    exit_state: hex32 = at("EXIT_*")
    exit_code: hex32 = at("as wait() reports it")
    exit_signal: u32 = at("signal to the parent")
    pdeath_signal: u32 = at("signal when the parent dies")
    compat_robust_futex_head_len: u32 = at("size of the robust list head of a 32-bit task")
    compat_robust_futex_list: hex32 = at("address of that head")
    robust_futex_head_len: u32 = at("size of the native robust list head")
    robust_futex_list: hex64 = at("address of that head")
    set_child_tid: hex64 = at("address of CLONE_CHILD_SETTID")
    clear_child_tid: hex64 = at("address of CLONE_CHILD_CLEARTID")


@record(size=72)
class Vma2010(Framed):
    """Before huge pages."""

    TYPE = HDR_VMA

    vma_type: u32 = at("VMA_*")
    vma_objref: s32 = at("object number of the mapped file; 0: none")
    ino_objref: s32 = at("shared memory: number of its inode; 0: none")
    pad: u32 = at("alignment", default=0)
    ino_size: u64 = at("shared memory: size of the whole inode in bytes")
    vm_start: hex64 = at("first address")
    vm_end: hex64 = at("address after the last")
    vm_page_prot: hex64 = at("never used")
    vm_flags: hex64 = at("VM_*")
    vm_pgoff: u64 = at("offset in the file, in pages")


@record(size=120)
class IpcShm2010(Framed):
    """Before huge pages."""

    TYPE = HDR_IPC_SHM

    perms: IpcPerms = at("identity and rights")
    shm_segsz: u64 = at("size in bytes")
    shm_atim: u64 = at("last attach")
    shm_dtim: u64 = at("last detach")
    shm_ctim: u64 = at("last change")
    shm_cprid: s32 = at("pid of the creator")
    shm_lprid: s32 = at("pid of the last user")
    mlock_uid: u32 = at("who locked it")
    flags: hex32 = at("SHM_DEST")
    objref: u32 = at("number of its inode")
    pad: u32 = at("alignment", default=0)


@record(size=32)
class TaskObjs2010(Framed):
    """v19-rc3 to v22: without semaphores to undo."""

    TYPE = HDR_TASK_OBJS

    files_objref: s32 = at("file table")
    mm_objref: s32 = at("memory")
    fs_objref: s32 = at("working directory and root")
    sighand_objref: s32 = at("signal handlers")
    signal_objref: s32 = at("thread group")
    pad: u32 = at("alignment", default=0)


@record(size=8)
class Fs2010(Framed):
    """v19-rc3 to v22: without a umask."""

    TYPE = HDR_FS


@record(size=48)
class Siginfo2010(Record):
    """One queued signal. Size as in the headers; the order of its fields is UNVERIFIED."""

    signo: u32 = at("the signal")
    errno: s32 = at("si_errno")
    code: s32 = at("si_code")
    pid: u32 = at("sender")
    uid: u32 = at("the sender's user")
    sigval_int: s32 = at("the integer sent along; SIGCHLD: exit code or signal")
    sigval_ptr: hex64 = at("the pointer sent along; fault: address")
    utime: u64 = at("SIGCHLD: user time")
    stime: u64 = at("SIGCHLD: system time")


@record(size=24)
class Sigpending2010(Framed):
    """Pending signals."""

    TYPE = HDR_SIGPENDING

    nr_pending: u32 = at("how many are queued")
    pad: u32 = at("alignment", default=0)
    signal: Sigset = at("which signals are pending")
    siginfo: Annotated[tuple[Siginfo2010, ...], rest(Siginfo2010)] = at("the queue")


@record(size=16)
class Ns2010(Framed):
    """v19 and v20: without a network namespace."""

    TYPE = HDR_NS

    uts_objref: s32 = at("host and domain name")
    ipc_objref: s32 = at("System V IPC")
