"""Records of ours: what a restarted machine must know and Linux's format has no place for.

They come only after TREE, and only when something needs them; a pure image has none. Linux-cr's
own tools read the sections before TREE themselves, and know nothing of these. (Those of sockets are
in `network`, those of locks in `locks`.)

Image grammar:

    after the tree            [ MACHINE  BUFFER random-state  [ CHAOS ]  [ GENERATION ] ]
                              { PID_NAMESPACE }  { FREEZER_GROUP }
    at the end of cpu units   [ TASK_TIMES ] [ SYSCALL_PROGRESS ] [ TASK_EXTRA ]
    at the end of an IPC_NS   [ IPC_SEQUENCE ]
    after shared SIGPENDING   { POSIX_TIMER }  [ LATE_TIMERS ]  [ GROUP_NEWS ]  [ GROUP_EXIT ]
    after epoll items         [ EPOLL_READY ]
    after a FILE_NAME         [ UNLINKED  { UNLINKED_DATA } ] { UNLINKED }
    after FILE tty            [ TTY_FILE ]
    after a terminal          [ TTY_EXTRA ]

Mirrors:  nothing.
Deviates: Linux's freezer ends a half-done write or a timed wait with a short count or EINTR;
          SYSCALL_PROGRESS keeps what was done, so that the guest cannot tell. Linux refuses
          files without a name; UNLINKED carries their contents.
"""

from typing import Annotated

from cr.image.types import (
    HDR_CHAOS,
    HDR_EPOLL_READY,
    HDR_FREEZER_GROUP,
    HDR_GROUP_EXIT,
    HDR_GROUP_NEWS,
    HDR_IPC_SEQUENCE,
    HDR_LATE_TIMERS,
    HDR_MACHINE,
    HDR_PID_NAMESPACE,
    HDR_POSIX_TIMER,
    HDR_SYSCALL_PROGRESS,
    HDR_TASK_EXTRA,
    HDR_TASK_TIMES,
    HDR_TTY_EXTRA,
    HDR_TTY_FILE,
    HDR_UNLINKED,
    HDR_UNLINKED_DATA,
    Framed,
)
from emu.layout import at, hex32, hex64, record, rest, rest_bytes, s32, s64, u32, u64


@record(size=48)
class Machine(Framed):
    """The kernel besides its tasks; a BUFFER with the state of the random source follows."""

    TYPE = HDR_MACHINE

    clock_units: u64 = at("virtual clock since boot, in bytes of executed code: four are 1 ns")
    boot_time_ns: u64 = at("what the wall clock showed at boot, nanoseconds since the epoch")
    slice_left: u64 = at("what the running task has left of its time slice")
    next_pid: s32 = at("the pid that the next task will get")
    random_bytes: u32 = at("length of the random state")
    nr_running: u32 = at("how many tasks are in the run queue")
    pad: u32 = at("zero", default=0, must_be=0)
    run_queue: Annotated[tuple[int, ...], rest(s32)] = at(
        "their pids, the next one first; then those of the sleepers, the first one asleep first"
    )

    def invalid(self) -> str | None:
        if self.nr_running > len(self.run_queue):
            return f"nr_running is {self.nr_running}, but {len(self.run_queue)} are here"
        if self.next_pid <= 0 or min(self.run_queue, default=1) <= 0:
            return "pids must be positive"
        return None


@record(size=24)
class Chaos(Framed):
    """The kernel makes choices by chance: a function of this and of the virtual clock."""

    TYPE = HDR_CHAOS

    seed: u64 = at("the seed of the scheduler, and of chaos")
    wild: u32 = at("1: also short transfers, EINTR, the order of wake-ups, places of mappings")
    pad: u32 = at("zero", default=0, must_be=0)

    def invalid(self) -> str | None:
        return None if self.wild <= 1 else "wild is 0 or 1"


@record(size=16)
class PidNamespace(Framed):
    """A pid namespace below the root's; linux-cr forgets which number comes next."""

    TYPE = HDR_PID_NAMESPACE

    init: s32 = at("number of its first process in the root's namespace")
    next_number: s32 = at("the number that the next task in it will get")

    def invalid(self) -> str | None:
        return None if min(self.init, self.next_number) > 0 else "numbers of tasks are positive"


