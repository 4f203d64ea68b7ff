"""What System V IPC tells of itself: limits, and how much of them is used.

Mirrors: Linux include/linux/shm.h, sem.h, msg.h: struct shminfo64, shm_info, seminfo, msginfo.
"""

from __future__ import annotations

from emu.layout import Record, at, record, s32, u16, u32, u64


@record(size=36)
class ShmLimits32(Record):
    """struct shminfo64."""

    shmmax: u32 = at("most bytes of a segment")
    shmmin: u32 = at("least bytes of a segment")
    shmmni: u32 = at("most segments")
    shmseg: u32 = at("most segments of a process")
    shmall: u32 = at("most pages of all segments")
    unused1: u64 = at("unused", default=0)
    unused2: u64 = at("unused", default=0)


@record(size=72)
class ShmLimits64(Record):
    """struct shminfo64."""

    shmmax: u64 = at("most bytes of a segment")
    shmmin: u64 = at("least bytes of a segment")
    shmmni: u64 = at("most segments")
    shmseg: u64 = at("most segments of a process")
    shmall: u64 = at("most pages of all segments")
    unused1: u64 = at("unused", default=0)
    unused2: u64 = at("unused", default=0)
    unused3: u64 = at("unused", default=0)
    unused4: u64 = at("unused", default=0)


@record(size=24)
class ShmUsage32(Record):
    """struct shm_info."""

    used_ids: s32 = at("segments")
    shm_tot: u32 = at("their pages")
    shm_rss: u32 = at("pages in memory")
    shm_swp: u32 = at("pages that are swapped out", default=0)
    swap_attempts: u32 = at("unused", default=0)
    swap_successes: u32 = at("unused", default=0)


@record(size=48)
class ShmUsage64(Record):
    """struct shm_info."""

    used_ids: s32 = at("segments")
    pad: u32 = at("unused", default=0)
    shm_tot: u64 = at("their pages")
    shm_rss: u64 = at("pages in memory")
    shm_swp: u64 = at("pages that are swapped out", default=0)
    swap_attempts: u64 = at("unused", default=0)
    swap_successes: u64 = at("unused", default=0)


@record(size=40)
class SemInfo(Record):
    """struct seminfo."""

    semmap: s32 = at("unused")
    semmni: s32 = at("most sets")
    semmns: s32 = at("most semaphores of all sets")
    semmnu: s32 = at("unused")
    semmsl: s32 = at("most semaphores of a set")
    semopm: s32 = at("most operations of a call")
    semume: s32 = at("unused")
    semusz: s32 = at("unused; with SEM_INFO the number of sets")
    semvmx: s32 = at("largest value")
    semaem: s32 = at("largest adjustment at exit; with SEM_INFO the number of semaphores")


@record(size=32)
class MsgInfo(Record):
    """struct msginfo."""

    msgpool: s32 = at("unused; with MSG_INFO the number of queues")
    msgmap: s32 = at("unused; with MSG_INFO the number of messages")
    msgmax: s32 = at("most bytes of a message")
    msgmnb: s32 = at("most bytes of a new queue")
    msgmni: s32 = at("most queues")
    msgssz: s32 = at("unused")
    msgtql: s32 = at("unused; with MSG_INFO the bytes of all messages")
    msgseg: u16 = at("unused")
    pad: u16 = at("unused", default=0)
