"""Checkpoint and restart of System V IPC: segments, message queues, semaphore sets, undo lists.

Image grammar:

    ipc-ns  =  IPC_NS  IPC shm  { shm }  IPC msg  { msg }  IPC sem  { sem }  [ IPC_SEQUENCE ]
    shm     =  IPC_SHM  pages                                  ; addresses are page indices
    msg     =  IPC_MSG  { IPC_MSG_MSG  { BUFFER part } }
    sem     =  IPC_SEM  BUFFER { Semaphore }
    undo    =  TASK_SEM_UNDO_LIST  { TASK_SEM_UNDO  BUFFER { s16 } }

The memory of a segment is here, and not with the mappings that show it. Identifiers are kept. Who
sleeps in semop, msgsnd or msgrcv is written like any sleeper: its call begins again.

Mirrors:  linux-cr ipc/checkpoint.c, checkpoint_shm.c, checkpoint_msg.c, checkpoint_sem.c.
Deviates: sleepers are saved (the original said EBUSY); a removed segment that is still mapped
          stays removed (there the flag was lost); the sequence of identifiers goes on, by a
          record of ours.
"""

from __future__ import annotations

from typing import Any

from cr.context import Checkpoint, Restart
from cr.image import extensions as ours
from cr.image import ipc as image
from cr.image import types as t
from cr.security import check_label
from kernel_model.abi.errno import EACCES, ENOSYS, EPERM, LinuxError
from kernel_model.abi.time import NS_PER_S
from kernel_model.clock import KTIME_MAX_NS
from kernel_model.ipc.ids import MAY_READ, SEQUENCE_LIMIT, Ids, Perm
from kernel_model.ipc.msg import Message, MessageQueue
from kernel_model.ipc.namespace import IpcLimits, IpcNamespace
from kernel_model.ipc.sem import SEMVMX, Semaphore, SemaphoreSet, UndoList
from kernel_model.ipc.shm import Segment, SegmentTimes

_SHM_DEST = 0o1000
_NOBODY = 0xFFFFFFFF
_PART_BYTES = 4096
_MAX_SEMAPHORES = 65536


# ---- checkpoint


def checkpoint_ipc(ctx: Checkpoint, namespace: IpcNamespace) -> None:
    """Write a namespace with all its objects."""
    limits = namespace.limits
    record = image.IpcNs(
        shm_ctlmax=limits.shmmax,
        shm_ctlall=limits.shmall,
        shm_ctlmni=limits.shmmni,
        msg_ctlmax=limits.msgmax,
        msg_ctlmnb=limits.msgmnb,
        msg_ctlmni=limits.msgmni,
        sem_ctl_msl=limits.semmsl,
        sem_ctl_mns=limits.semmns,
        sem_ctl_opm=limits.semopm,
        sem_ctl_mni=limits.semmni,
    )
    ctx.image.write(t.HDR_IPC_NS, record)
    _announce(ctx, t.IPC_TYPE_SHM, namespace.shm)
    for segment in namespace.shm.all():
        _checkpoint_shm(ctx, segment)
    _announce(ctx, t.IPC_TYPE_MSG, namespace.msg)
    for queue in namespace.msg.all():
        _checkpoint_msg(ctx, queue)
    _announce(ctx, t.IPC_TYPE_SEM, namespace.sem)
    for sem_set in namespace.sem.all():
        _checkpoint_sem(ctx, sem_set)
    kinds: tuple[Ids[Any], ...] = (namespace.shm, namespace.msg, namespace.sem)
    if not ctx.pure and any(ids.next_seq != ids.implied_seq() for ids in kinds):
        shm_seq, msg_seq, sem_seq = (ids.next_seq for ids in kinds)
        record_of_ours = ours.IpcSequence(shm_seq=shm_seq, msg_seq=msg_seq, sem_seq=sem_seq)
        ctx.image.write(t.HDR_IPC_SEQUENCE, record_of_ours)


def _announce(ctx: Checkpoint, kind: int, ids: Ids[Any]) -> None:
    ctx.image.write(t.HDR_IPC, image.Ipc(ipc_type=kind, ipc_count=len(ids.slots)))