@record(size=32)
class SyscallProgress(Framed):
    """How far the system call came in which this task sleeps."""

    TYPE = HDR_SYSCALL_PROGRESS

    done_bytes: u64 = at("bytes that it has moved already")
    deadline_ns: u64 = at("virtual clock at which it gives up; all ones: never")
    flags: hex32 = at("1: a signal has ended it, it begins again; 2: nothing is kept", default=0)
    pad: u32 = at("zero", default=0, must_be=0)


@record(size=32)
class TaskTimes(Framed):
    """What a task has executed; linux-cr loses it."""

    TYPE = HDR_TASK_TIMES

    run_units: u64 = at("code that the task has executed, in bytes: four are 1 ns")
    group_units: u64 = at("the same of the threads of its group that are gone")
    children_units: u64 = at("the same of its children that were waited for")


@record(size=40)
class TaskExtra(Framed):
    """How a task shares the processor, and its personality; linux-cr loses them."""

    TYPE = HDR_TASK_EXTRA

    policy: u32 = at("SCHED_*")
    priority: u32 = at("1 to 99 of a real-time task, else 0")
    nice: s32 = at("-20 to 19")
    io_priority: u32 = at("IOPRIO_*: class and level; 0: none was set")
    reset_on_fork: u32 = at("1: children do not inherit the priority")
    personality: hex32 = at("PER_* and its flags")
    dumpable: u32 = at("PR_SET_DUMPABLE of its memory: 0 or 1")
    pad: u32 = at("zero", default=0, must_be=0)

    def invalid(self) -> str | None:
        if max(self.reset_on_fork, self.dumpable) > 1:
            return "reset_on_fork and dumpable are 0 or 1"
        return None


@record(size=8)
class EpollReady(Framed):
    """Which watches of an epoll set have news that epoll_wait has not told."""

    TYPE = HDR_EPOLL_READY

    ready: Annotated[tuple[int, ...], rest(u32)] = at(
        "positions in the items before, the one to be told first comes first"
    )


@record(size=72)
class PosixTimer(Framed):
    """A timer that timer_create made; linux-cr refuses it."""

    TYPE = HDR_POSIX_TIMER

    number: s32 = at("what timer_create gave")
    clock_id: u32 = at("0 realtime, 1 monotonic, 2 of the process, above 1 << 31 of a thread")
    notify: hex32 = at("SIGEV_*")
    signo: u32 = at("the signal that it sends")
    tid: s32 = at("the thread that gets it, with SIGEV_THREAD_ID")
    told: u32 = at("1: it expired, and its signal is pending")
    value: hex64 = at("sigval")
    due_ns: u64 = at("virtual clock at which it expires; 0: off")
    interval_ns: u64 = at("time between expirations; 0: only once")
    overrun: u64 = at("expirations since the signal that is pending")
    last_overrun: u64 = at("what timer_getoverrun tells")

    def invalid(self) -> str | None:
        if self.number < 0:
            return "number must not be negative"
        return None if self.told <= 1 else "told is 0 or 1"


@record(size=24)
class IpcSequence(Framed):
    """Sequence numbers of the next System V objects; linux-cr begins again at zero."""

    TYPE = HDR_IPC_SEQUENCE

    shm_seq: u32 = at("of the next segment")
    msg_seq: u32 = at("of the next queue")
    sem_seq: u32 = at("of the next semaphore set")
    pad: u32 = at("zero", default=0, must_be=0)


@record(size=80)
class Unlinked(Framed):
    """A file that no name leads to any more; its data follows in UNLINKED_DATA records.

    Behind a directory comes the one above it, if that was removed as well.
    """

    TYPE = HDR_UNLINKED

    objref: s32 = at("object number of the inode: equal in all files that have it open")
    mode: hex32 = at("S_IF* and permission bits")
    uid: u32 = at("owner")
    gid: u32 = at("group")
    rdev: u64 = at("device number")
    size: u64 = at("length in bytes; what is in no data record is a hole")
    atime_ns: s64 = at("last access, nanoseconds since the epoch")
    mtime_ns: s64 = at("last change of the contents")
    ctime_ns: s64 = at("last change of the inode")
    ino: u64 = at("inode number")
    nr_extents: u32 = at("how many UNLINKED_DATA records follow; 0 after the first mention")
    pad: u32 = at("zero", default=0, must_be=0)

    def invalid(self) -> str | None:
        return None if self.objref > 0 else "objref must be positive"


