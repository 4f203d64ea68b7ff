"""The texts of /proc: one small function for each file.

A function in `TASK_FILES` is given the task that the directory belongs to, one in `ROOT_FILES`
the task that reads.

Mirrors:  Linux fs/proc/array.c, fs/proc/task_mmu.c (show_map_vma), fs/proc/uptime.c, mounts.
Deviates: what this model does not count (faults, CPU time of single tasks, load averages) is
          shown as 0, in its place, so that readers who count fields find the others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from kernel_model.mm.address_space import page_up
from kernel_model.mm.vma import VM_WRITE
from kernel_model.vfs.filesystems import TYPES
from kernel_model.vfs.mount_text import mountinfo, mounts, mountstats
from kernel_model.vfs.path import shown_path
from kernel_model.vfs.proc_ipc import IPC_FILES
from kernel_model.vfs.proc_sys import SYS_FILES

if TYPE_CHECKING:
    from kernel_model.mm.vma import Vma
    from kernel_model.pids import PidNamespace
    from kernel_model.task import Task

TaskText = Callable[["Task"], bytes]

_LETTERS = {
    "running": (b"R", b"R (running)"),
    "sleeping": (b"S", b"S (sleeping)"),
    "stopped": (b"T", b"T (stopped)"),
    "zombie": (b"Z", b"Z (zombie)"),
    "dead": (b"X", b"X (dead)"),
}
_RIGHTS = ((1, b"r"), (2, b"w"), (4, b"x"))
_PAGE = 4096
_INFINITY = (1 << 64) - 1
_TICK_NS = 10_000_000


def _user_bytes(task: Task, start: int, end: int) -> bytes:
    count = task.user.readable(start, end - start) if end > start else 0
    return task.user.read(start, count) if count else b""


def _environ(task: Task) -> bytes:
    mm = task.mm
    return _user_bytes(task, mm.layout.env_start, mm.layout.env_end) if mm is not None else b""


def _auxv(task: Task) -> bytes:
    if task.mm is None:
        return b""
    width, order = task.abi.word_bytes, task.abi.byte_order
    words = [word & task.abi.mask for word in task.mm.auxv]
    return b"".join(word.to_bytes(width, order) for word in words)


_LIMITS = (
    (b"Max cpu time", b"seconds"),
    (b"Max file size", b"bytes"),
    (b"Max data size", b"bytes"),
    (b"Max stack size", b"bytes"),
    (b"Max core file size", b"bytes"),
    (b"Max resident set", b"bytes"),
    (b"Max processes", b"processes"),
    (b"Max open files", b"files"),
    (b"Max locked memory", b"bytes"),
    (b"Max address space", b"bytes"),
    (b"Max file locks", b"locks"),
    (b"Max pending signals", b"signals"),
    (b"Max msgqueue size", b"bytes"),
    (b"Max nice priority", b""),
    (b"Max realtime priority", b""),
    (b"Max realtime timeout", b"us"),
)


def _limits(task: Task) -> bytes:
    lines = [b"%-25s %-20s %-20s %-10s\n" % (b"Limit", b"Soft Limit", b"Hard Limit", b"Units")]
    for (name, unit), limit in zip(_LIMITS, task.signal.rlimits):
        soft, hard = (b"unlimited" if each >= _INFINITY else b"%d" % each for each in limit)
        tail = b"%-10s\n" % unit if unit else b"\n"
        lines.append(b"%-25s %-20s %-20s " % (name, soft, hard) + tail)
    return b"".join(lines)


def _comm(task: Task) -> bytes:
    return task.comm + b"\n"


def _cmdline(task: Task) -> bytes:
    mm = task.mm
    if mm is None:
        return b""
    start, end = mm.layout.arg_start, mm.layout.arg_end
    count = task.user.readable(start, end - start) if end > start else 0
    return task.user.read(start, count) if count else b""


def _maps(task: Task) -> bytes:
    return b"".join(_map_line(task, vma) for vma in task.mm.vmas) if task.mm else b""


def _map_line(task: Task, vma: Vma) -> bytes:
    file = vma.file
    rights = b"".join(letter if vma.flags & bit else b"-" for bit, letter in _RIGHTS)
    dev, ino, offset, name = 0, 0, 0, map_name(task, vma)
    if file is not None:
        dev, ino, offset = file.inode.fs.dev, file.inode.node.ino, vma.offset * _PAGE
    shared = b"s" if vma.shared else b"p"
    line = b"%08x-%08x %s%s %08x %02x:%02x %d " % (
        (vma.start, vma.end, rights, shared, offset) + (dev >> 8, dev & 0xFF, ino)
    )
    column = 25 + 6 * task.abi.word_bytes
    return (line.ljust(column - 1) + b" " + name if name else line) + b"\n"


def map_name(task: Task, vma: Vma) -> bytes:
    """What /proc/PID/maps calls a mapping; b"" when it has no name."""
    if vma.file is not None:
        return shown_path(vma.file.path, task.fs.root) if vma.file.path else b""
    assert task.mm is not None
    layout = task.mm.layout
    if vma.name:
        return vma.name
    if vma.start <= layout.start_stack < vma.end:
        return b"[stack]"
    if vma.start <= layout.brk and vma.end >= layout.start_brk > 0 and vma.backing is None:
        return b"[heap]"
    return b""


Numbers = Callable[[int], int]
"""What a kernel pid is called in the pid namespace of a /proc; 0: it is not known there."""


def _numbers(pid_ns: PidNamespace | None) -> Numbers:
    return pid_ns.number_of if pid_ns is not None else lambda pid: 0


def _parent_pid(task: Task, known: Numbers) -> int:
    return known(task.parent.tgid) if task.parent is not None else 0


def _stat(pid_ns: PidNamespace | None, task: Task) -> bytes:
    known = _numbers(pid_ns)
    signal, mm = task.signal, task.mm
    size = mm.total_bytes if mm is not None else 0
    numbers = [0] * 41
    numbers[0] = _parent_pid(task, known)
    numbers[1], numbers[2] = known(signal.pgid), known(signal.sid)
    tty = signal.tty
    numbers[3] = tty.device if tty is not None else 0
    numbers[4] = known(tty.pgrp) if tty is not None else -1
    shares = task.scheduling
    urgent = max(shares.priority, task.boost)
    numbers[14], numbers[15] = -1 - urgent if urgent else 20 + shares.nice, shares.nice
    numbers[16] = len(signal.threads)
    numbers[19] = size
    if mm is not None:
        layout = mm.layout
        numbers[22], numbers[23], numbers[24] = (
            layout.start_code,
            layout.end_code,
            layout.start_stack,
        )
    numbers[36], numbers[37] = shares.priority, shares.policy
    letter = _LETTERS[task.state.value][0]
    fields = b" ".join(b"%d" % number for number in numbers)
    return b"%d (%s) %s %s\n" % (known(task.pid), task.comm, letter, fields)


def _status(pid_ns: PidNamespace | None, task: Task) -> bytes:
    cred, known = task.cred, _numbers(pid_ns)
    lines = [
        b"Name:\t" + task.comm,
        b"State:\t" + _LETTERS[task.state.value][1],
        b"Tgid:\t%d" % known(task.tgid),
        b"Pid:\t%d" % known(task.pid),
        b"PPid:\t%d" % _parent_pid(task, known),
        b"TracerPid:\t0",
        b"Uid:\t%d\t%d\t%d\t%d" % (cred.uid, cred.euid, cred.suid, cred.fsuid),
        b"Gid:\t%d\t%d\t%d\t%d" % (cred.gid, cred.egid, cred.sgid, cred.fsgid),
        b"FDSize:\t%d" % (len(task.files.files) if not task.exited else 0),
        b"Groups:\t" + b"".join(b"%d " % gid for gid in cred.groups),
    ]
    if task.mm is not None:
        lines.append(b"VmSize:\t%8d kB" % (task.mm.total_bytes // 1024))
    lines.append(b"Threads:\t%d" % len(task.signal.threads))
    lines.append(b"SigBlk:\t%016x" % task.blocked)
    return b"\n".join(lines) + b"\n"


def _cgroup(task: Task) -> bytes:
    names, group = [], task.cgroup
    while group is not None and group.parent is not None:
        names.append(group.name)
        group = group.parent
    return b"1:freezer:/%s\n" % b"/".join(reversed(names))


def _oom_score(task: Task) -> bytes:
    """How likely the task is to be chosen (oom.py): its thousandths of the memory."""
    if task.mm is None or task.kernel.pid_ns.init is task.signal.leader:
        return b"0\n"
    return b"%d\n" % (task.mm.total_bytes // _PAGE * 1000 // task.kernel.ram.frame_count)


def _personality(task: Task) -> bytes:
    return b"%08x\n" % task.personality


def _statm(task: Task) -> bytes:
    """In pages: size, resident, of files, text, 0, data with stack, 0."""
    mm = task.mm
    if mm is None:
        return b"0 0 0 0 0 0 0\n"
    resident = shared = data = 0
    for vma in mm.vmas:
        there = sum(1 for _ in mm.table.entries(vma.first_page, vma.last_page))
        own = there if vma.shared else len(mm.resident_private(vma))
        resident += there
        shared += there if vma.shared else there - own if vma.file is not None else 0
        if not vma.shared and vma.flags & VM_WRITE:
            data += vma.last_page - vma.first_page
    text = page_up(mm.layout.end_code) - (mm.layout.start_code & -_PAGE)
    total = mm.total_bytes // _PAGE
    return b"%d %d %d %d 0 %d 0\n" % (total, resident, shared, text // _PAGE, data)


def _uptime(task: Task) -> bytes:
    hundredths = task.kernel.clock.now_ns() // 10_000_000
    return b"%d.%02d 0.00\n" % divmod(hundredths, 100)


def _version(task: Task) -> bytes:
    uts = task.nsproxy.uts
    return b"%s version %s %s\n" % (uts.sysname, uts.release, uts.version)


def _meminfo(task: Task) -> bytes:
    ram = task.kernel.ram
    rows = (
        (b"MemTotal:", ram.frame_count),
        (b"MemFree:", ram.free_frames),
        (b"Buffers:", 0),
        (b"SwapTotal:", 0),
        (b"SwapFree:", 0),
    )
    return b"".join(b"%-14s %9d kB\n" % (name, pages * 4) for name, pages in rows)


def _cpuinfo(task: Task) -> bytes:
    return b"processor\t: 0\nmodel name\t: %s\n\n" % task.nsproxy.uts.machine


def _kernel_stat(task: Task) -> bytes:
    kernel = task.kernel
    tasks = kernel.tasks.values()
    running = sum(other.state.value == "running" for other in tasks)
    ticks = kernel.clock.now_ns() // _TICK_NS
    times = b"%d 0 0 0 0 0 0 0 0" % ticks
    boot = kernel.clock.epoch_ns // 1_000_000_000
    return b"cpu  %s\ncpu0 %s\nbtime %d\nprocesses %d\nprocs_running %d\nprocs_blocked 0\n" % (
        (times, times, boot, task.pid_ns.next_number - 1, running)
    )


def _loadavg(task: Task) -> bytes:
    kernel = task.kernel
    running = sum(other.state.value == "running" for other in kernel.tasks.values())
    return b"0.00 0.00 0.00 %d/%d %d\n" % (running, len(kernel.tasks), task.pid_ns.next_number - 1)


def _kernel_cmdline(task: Task) -> bytes:
    return b"\n"  # nobody gave the kernel a command line


def _devices(task: Task) -> bytes:
    return (
        b"Character devices:\n  1 mem\n  5 /dev/tty\n  5 /dev/console\n  5 /dev/ptmx\n"
        b"136 pts\n\nBlock devices:\n"
    )


def _swaps(task: Task) -> bytes:
    return b"Filename\t\t\t\tType\t\tSize\tUsed\tPriority\n"


def _filesystems(task: Task) -> bytes:
    return b"".join(b"nodev\t%s\n" % name for name in sorted((*TYPES, b"pipefs", b"sockfs")))


TASK_FILES: Mapping[bytes, TaskText] = MappingProxyType(
    {
        b"auxv": _auxv,
        b"cgroup": _cgroup,
        b"cmdline": _cmdline,
        b"comm": _comm,
        b"environ": _environ,
        b"limits": _limits,
        b"maps": _maps,
        b"mountinfo": mountinfo,
        b"mounts": mounts,
        b"mountstats": mountstats,
        b"oom_score": _oom_score,
        b"personality": _personality,
        b"statm": _statm,
    }
)
PRIVATE_FILES = frozenset({b"auxv", b"environ", b"mountstats", b"personality"})
"""Those that only the owner reads."""
GUARDED_FILES = frozenset({b"maps"})
"""Those for whoever may look into the task."""
NUMBERED_FILES: Mapping[bytes, Callable[[PidNamespace | None, Task], bytes]] = MappingProxyType(
    {b"stat": _stat, b"status": _status}
)
"""Those that show numbers of tasks: as the pid namespace of their /proc knows them."""
ROOT_FILES: Mapping[bytes, TaskText] = MappingProxyType(
    {
        **IPC_FILES,
        **SYS_FILES,
        b"cmdline": _kernel_cmdline,
        b"cpuinfo": _cpuinfo,
        b"devices": _devices,
        b"filesystems": _filesystems,
        b"loadavg": _loadavg,
        b"meminfo": _meminfo,
        b"stat": _kernel_stat,
        b"swaps": _swaps,
        b"uptime": _uptime,
        b"version": _version,
    }
)
