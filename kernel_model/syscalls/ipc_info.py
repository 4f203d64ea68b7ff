"""IPC_INFO, SHM_INFO, SEM_INFO, MSG_INFO: what ipcs asks before it goes through all slots.

Each returns the highest slot that is in use, or 0.

Mirrors: Linux ipc/shm.c, ipc/sem.c, ipc/msg.c: first cases of sys_shmctl, sys_semctl, sys_msgctl.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernel_model.abi.ipc_info import (
    MsgInfo,
    SemInfo,
    ShmLimits32,
    ShmLimits64,
    ShmUsage32,
    ShmUsage64,
)
from kernel_model.ipc.sem import SEMVMX
from kernel_model.ipc.shm import total_pages

if TYPE_CHECKING:
    from kernel_model.ipc.ids import Ids
    from kernel_model.task import Task

_SEM_MAP, _SEM_UNDO_BYTES, _SEM_UNDO_ENTRIES = 32000, 20, 32
_MSG_POOL_KB, _MSG_MAP, _MSG_SEGMENT_BYTES, _MSG_SEGMENTS = 256, 16384, 16, 16384
"""What Linux tells, and nobody needs: SEMMAP, SEMUSZ, SEMUME; MSGPOOL, MSGMAP, MSGSSZ, MSGSEG."""


def _highest(ids: Ids[Any]) -> int:
    return max(ids.slots, default=0)


def tell_shm_limits(task: Task, buffer: int) -> int:
    """IPC_INFO of segments."""
    namespace = task.nsproxy.ipc
    limits, largest = namespace.limits, task.abi.mask
    cls = ShmLimits64 if task.abi.word_bytes == 8 else ShmLimits32
    told = cls(
        shmmax=min(limits.shmmax, largest),
        shmmin=1,
        shmmni=limits.shmmni,
        shmseg=limits.shmmni,
        shmall=min(limits.shmall, largest),
    )
    task.user.write_record(told, buffer)
    return _highest(namespace.shm)


def tell_shm_usage(task: Task, buffer: int) -> int:
    """SHM_INFO."""
    namespace = task.nsproxy.ipc
    segments = namespace.shm.all()
    cls = ShmUsage64 if task.abi.word_bytes == 8 else ShmUsage32
    resident = sum(len(segment.pages) for segment in segments)
    total = total_pages(namespace) & task.abi.mask
    told = cls(used_ids=len(segments), shm_tot=total, shm_rss=resident)
    task.user.write_record(told, buffer)
    return _highest(namespace.shm)


def tell_sem(task: Task, buffer: int, *, usage: bool) -> int:
    """IPC_INFO of semaphores, or SEM_INFO."""
    namespace = task.nsproxy.ipc
    limits, sets = namespace.limits, namespace.sem.all()
    told = SemInfo(
        semmap=_SEM_MAP,
        semmni=limits.semmni,
        semmns=limits.semmns,
        semmnu=_SEM_MAP,
        semmsl=limits.semmsl,
        semopm=limits.semopm,
        semume=_SEM_UNDO_ENTRIES,
        semusz=len(sets) if usage else _SEM_UNDO_BYTES,
        semvmx=SEMVMX,
        semaem=sum(len(each.semaphores) for each in sets) if usage else SEMVMX,
    )
    task.user.write_record(told, buffer)
    return _highest(namespace.sem)


def tell_msg(task: Task, buffer: int, *, usage: bool) -> int:
    """IPC_INFO of message queues, or MSG_INFO."""
    namespace = task.nsproxy.ipc
    limits, queues = namespace.limits, namespace.msg.all()
    told = MsgInfo(
        msgpool=len(queues) if usage else _MSG_POOL_KB,
        msgmap=sum(len(queue.messages) for queue in queues) if usage else _MSG_MAP,
        msgmax=limits.msgmax,
        msgmnb=limits.msgmnb,
        msgmni=limits.msgmni,
        msgssz=_MSG_SEGMENT_BYTES,
        msgtql=sum(queue.bytes_used for queue in queues) if usage else _MSG_MAP,
        msgseg=_MSG_SEGMENTS,
    )
    task.user.write_record(told, buffer)
    return _highest(namespace.msg)
