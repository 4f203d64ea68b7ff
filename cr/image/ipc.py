"""System V IPC: one namespace with its segments, queues and semaphores.

Image grammar:

    ipc-ns  =  IPC_NS  IPC shm  { shm }  IPC msg  { msg }  IPC sem  { sem }
    shm     =  IPC_SHM  pages                                  ; addresses are page indices
    msg     =  IPC_MSG  { [ OBJREF security ]  IPC_MSG_MSG  { BUFFER part } }
    sem     =  IPC_SEM  BUFFER { Semaphore }
    undo    =  TASK_SEM_UNDO_LIST  { TASK_SEM_UNDO  BUFFER { s16 } }

A message longer than a page is split as the kernel splits it; the parts add up to m_ts bytes.

Mirrors:  linux-cr checkpoint_hdr.h: ckpt_hdr_ipcns, ckpt_hdr_ipc, ckpt_hdr_ipc_perms,
          ckpt_hdr_ipc_shm, ckpt_hdr_ipc_msg, ckpt_hdr_ipc_msg_msg, ckpt_hdr_ipc_sem,
          ckpt_hdr_task_sem_undo_list, ckpt_hdr_task_sem_undo.
Deviates: how the adjustments of an undo record are encoded is not known; ours are a BUFFER of
          s16, as the kernel keeps them.
"""

from cr.image.types import (
    HDR_IPC,
    HDR_IPC_MSG,
    HDR_IPC_MSG_MSG,
    HDR_IPC_NS,
    HDR_IPC_SEM,
    HDR_IPC_SHM,
    HDR_TASK_SEM_UNDO,
    HDR_TASK_SEM_UNDO_LIST,
    IPC_TYPE_MSG,
    IPC_TYPE_SEM,
    IPC_TYPE_SHM,
    Framed,
)
from emu.layout import Record, at, hex32, record, s16, s32, s64, u16, u32, u64


@record(size=56)
class IpcNs(Framed):
    """The limits of an IPC namespace."""

    TYPE = HDR_IPC_NS

    shm_ctlmax: u64 = at("largest segment in bytes")
    shm_ctlall: u64 = at("pages in all segments")
    shm_ctlmni: s32 = at("number of segments")
    msg_ctlmax: s32 = at("bytes in a message")
    msg_ctlmnb: s32 = at("bytes in a queue")
    msg_ctlmni: s32 = at("number of queues")
    sem_ctl_msl: s32 = at("semaphores in a set")
    sem_ctl_mns: s32 = at("semaphores in all sets")
    sem_ctl_opm: s32 = at("operations in one call")
    sem_ctl_mni: s32 = at("number of sets")

    def invalid(self) -> str | None:
        limits = (
            *(self.shm_ctlmni, self.msg_ctlmax, self.msg_ctlmnb, self.msg_ctlmni),
            *(self.sem_ctl_msl, self.sem_ctl_mns, self.sem_ctl_opm, self.sem_ctl_mni),
        )
        return None if min(limits) >= 0 else "limits must not be negative"


@record(size=16)
class Ipc(Framed):
    """How many objects of one kind follow."""

    TYPE = HDR_IPC

    ipc_type: u32 = at("1: shared memory; 2: message queues; 3: semaphores")
    ipc_count: u32 = at("how many follow")

    def invalid(self) -> str | None:
        if self.ipc_type in (IPC_TYPE_SHM, IPC_TYPE_MSG, IPC_TYPE_SEM):
            return None
        return f"ipc_type {self.ipc_type} is unknown"


