"""Records of October 2009 that became others until February 2010.

Mirrors:  linux-cr checkpoint_hdr.h as user-cr had it on 3 October 2009.
"""

from __future__ import annotations

from typing import Annotated

from cr.image.security import Capabilities
from cr.image.sockets import SOCKADDR_IN_BYTES
from cr.image.types import (
    HDR_CRED,
    HDR_FILE,
    HDR_IPC_MSG,
    HDR_IPC_MSG_MSG,
    HDR_IPC_SEM,
    HDR_IPC_SHM,
    HDR_SOCKET_BUFFER,
    HDR_SOCKET_INET,
    HDR_TASK,
    HDR_TASK_OBJS,
    Framed,
)
from emu.layout import Record, at, hex32, hex64, raw, record, s32, u32, u64


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


@record(size=48)
class FileSocket2009(File2009):
    """An open socket."""

    sock_objref: s32 = at("the socket")
    pad_socket: u32 = at("alignment", default=0)


@record(size=48)
class FileTty2009(File2009):
    """An open terminal."""

    tty_objref: s32 = at("the terminal")
    pad_tty: u32 = at("alignment", default=0)


@record(size=16)
class SocketBuffer2009(Framed):
    """One message; a BUFFER with its bytes follows. Which field comes first is UNVERIFIED."""

    TYPE = HDR_SOCKET_BUFFER

    sk_objref: s32 = at("the socket that owns it; 0: none")
    pr_objref: s32 = at("the socket that has it in its queue")


@record(size=48)
class SocketInet2009(Framed):
    """An internet socket: its address, and that of the other end."""

    TYPE = HDR_SOCKET_INET

    laddr_len: u32 = at("length of laddr; 0: it has none")
    raddr_len: u32 = at("length of raddr")
    laddr: Annotated[bytes, raw(SOCKADDR_IN_BYTES)] = at("local name: sockaddr_in")
    raddr: Annotated[bytes, raw(SOCKADDR_IN_BYTES)] = at("foreign name")


@record(size=48)
class IpcPerms2009(Record):
    """Identity and rights of a System V object, without a security label."""

    frame_type: u32 = at("not used", default=0)
    frame_len: u32 = at("not used", default=0)
    id: s32 = at("what shmget() and the like return")
    key: hex32 = at("what they were given")
    uid: u32 = at("owner")
    gid: u32 = at("group")
    cuid: u32 = at("creator")
    cgid: u32 = at("the creator's group")
    mode: hex32 = at("permission bits; nothing else")
    pad: u32 = at("alignment", default=0)
    seq: u64 = at("sequence number")


@record(size=112)
class IpcShm2009(Framed):
    """A shared memory segment; its pages follow."""

    TYPE = HDR_IPC_SHM

    perms: IpcPerms2009 = at("identity and rights")
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


@record(size=112)
class IpcMsg2009(Framed):
    """A message queue; its messages follow."""

    TYPE = HDR_IPC_MSG

    perms: IpcPerms2009 = at("identity and rights")
    q_stime: u64 = at("last send")
    q_rtime: u64 = at("last receive")
    q_ctime: u64 = at("last change")
    q_cbytes: u64 = at("bytes in the queue")
    q_qnum: u64 = at("messages in the queue")
    q_qbytes: u64 = at("most bytes that may be in it")
    q_lspid: s32 = at("last sender")
    q_lrpid: s32 = at("last receiver")


@record(size=16)
class IpcMsgMsg2009(Framed):
    """One message, with a type of 32 bits; its bytes follow in BUFFERs."""

    TYPE = HDR_IPC_MSG_MSG

    m_type: s32 = at("message type, positive")
    m_ts: u32 = at("length in bytes")


@record(size=80)
class IpcSem2009(Framed):
    """A semaphore set; a BUFFER of Semaphores follows."""

    TYPE = HDR_IPC_SEM

    perms: IpcPerms2009 = at("identity and rights")
    sem_otime: u64 = at("last operation")
    sem_ctime: u64 = at("last change")
    sem_nsems: u32 = at("how many semaphores")
    pad: u32 = at("alignment", default=0)


RECORDS: tuple[type[Record], ...] = (
    TaskObjs2009,
    Cred2009,
    File2009,
    FilePipe2009,
    FileSocket2009,
    FileTty2009,
    SocketBuffer2009,
    SocketInet2009,
    IpcPerms2009,
    IpcShm2009,
    IpcMsg2009,
    IpcMsgMsg2009,
    IpcSem2009,
)