def _perms(ctx: Checkpoint, perm: Perm) -> image.IpcPerms:
    if ctx.caller is not None and not perm.allows(ctx.caller, MAY_READ):
        ctx.refuse(EACCES, f"IPC object {perm.id} may not be read")
    return image.IpcPerms(
        id=perm.id,
        key=perm.key & 0xFFFFFFFF,
        uid=perm.uid,
        gid=perm.gid,
        cuid=perm.cuid,
        cgid=perm.cgid,
        mode=perm.mode,
        seq=perm.seq,
        sec_ref=0,
    )


def _checkpoint_shm(ctx: Checkpoint, segment: Segment) -> None:
    if ctx.pure and segment.locked_by is not None:
        ctx.refuse(ENOSYS, f"segment {segment.perm.id} is locked, and the image is to be pure")
    objref, _ = ctx.objs.intern(segment)
    record = image.IpcShm(
        perms=_perms(ctx, segment.perm),
        shm_segsz=segment.size_bytes,
        shm_atim=segment.times.attached,
        shm_dtim=segment.times.detached,
        shm_ctim=segment.times.changed,
        shm_cprid=segment.times.creator,
        shm_lprid=segment.times.last_user,
        mlock_uid=_NOBODY if segment.locked_by is None else segment.locked_by,
        flags=_SHM_DEST if segment.doomed else 0,
        objref=objref,
        shift=0,
    )
    ctx.image.write(t.HDR_IPC_SHM, record)
    pages = sorted(segment.pages.items())
    if pages:
        contents = [ctx.kernel.ram.page(frame) for _, frame in pages]
        ctx.image.write_pages(
            [index for index, _ in pages], contents, ctx.kernel.abis[0].word_bytes
        )
    ctx.image.end_pages()


def _checkpoint_msg(ctx: Checkpoint, queue: MessageQueue) -> None:
    record = image.IpcMsg(
        perms=_perms(ctx, queue.perm),
        q_stime=queue.sent,
        q_rtime=queue.received,
        q_ctime=queue.changed,
        q_cbytes=queue.bytes_used,
        q_qnum=len(queue.messages),
        q_qbytes=queue.max_bytes,
        q_lspid=queue.last_sender,
        q_lrpid=queue.last_receiver,
    )
    ctx.image.write(t.HDR_IPC_MSG, record)
    for message in queue.messages:
        text = message.text
        head = image.IpcMsgMsg(m_type=message.kind, m_ts=len(text), sec_ref=0)
        ctx.image.write(t.HDR_IPC_MSG_MSG, head)
        for start in range(0, len(text), _PART_BYTES):
            ctx.image.write_blob(t.HDR_BUFFER, text[start : start + _PART_BYTES])


def _checkpoint_sem(ctx: Checkpoint, sem_set: SemaphoreSet) -> None:
    record = image.IpcSem(
        perms=_perms(ctx, sem_set.perm),
        sem_otime=sem_set.operated,
        sem_ctime=sem_set.changed,
        sem_nsems=len(sem_set.semaphores),
    )
    ctx.image.write(t.HDR_IPC_SEM, record)
    ctx.image.write_records(
        [image.Semaphore(semval=s.value, sempid=s.pid) for s in sem_set.semaphores]
    )


def checkpoint_undo(ctx: Checkpoint, undo: UndoList) -> None:
    """Write what semop will undo."""
    ctx.image.write(t.HDR_TASK_SEM_UNDO_LIST, image.TaskSemUndoList(count=len(undo.sets)))
    for number, adjustments in sorted(undo.sets.items()):
        record = image.TaskSemUndo(semid=number, semadj_count=len(adjustments))
        ctx.image.write(t.HDR_TASK_SEM_UNDO, record)
        ctx.image.write_records([image.SemaphoreAdjustment(semadj=each) for each in adjustments])


# ---- restart