@record(size=56)
class IpcPerms(Record):
    """Identity and rights of an IPC object. It has a frame, though it never stands alone."""

    frame_type: u32 = at("not used", default=0)
    frame_len: u32 = at("not used", default=0)
    id: s32 = at("what shmget() and the like return")
    key: hex32 = at("what they were given")
    uid: u32 = at("owner")
    gid: u32 = at("group")
    cuid: u32 = at("creator")
    cgid: u32 = at("the creator's group")
    mode: hex32 = at("permission bits; nothing else")
    pad: u32 = at("zero", default=0, must_be=0)
    seq: u64 = at("sequence number")
    sec_ref: s32 = at("object number of the security label; 0: none")
    pad_tail: u32 = at("zero", default=0, must_be=0)

    def invalid(self) -> str | None:
        if self.id < 0 or self.sec_ref < 0:
            return "id and sec_ref must not be negative"
        return f"mode {self.mode:#o} has more than nine bits" if self.mode > 0o777 else None


@record(size=120)
class IpcShm(Framed):
    """A shared memory segment; its pages follow."""

    TYPE = HDR_IPC_SHM

    perms: IpcPerms = at("identity and rights")
    shm_segsz: u64 = at("size in bytes")
    shm_atim: u64 = at("last attach, seconds since the epoch")
    shm_dtim: u64 = at("last detach")
    shm_ctim: u64 = at("last change")
    shm_cprid: s32 = at("pid of the creator")
    shm_lprid: s32 = at("pid of the last user")
    mlock_uid: u32 = at("who locked it; all ones: nobody")
    flags: hex32 = at("SHM_DEST: it goes away with its last user")
    objref: u32 = at("number of its inode")
    shift: u16 = at("huge pages: log2 of their size")
    pad: u16 = at("zero", default=0, must_be=0)


@record(size=120)
class IpcMsg(Framed):
    """A message queue; its messages follow."""

    TYPE = HDR_IPC_MSG

    perms: IpcPerms = at("identity and rights")
    q_stime: u64 = at("last send, seconds since the epoch")
    q_rtime: u64 = at("last receive")
    q_ctime: u64 = at("last change")
    q_cbytes: u64 = at("bytes in the queue")
    q_qnum: u64 = at("messages in the queue")
    q_qbytes: u64 = at("most bytes that may be in it")
    q_lspid: s32 = at("last sender")
    q_lrpid: s32 = at("last receiver")


@record(size=24)
class IpcMsgMsg(Framed):
    """One message; its bytes follow in BUFFERs."""

    TYPE = HDR_IPC_MSG_MSG

    m_type: s64 = at("message type, positive")
    m_ts: u32 = at("length in bytes")
    sec_ref: s32 = at("object number of the security label; 0: none")

    def invalid(self) -> str | None:
        return None if self.m_type >= 1 else f"a message type is positive, not {self.m_type}"


@record(size=88)
class IpcSem(Framed):
    """A semaphore set; a BUFFER of Semaphores follows."""

    TYPE = HDR_IPC_SEM

    perms: IpcPerms = at("identity and rights")
    sem_otime: u64 = at("last operation, seconds since the epoch")
    sem_ctime: u64 = at("last change")
    sem_nsems: u32 = at("how many semaphores")
    pad: u32 = at("zero", default=0, must_be=0)


@record(size=8)
class Semaphore(Record):
    """One semaphore of a set."""

    semval: s32 = at("value")
    sempid: s32 = at("pid of the last operation")

    def invalid(self) -> str | None:
        return None if self.semval >= 0 and self.sempid >= 0 else "value and pid are not negative"


@record(size=16)
class TaskSemUndoList(Framed):
    """What semop() will undo when the last user of this list exits."""

    TYPE = HDR_TASK_SEM_UNDO_LIST

    count: u32 = at("how many sets are concerned")
    pad: u32 = at("zero", default=0, must_be=0)


@record(size=16)
class TaskSemUndo(Framed):
    """The adjustments for one set; a BUFFER of them follows."""

    TYPE = HDR_TASK_SEM_UNDO

    semid: u32 = at("id of the set")
    semadj_count: u32 = at("how many adjustments: one for each semaphore")


@record(size=2)
class SemaphoreAdjustment(Record):
    """What is added to one semaphore."""

    semadj: s16 = at("the adjustment")
