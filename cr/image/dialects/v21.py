"""v21 and v22, May to June 2010: no alternate signal stacks, no umask, no semaphores to undo.

Mirrors:  linux-cr checkpoint_hdr.h of 25 April 2010.
Deviates: whether the queues of a socket follow was not said; see `sockets_2010`. The order of
          the fields of a queued signal is UNVERIFIED (its size is not).
"""

from __future__ import annotations

from cr.image import types as t
from cr.image.dialects import records_2010 as old
from cr.image.dialects import sockets_2010, v23_rc1
from cr.image.dialects.arch import powerpc_2010, terminals_2010, x86_2010
from cr.image.dialects.chain import dialect_of
from cr.image.dialects.frames import Frame
from cr.image.dialects.probe import probe
from cr.image.dialects.step import Change, Numbering, Passage, Step
from cr.image.ipc import TaskSemUndoList
from cr.image.signals import Siginfo, Sigpending
from cr.image.task import Fs, TaskObjs
from emu.layout import Bytes, LayoutError

UMASK = 0o022
SIGCHLD = 17
FAULTS = {4, 5, 7, 8, 11}
"""SIGILL SIGTRAP SIGBUS SIGFPE SIGSEGV: on all of our architectures the same."""
UNDO = "that threads share the list of semaphores to undo, which is empty"
REV = 6


def _is_child(signo: int, code: int) -> bool:
    return signo == SIGCHLD and code > 0


def _is_fault(signo: int, code: int) -> bool:
    return signo in FAULTS and code > 0


def _signals_down(passage: Passage, frames: list[Frame]) -> list[Frame]:
    return [
        _pending_down(passage, frame) if frame.type_no == t.HDR_SIGPENDING else frame
        for frame in frames
    ]


def _pending_down(passage: Passage, frame: Frame) -> Frame:
    pending = passage.unpack(Sigpending, frame)
    queue = []
    for info in pending.siginfo:
        rest = (info.csi_fd, info.csi_tid, info.csi_band, info.csi_overrun, info.csi_trapno)
        if any(rest) or info.csi_sys_private:
            passage.no(frame, f"what signal {info.csi_signo} of a timer or of a file says")
        child = _is_child(info.csi_signo, info.csi_code)
        fault = _is_fault(info.csi_signo, info.csi_code)
        queue.append(
            old.Siginfo2010(
                signo=info.csi_signo,
                errno=info.csi_errno,
                code=info.csi_code,
                pid=info.csi_pid,
                uid=info.csi_uid,
                sigval_int=info.csi_status if child else info.csi_int,
                sigval_ptr=info.csi_addr if fault else info.csi_ptr,
                utime=info.csi_utime,
                stime=info.csi_stime,
            )
        )
    older = old.Sigpending2010(nr_pending=len(queue), signal=pending.signal, siginfo=tuple(queue))
    return passage.packed(t.HDR_SIGPENDING, older, frame)


def _signals_up(passage: Passage, frames: list[Frame]) -> list[Frame]:
    return [
        _pending_up(passage, frame) if frame.type_no == t.HDR_SIGPENDING else frame
        for frame in frames
    ]


def _pending_up(passage: Passage, frame: Frame) -> Frame:
    pending = passage.unpack(old.Sigpending2010, frame)
    queue = []
    for info in pending.siginfo:
        child = _is_child(info.signo, info.code)
        fault = _is_fault(info.signo, info.code)
        newer = Siginfo(
            csi_signo=info.signo,
            csi_errno=info.errno,
            csi_code=info.code,
            csi_pid=info.pid,
            csi_uid=info.uid,
            csi_fd=0,
            csi_tid=0,
            csi_band=0,
            csi_overrun=0,
            csi_trapno=0,
            csi_status=info.sigval_int if child else 0,
            csi_int=0 if child else info.sigval_int,
            csi_ptr=0 if fault else info.sigval_ptr,
            csi_utime=info.utime,
            csi_stime=info.stime,
            csi_addr=info.sigval_ptr if fault else 0,
            csi_sys_private=0,
        )
        queue.append(newer)
    try:
        newer_record = Sigpending(
            nr_pending=pending.nr_pending, signal=pending.signal, siginfo=tuple(queue)
        )
    except LayoutError as error:
        passage.refuse(frame, str(error))
    return passage.packed(t.HDR_SIGPENDING, newer_record, frame)


def _undo_down(passage: Passage, frames: list[Frame]) -> list[Frame]:
    """Lists of nothing to undo are left out: threads have one as soon as there is a second."""
    kept: list[Frame] = []
    for frame in frames:
        if frame.type_no == t.HDR_TASK_SEM_UNDO_LIST:
            if passage.unpack(TaskSemUndoList, frame).count:
                passage.no(frame, "semaphores to undo")
            if not kept or kept[-1].type_no != t.HDR_OBJREF:
                passage.refuse(frame, "this list is no object")
            kept.pop()
        else:
            kept.append(frame)
    return kept


STEP = Step(
    name="v21",
    changes={
        t.HDR_TASK: Change(old.TaskRc1, old.Task2010, {"sas_ss_sp": 0, "sas_ss_size": 0}),
        t.HDR_TASK_OBJS: Change(
            TaskObjs, old.TaskObjs2010, {"sem_undo_objref": 0}, {"sem_undo_objref": UNDO}
        ),
        t.HDR_FS: Change(Fs, old.Fs2010, {"umask": UMASK}),
    },
    missing={
        t.HDR_TASK_SEM_UNDO_LIST: "semaphores to undo",
        t.HDR_TASK_SEM_UNDO: "semaphores to undo",
    },
    first_down=(_signals_down, _undo_down, x86_2010.down, sockets_2010.down),
    last_up=(sockets_2010.up, x86_2010.up, _signals_up),
)
STEPS = (v23_rc1.STEP, STEP)
NUMBERING = Numbering(
    types={**v23_rc1.NUMBERING.types, t.HDR_TASK_SEM_UNDO: -1, t.HDR_TASK_SEM_UNDO_LIST: -1},
    objects={
        newer: older
        for newer, older in v23_rc1.NUMBERING.objects.items()
        if newer != t.OBJ_SEM_UNDO
    },
)
REFUSES = (
    "alternate signal stacks, semaphores to undo, a umask other than 022, pending signals of "
    f"timers and files; {v23_rc1.REFUSES}"
)
RECORDS = (
    old.TreePids,
    old.Task2010,
    old.Vma2010,
    old.IpcShm2010,
    old.TaskObjs2010,
    old.Fs2010,
    old.Siginfo2010,
    old.Sigpending2010,
    *sockets_2010.RECORDS,
    *terminals_2010.RECORDS,
    *x86_2010.RECORDS,
    *powerpc_2010.RECORDS,
)


def recognizes(image: Bytes) -> bool:
    """TREE is 101, the TASK behind it has 64 bytes, and the revision is 6."""
    found = probe(image)
    if found is None or found.revision() != REV:
        return False
    return found.tree_and_task() == (101, old.Task2010.SIZE)


DIALECT = dialect_of(
    STEPS,
    NUMBERING,
    title="v21 and v22, May to June 2010",
    recognizes=recognizes,
    records=RECORDS,
    refuses=REFUSES,
    defaults=f"a umask of 022; no sysenter return address; {v23_rc1.DEFAULTS}",
)