def restore_ipc(ctx: Restart) -> IpcNamespace:
    """Read a namespace; its segments go away again if the restart fails."""
    record = ctx.image.read(t.HDR_IPC_NS, image.IpcNs)
    namespace = IpcNamespace(ctx.kernel.clock)
    namespace.limits = IpcLimits(
        shmmax=record.shm_ctlmax,
        shmall=record.shm_ctlall,
        shmmni=record.shm_ctlmni,
        msgmax=record.msg_ctlmax,
        msgmnb=record.msg_ctlmnb,
        msgmni=record.msg_ctlmni,
        semmsl=record.sem_ctl_msl,
        semmns=record.sem_ctl_mns,
        semopm=record.sem_ctl_opm,
        semmni=record.sem_ctl_mni,
    )
    # No task of a hostile image need be in it: then it ends where it began.
    ctx.at_end.append(lambda: namespace.end_if_unused(ctx.kernel) if ctx.committed else None)
    for _ in range(_announced(ctx, t.IPC_TYPE_SHM)):
        _restore_shm(ctx, namespace)
    for _ in range(_announced(ctx, t.IPC_TYPE_MSG)):
        _put_back(ctx, namespace.msg, _restore_msg(ctx, namespace.limits.msgmax))
    for _ in range(_announced(ctx, t.IPC_TYPE_SEM)):
        _put_back(ctx, namespace.sem, _restore_sem(ctx))
    if ctx.image.peek() == t.HDR_IPC_SEQUENCE:
        sequence = ctx.image.read(t.HDR_IPC_SEQUENCE, ours.IpcSequence)
        numbers = (sequence.shm_seq, sequence.msg_seq, sequence.sem_seq)
        if max(numbers) >= SEQUENCE_LIMIT:
            ctx.refuse(f"sequence numbers {numbers}")
        namespace.shm.next_seq, namespace.msg.next_seq, namespace.sem.next_seq = numbers
    return namespace


def _announced(ctx: Restart, kind: int) -> int:
    record = ctx.image.read(t.HDR_IPC, image.Ipc)
    if record.ipc_type != kind:
        ctx.refuse(f"ipc_type {kind} is expected here, not {record.ipc_type}")
    return record.ipc_count


def _put_back(ctx: Restart, ids: Ids[Any], thing: object) -> None:
    try:
        ids.put_back(thing)
    except LinuxError as refused:
        ctx.refuse(str(refused), errno=refused.errno)


def _check_times(ctx: Restart, *times: int) -> None:
    if max(times) > KTIME_MAX_NS // NS_PER_S:
        ctx.refuse(f"a time of {max(times)} seconds since the epoch")


def _restore_perm(ctx: Restart, record: image.IpcPerms) -> Perm:
    if _NOBODY in (record.uid, record.gid, record.cuid, record.cgid):
        ctx.refuse("an IPC object without an owner")
    cred = ctx.opener.cred
    own = record.uid == cred.euid and record.cuid == cred.euid
    if not own and not cred.cap("CAP_IPC_OWNER"):
        ctx.refuse(f"an IPC object of user {record.uid}", errno=EPERM.errno)
    check_label(ctx, record.sec_ref)
    key = record.key - (record.key >> 31 << 32)
    ids = (record.uid, record.gid, record.cuid, record.cgid)
    return Perm(key, *ids, record.mode, record.id, record.seq)


class _SegmentDrop:
    """Ends the object table's use of a segment: it stays if the restart did not fail."""

    def __init__(self, ctx: Restart, segment: Segment) -> None:
        self._ctx, self._segment = ctx, segment

    def __call__(self) -> None:
        self._segment.let_go()
        if not self._ctx.committed:
            self._segment.free_pages()


def _restore_shm(ctx: Restart, namespace: IpcNamespace) -> None:
    record = ctx.image.read(t.HDR_IPC_SHM, image.IpcShm)
    if record.shift or record.flags & ~_SHM_DEST:
        ctx.refuse("segments of huge pages are not modelled", errno=ENOSYS.errno)
    if not 0 < record.shm_segsz < 1 << 47:
        ctx.refuse(f"a segment of {record.shm_segsz} bytes")
    _check_times(ctx, record.shm_atim, record.shm_dtim, record.shm_ctim)
    perm = _restore_perm(ctx, record.perms)
    segment = Segment(ctx.kernel.ram, namespace, perm, record.shm_segsz)
    segment.doomed = bool(record.flags)
    segment.locked_by = None if record.mlock_uid == _NOBODY else record.mlock_uid
    segment.times = SegmentTimes(
        record.shm_atim,
        record.shm_dtim,
        record.shm_ctim,
        record.shm_cprid,
        record.shm_lprid,
    )
    _put_back(ctx, namespace.shm, segment)
    segment.users = 1
    ctx.objs.insert(ctx, record.objref, t.OBJ_INODE, segment, _SegmentDrop(ctx, segment))
    while (pages := ctx.image.read_pages()) is not None:
        for index, content in pages:
            if index >= segment.page_count:
                ctx.refuse(f"page {index} lies behind the end of its segment")
            try:
                segment.place_page(index, content)
            except LinuxError as full:
                ctx.refuse(str(full), errno=full.errno)