@record(size=16)
class UnlinkedData(Framed):
    """A run of bytes of an unlinked file."""

    TYPE = HDR_UNLINKED_DATA

    offset: u64 = at("where it begins in the file")
    content: Annotated[bytes, rest_bytes()] = at("the bytes")


@record(size=80)
class TtyExtra(Framed):
    """What linux-cr loses of a terminal: its session, its name's owner, bytes on their way."""

    TYPE = HDR_TTY_EXTRA

    session: s32 = at("the session that it controls; 0: none")
    pgrp: s32 = at("its foreground process group; 0: none")
    arrived_ns: u64 = at("virtual clock at which the last byte of input came")
    mode: hex32 = at("of a slave: S_IFCHR and permissions of its name in /dev/pts")
    uid: u32 = at("its owner")
    gid: u32 = at("its group")
    nlink: u32 = at("0: the name is gone with the master")
    atime_ns: s64 = at("its last access, nanoseconds since the epoch")
    mtime_ns: s64 = at("its last change")
    ctime_ns: s64 = at("the last change of its attributes")
    echo_bytes: u32 = at("echoes that wait because output is stopped")
    flip_bytes: u32 = at("input that waits because the buffer is full")
    device: u32 = at("0 of a pty; 1: this is the console")
    pad: u32 = at("zero", default=0, must_be=0)
    content: Annotated[bytes, rest_bytes()] = at("the echoes, then the input")

    def invalid(self) -> str | None:
        if self.session < 0 or self.pgrp < 0:
            return "session and pgrp must not be negative"
        if self.echo_bytes + self.flip_bytes != len(self.content):
            return "echo_bytes and flip_bytes must be what follows"
        return None if self.nlink <= 1 and self.device <= 1 else "nlink and device are 0 or 1"


@record(size=16)
class TtyFile(Framed):
    """An open terminal that is not just there by its own name."""

    TYPE = HDR_TTY_FILE

    hung_up: u32 = at("1: the line is gone for this file")
    unlinked: u32 = at("1: the name is gone")
    name: Annotated[bytes, rest_bytes()] = at("the name that it was opened by")

    def invalid(self) -> str | None:
        if max(self.hung_up, self.unlinked) > 1:
            return "hung_up and unlinked are 0 or 1"
        return None if len(self.name) < 4096 else "a name of 4096 bytes or more"


@record(size=32)
class LateTimers(Framed):
    """Interval timers that are due, and whose signals are not sent yet; linux-cr says 1 us left."""

    TYPE = HDR_LATE_TIMERS

    real: u64 = at("ITIMER_REAL: since when it is due, in ns, plus 1; 0: it is not")
    virtual: u64 = at("ITIMER_VIRTUAL, by what the process has executed")
    prof: u64 = at("ITIMER_PROF, likewise")

    def invalid(self) -> str | None:
        late = (self.real, self.virtual, self.prof)
        return None if 0 < max(late) < 1 << 63 else "no timer is late, or one for ever"


@record(size=16)
class GroupNews(Framed):
    """That a process was stopped or continued, until its parent has asked; linux-cr loses it."""

    TYPE = HDR_GROUP_NEWS

    stopped_by: u32 = at("the signal; 0: it was not stopped")
    continued: u32 = at("1: it was continued")

    def invalid(self) -> str | None:
        return None if self.stopped_by <= 64 and self.continued <= 1 else "no such news"


@record(size=16)
class GroupExit(Framed):
    """How a process ends of which some threads do not know it yet; linux-cr says SIGKILL."""

    TYPE = HDR_GROUP_EXIT

    code: u32 = at("as wait(2) shows it")
    pad: u32 = at("zero", default=0, must_be=0)

    def invalid(self) -> str | None:
        return None if self.code <= 0xFFFF else "no process ends like that"


@record(size=16)
class FreezerGroup(Framed):
    """A group of the freezer below the root group, after those that it is in; linux-cr has none."""

    TYPE = HDR_FREEZER_GROUP

    frozen: u32 = at("1: its tasks are held")
    name_bytes: u32 = at("length of its path")
    content: Annotated[bytes, rest_bytes()] = at("the path, then its tasks: s32 each")

    def invalid(self) -> str | None:
        if self.frozen > 1 or not 0 < self.name_bytes <= len(self.content):
            return "frozen is 0 or 1, and the name has at least one byte"
        return "half a task" if (len(self.content) - self.name_bytes) % 4 else None
