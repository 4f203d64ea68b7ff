"""System V IPC structures as user memory holds them, per ABI: the IPC_64 versions.

Times of 32-bit ABIs have a high half, before or behind the low one; as in 2.6 it is zero.

Mirrors: Linux asm-generic, x86 and powerpc ipcbuf.h, shmbuf.h, sembuf.h, msgbuf.h.
"""

from __future__ import annotations

from dataclasses import dataclass

from emu.layout import Record, at, record, s32, u16, u32, u64


@record(size=36)
class PermX8632(Record):
    """struct ipc64_perm."""

    key: s32 = at("key; 0 is none")
    uid: u32 = at("owner")
    gid: u32 = at("group")
    cuid: u32 = at("creator")
    cgid: u32 = at("the creator's group")
    mode: u16 = at("rights")
    pad_mode: u16 = at("unused", default=0)
    seq: u16 = at("sequence number")
    pad_seq: u16 = at("unused", default=0)
    unused1: u32 = at("unused", default=0)
    unused2: u32 = at("unused", default=0)


@record(size=48)
class PermX8664(Record):
    """struct ipc64_perm."""

    key: s32 = at("key; 0 is none")
    uid: u32 = at("owner")
    gid: u32 = at("group")
    cuid: u32 = at("creator")
    cgid: u32 = at("the creator's group")
    mode: u32 = at("rights")
    seq: u16 = at("sequence number")
    pad_seq: u16 = at("unused", default=0)
    pad: u32 = at("unused", default=0)
    unused1: u64 = at("unused", default=0)
    unused2: u64 = at("unused", default=0)


@record(size=48)
class PermPpc(Record):
    """struct ipc64_perm of both PowerPC ABIs."""

    key: s32 = at("key; 0 is none")
    uid: u32 = at("owner")
    gid: u32 = at("group")
    cuid: u32 = at("creator")
    cgid: u32 = at("the creator's group")
    mode: u32 = at("rights")
    seq: u32 = at("sequence number")
    pad: u32 = at("unused", default=0)
    unused1: u64 = at("unused", default=0)
    unused2: u64 = at("unused", default=0)


@record(size=84)
class ShmX8632(Record):
    """struct shmid64_ds."""

    perm: PermX8632 = at("identity and rights")
    segsz: u32 = at("size in bytes")
    atime: u32 = at("last attach")
    atime_high: u32 = at("zero", default=0)
    dtime: u32 = at("last detach")
    dtime_high: u32 = at("zero", default=0)
    ctime: u32 = at("last change")
    ctime_high: u32 = at("zero", default=0)
    cpid: s32 = at("creator")
    lpid: s32 = at("last user")
    nattch: u32 = at("mappings")
    unused4: u32 = at("unused", default=0)
    unused5: u32 = at("unused", default=0)


@record(size=112)
class ShmX8664(Record):
    """struct shmid64_ds."""

    perm: PermX8664 = at("identity and rights")
    segsz: u64 = at("size in bytes")
    atime: u64 = at("last attach")
    dtime: u64 = at("last detach")
    ctime: u64 = at("last change")
    cpid: s32 = at("creator")
    lpid: s32 = at("last user")
    nattch: u64 = at("mappings")
    unused4: u64 = at("unused", default=0)
    unused5: u64 = at("unused", default=0)


@record(size=100)
class ShmPpc32(Record):
    """struct shmid64_ds."""

    perm: PermPpc = at("identity and rights")
    atime_high: u32 = at("zero", default=0)
    atime: u32 = at("last attach")
    dtime_high: u32 = at("zero", default=0)
    dtime: u32 = at("last detach")
    ctime_high: u32 = at("zero", default=0)
    ctime: u32 = at("last change")
    unused4: u32 = at("unused", default=0)
    segsz: u32 = at("size in bytes")
    cpid: s32 = at("creator")
    lpid: s32 = at("last user")
    nattch: u32 = at("mappings")
    unused5: u32 = at("unused", default=0)
    unused6: u32 = at("unused", default=0)


@record(size=112)
class ShmPpc64(Record):
    """struct shmid64_ds."""

    perm: PermPpc = at("identity and rights")
    atime: u64 = at("last attach")
    dtime: u64 = at("last detach")
    ctime: u64 = at("last change")
    segsz: u64 = at("size in bytes")
    cpid: s32 = at("creator")
    lpid: s32 = at("last user")
    nattch: u64 = at("mappings")
    unused5: u64 = at("unused", default=0)
    unused6: u64 = at("unused", default=0)


@record(size=64)
class SemX8632(Record):
    """struct semid64_ds."""

    perm: PermX8632 = at("identity and rights")
    otime: u32 = at("last operation")
    otime_high: u32 = at("zero", default=0)
    ctime: u32 = at("last change")
    ctime_high: u32 = at("zero", default=0)
    nsems: u32 = at("semaphores")
    unused3: u32 = at("unused", default=0)
    unused4: u32 = at("unused", default=0)