def _restore_msg(ctx: Restart, longest: int) -> MessageQueue:
    record = ctx.image.read(t.HDR_IPC_MSG, image.IpcMsg)
    _check_times(ctx, record.q_stime, record.q_rtime, record.q_ctime)
    queue = MessageQueue(
        _restore_perm(ctx, record.perms),
        record.q_qbytes,
        sent=record.q_stime,
        received=record.q_rtime,
        changed=record.q_ctime,
        last_sender=record.q_lspid,
        last_receiver=record.q_lrpid,
    )
    for _ in range(record.q_qnum):
        queue.messages.append(_restore_message(ctx, longest))
    if queue.bytes_used != record.q_cbytes:
        ctx.refuse(f"the messages have {queue.bytes_used} bytes, not {record.q_cbytes}")
    return queue


def _restore_message(ctx: Restart, longest: int) -> Message:
    head = ctx.image.read(t.HDR_IPC_MSG_MSG, image.IpcMsgMsg)
    if head.m_ts > longest:
        ctx.refuse(f"a message of {head.m_ts} bytes")
    check_label(ctx, head.sec_ref)
    text = b""
    while len(text) < head.m_ts:
        part = ctx.image.read_view(t.HDR_BUFFER, head.m_ts - len(text))
        if not part:
            ctx.refuse("an empty part of a message")
        text += bytes(part)
    return Message(head.m_type, text)


def _restore_sem(ctx: Restart) -> SemaphoreSet:
    record = ctx.image.read(t.HDR_IPC_SEM, image.IpcSem)
    if not 0 < record.sem_nsems <= _MAX_SEMAPHORES:
        ctx.refuse(f"a set of {record.sem_nsems} semaphores")
    _check_times(ctx, record.sem_otime, record.sem_ctime)
    perm = _restore_perm(ctx, record.perms)
    values = ctx.image.read_records(image.Semaphore, record.sem_nsems)
    if max(each.semval for each in values) > SEMVMX:
        ctx.refuse(f"a semaphore above {SEMVMX}")
    semaphores = [Semaphore(each.semval, each.sempid) for each in values]
    return SemaphoreSet(perm, semaphores, record.sem_otime, record.sem_ctime)


def restore_undo(ctx: Restart) -> UndoList:
    """Read what semop will undo; whose namespace it is about is known at the commit."""
    count = ctx.image.read(t.HDR_TASK_SEM_UNDO_LIST, image.TaskSemUndoList).count
    undo = UndoList(ctx.opener.nsproxy.ipc, users=0)
    for _ in range(count):
        record = ctx.image.read(t.HDR_TASK_SEM_UNDO, image.TaskSemUndo)
        if record.semid in undo.sets or not 0 < record.semadj_count <= _MAX_SEMAPHORES:
            ctx.refuse(f"undo of set {record.semid}")
        values = ctx.image.read_records(image.SemaphoreAdjustment, record.semadj_count)
        undo.sets[record.semid] = [each.semadj for each in values]
    return undo


def check_undo(ctx: Restart, undo: UndoList, namespace: IpcNamespace) -> UndoList:
    """The undo list of a task in that namespace: every set is there, and of that size."""
    undo.namespace = namespace
    sizes = {each.perm.id: len(each.semaphores) for each in namespace.sem.all()}
    for number, adjustments in undo.sets.items():
        if sizes.get(number) != len(adjustments):
            ctx.refuse(f"set {number} has not {len(adjustments)} semaphores to undo")
    return undo
