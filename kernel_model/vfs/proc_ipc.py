"""/proc/sysvipc: the System V objects of the reader's IPC namespace, a line each.

Mirrors: Linux ipc/util.c (sysvipc_proc_show), ipc/shm.c, ipc/sem.c, ipc/msg.c (their _proc_show).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kernel_model.ipc.ids import Perm
    from kernel_model.task import Task

_PAGE = 4096
_OWNERS = b"  uid   gid  cuid  cgid"


def _owners(perm: Perm) -> bytes:
    return b"%5d %5d %5d %5d" % (perm.uid, perm.gid, perm.cuid, perm.cgid)


def _first(perm: Perm, more_mode: int = 0) -> bytes:
    return b"%10d %10d  %4o" % (perm.key, perm.id, perm.mode | more_mode)


def _shm(task: Task) -> bytes:
    width = 10 if task.abi.word_bytes == 4 else 21
    size, rss, swap = (name.rjust(width) for name in (b"size", b"rss", b"swap"))
    head = b"       key      shmid perms %s  cpid  lpid nattch " % size
    lines = [head + _OWNERS + b"      atime      dtime      ctime %s %s\n" % (rss, swap)]
    for segment in task.nsproxy.ipc.shm.all():
        times, perm = segment.times, segment.perm
        first = _first(perm, segment.mode_flags)
        middle = b"%5d %5d  %5d" % (times.creator, times.last_user, segment.users)
        last = b"%10d %10d %10d" % (times.attached, times.detached, times.changed)
        resident = b"%d" % (len(segment.pages) * _PAGE)
        sizes = resident.rjust(width), b"0".rjust(width)
        bytes_text = (b"%d" % segment.size_bytes).rjust(width)
        lines.append(
            b"%s %s %s %s %s %s %s\n" % (first, bytes_text, middle, _owners(perm), last, *sizes)
        )
    return b"".join(lines)


def _sem(task: Task) -> bytes:
    lines = [b"       key      semid perms      nsems " + _OWNERS + b"      otime      ctime\n"]
    for each in task.nsproxy.ipc.sem.all():
        times = b"%10d %10d" % (each.operated, each.changed)
        owners, count = _owners(each.perm), len(each.semaphores)
        lines.append(b"%s %10d %s %s\n" % (_first(each.perm), count, owners, times))
    return b"".join(lines)


def _msg(task: Task) -> bytes:
    head = b"       key      msqid perms      cbytes       qnum lspid lrpid "
    lines = [head + _OWNERS + b"      stime      rtime      ctime\n"]
    for queue in task.nsproxy.ipc.msg.all():
        there = b"%10d %10d" % (queue.bytes_used, len(queue.messages))
        pids = b"%5d %5d" % (queue.last_sender, queue.last_receiver)
        times = b"%10d %10d %10d" % (queue.sent, queue.received, queue.changed)
        first, owners = _first(queue.perm), _owners(queue.perm)
        lines.append(b"%s  %s %s %s %s\n" % (first, there, pids, owners, times))
    return b"".join(lines)


IPC_FILES: Mapping[bytes, Callable[[Task], bytes]] = MappingProxyType(
    {b"sysvipc/msg": _msg, b"sysvipc/sem": _sem, b"sysvipc/shm": _shm}
)
"""Below /proc; each function is given the task that reads."""