@record(size=104)
class SemX8664(Record):
    """struct semid64_ds."""

    perm: PermX8664 = at("identity and rights")
    otime: u64 = at("last operation")
    unused1: u64 = at("unused", default=0)
    ctime: u64 = at("last change")
    unused2: u64 = at("unused", default=0)
    nsems: u64 = at("semaphores")
    unused3: u64 = at("unused", default=0)
    unused4: u64 = at("unused", default=0)


@record(size=76)
class SemPpc32(Record):
    """struct semid64_ds."""

    perm: PermPpc = at("identity and rights")
    otime_high: u32 = at("zero", default=0)
    otime: u32 = at("last operation")
    ctime_high: u32 = at("zero", default=0)
    ctime: u32 = at("last change")
    nsems: u32 = at("semaphores")
    unused3: u32 = at("unused", default=0)
    unused4: u32 = at("unused", default=0)


@record(size=88)
class SemPpc64(Record):
    """struct semid64_ds."""

    perm: PermPpc = at("identity and rights")
    otime: u64 = at("last operation")
    ctime: u64 = at("last change")
    nsems: u64 = at("semaphores")
    unused3: u64 = at("unused", default=0)
    unused4: u64 = at("unused", default=0)


@record(size=88)
class MsgX8632(Record):
    """struct msqid64_ds."""

    perm: PermX8632 = at("identity and rights")
    stime: u32 = at("last send")
    stime_high: u32 = at("zero", default=0)
    rtime: u32 = at("last receive")
    rtime_high: u32 = at("zero", default=0)
    ctime: u32 = at("last change")
    ctime_high: u32 = at("zero", default=0)
    cbytes: u32 = at("bytes in the queue")
    qnum: u32 = at("messages in the queue")
    qbytes: u32 = at("most bytes")
    lspid: s32 = at("last sender")
    lrpid: s32 = at("last receiver")
    unused4: u32 = at("unused", default=0)
    unused5: u32 = at("unused", default=0)


@record(size=100)
class MsgPpc32(Record):
    """struct msqid64_ds."""

    perm: PermPpc = at("identity and rights")
    stime_high: u32 = at("zero", default=0)
    stime: u32 = at("last send")
    rtime_high: u32 = at("zero", default=0)
    rtime: u32 = at("last receive")
    ctime_high: u32 = at("zero", default=0)
    ctime: u32 = at("last change")
    cbytes: u32 = at("bytes in the queue")
    qnum: u32 = at("messages in the queue")
    qbytes: u32 = at("most bytes")
    lspid: s32 = at("last sender")
    lrpid: s32 = at("last receiver")
    unused4: u32 = at("unused", default=0)
    unused5: u32 = at("unused", default=0)


@record(size=120)
class MsgX8664(Record):
    """struct msqid64_ds."""

    perm: PermX8664 = at("identity and rights")
    stime: u64 = at("last send")
    rtime: u64 = at("last receive")
    ctime: u64 = at("last change")
    cbytes: u64 = at("bytes in the queue")
    qnum: u64 = at("messages in the queue")
    qbytes: u64 = at("most bytes")
    lspid: s32 = at("last sender")
    lrpid: s32 = at("last receiver")
    unused4: u64 = at("unused", default=0)
    unused5: u64 = at("unused", default=0)


@record(size=120)
class MsgPpc64(Record):
    """struct msqid64_ds."""

    perm: PermPpc = at("identity and rights")
    stime: u64 = at("last send")
    rtime: u64 = at("last receive")
    ctime: u64 = at("last change")
    cbytes: u64 = at("bytes in the queue")
    qnum: u64 = at("messages in the queue")
    qbytes: u64 = at("most bytes")
    lspid: s32 = at("last sender")
    lrpid: s32 = at("last receiver")
    unused4: u64 = at("unused", default=0)
    unused5: u64 = at("unused", default=0)


Perms = type[PermX8632] | type[PermX8664] | type[PermPpc]
Shms = type[ShmX8632] | type[ShmX8664] | type[ShmPpc32] | type[ShmPpc64]
Sems = type[SemX8632] | type[SemX8664] | type[SemPpc32] | type[SemPpc64]
Msgs = type[MsgX8632] | type[MsgX8664] | type[MsgPpc32] | type[MsgPpc64]


@dataclass(frozen=True)
class IpcStructs:
    """The layouts of one ABI."""

    perm: Perms
    shm: Shms
    sem: Sems
    msg: Msgs
    asks_version: bool
    """Whether IPC_64 must be asked for; without it such an ABI means older structures."""


X86_32 = IpcStructs(PermX8632, ShmX8632, SemX8632, MsgX8632, asks_version=True)
X86_64 = IpcStructs(PermX8664, ShmX8664, SemX8664, MsgX8664, asks_version=False)
PPC32 = IpcStructs(PermPpc, ShmPpc32, SemPpc32, MsgPpc32, asks_version=True)
PPC64 = IpcStructs(PermPpc, ShmPpc64, SemPpc64, MsgPpc64, asks_version=True)
