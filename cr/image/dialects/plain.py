"""Processes as plain as the first versions knew them: registers, private memory, files by name.

The neutral value between a native image and the dialects of 2008: each of them only packs and
unpacks it. `plain_of` takes a native image apart, and refuses what is not plain; `native_of`
puts one together, with these values where the old image says nothing:

    credentials    root's, with every capability
    namespaces     the restarter's
    groups         all processes are in the group and the session of the first
    signals        default actions, none blocked, none pending; no timers
    limits         those of a process that the kernel makes
    directories    / and /, umask 022
    executable     the file that is mapped where start_code points
    auxv           empty
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

from cr.image import types as t
from cr.image.arch.shape import ArchFormat
from cr.image.header import Constants, Header
from cr.image.memory import Mm, Vma
from cr.image.security import Capabilities, Cred
from cr.image.signals import Rlimit, Sigaction, Sighand, Signal, SignalTask, Sigpending, Sigset
from cr.image.task import Fs, RestartBlock, Task
from emu.layout import Bytes, Order

_UNLIMITED = (1 << 64) - 1

CONSTANTS = Constants(
    task_comm_len=t.TASK_COMM_BYTES,
    at_vector_size=44,
    signal_nsig=t.NSIG,
    uts_sysname_len=t.UTS_BYTES,
    uts_nodename_len=t.UTS_BYTES,
    uts_release_len=t.UTS_BYTES,
    uts_version_len=t.UTS_BYTES,
    uts_machine_len=t.UTS_BYTES,
    uts_domainname_len=t.UTS_BYTES,
    rlimit_nlimits=t.RLIMIT_COUNT,
    n_tty_buf_size=t.N_TTY_BUFFER_BYTES,
    tty_termios_nccs=t.TERMIOS_CHARACTERS,
)
AUXV_BYTES = 44 * 8
ROOT_CAPABILITIES = Capabilities(
    cap_i_0=0,
    cap_i_1=0,
    cap_p_0=0xFFFFFFFF,
    cap_p_1=0xF,
    cap_e_0=0xFFFFFFFF,
    cap_e_1=0xF,
    cap_b_0=0xFFFFFFFF,
    cap_b_1=0xF,
    securebits=0,
)
NO_SIGNALS = Sigset.of_mask(0)
DEFAULT_ACTION = Sigaction(sa_handler=0, sa_flags=0, sa_restorer=0, sa_mask=NO_SIGNALS)
DEFAULT_SIGHAND = Sighand(action=(DEFAULT_ACTION,) * t.NSIG)
NOT_PENDING = Sigpending(nr_pending=0, signal=NO_SIGNALS, siginfo=())
NOT_BLOCKED = SignalTask(blocked=NO_SIGNALS)
NO_RESTART = RestartBlock(
    function_type=t.RESTART_BLOCK_NONE, arg_0=0, arg_1=0, arg_2=0, arg_3=0, arg_4=0
)
DEFAULT_FS = Fs(umask=0o022)


def _limits() -> Iterable[Rlimit]:
    """CPU FSIZE DATA STACK CORE RSS NPROC NOFILE MEMLOCK AS LOCKS SIGPENDING MSGQUEUE ..."""
    known = {
        3: (8 << 20, _UNLIMITED),
        4: (0, _UNLIMITED),
        6: (4096, 4096),
        7: (1024, 4096),
        8: (65536, 65536),
        11: (4096, 4096),
        12: (819200, 819200),
        13: (0, 0),
        14: (0, 0),
    }
    for which in range(t.RLIMIT_COUNT):
        soft, hard = known.get(which, (_UNLIMITED, _UNLIMITED))
        yield Rlimit(rlim_cur=soft, rlim_max=hard)


DEFAULT_SIGNAL = Signal(
    rlim=tuple(_limits()),
    it_real_value=0,
    it_real_incr=0,
    it_virt_value=0,
    it_virt_incr=0,
    it_prof_value=0,
    it_prof_incr=0,
    tty_objref=0,
    tty_pgrp=0,
    tty_old_pgrp=0,
)


def root_cred(user_ref: int, groupinfo_ref: int) -> Cred:
    """Who a process is that an image says nothing of."""
    ids = dict.fromkeys(("uid", "suid", "euid", "fsuid", "gid", "sgid", "egid", "fsgid"), 0)
    return Cred(
        **ids,
        user_ref=user_ref,
        groupinfo_ref=groupinfo_ref,
        sec_ref=0,
        cap_s=ROOT_CAPABILITIES,
    )


@dataclass(frozen=True, slots=True)
class PlainFile:
    """An open file: what opens it again."""

    name: bytes
    mode: int
    flags: int
    position: int
    version: int


@dataclass(frozen=True, slots=True)
class PlainDescriptor:
    """One number of one process, for an open file that others may share."""

    fd: int
    close_on_exec: bool
    objref: int


@dataclass(slots=True)
class PlainArea:
    """A private mapping: of a file, or of nothing."""

    record: Vma
    name: bytes | None = None
    pages: list[tuple[int, Bytes]] = field(default_factory=list)
    """(address, content)."""


@dataclass(slots=True)
class PlainMemory:
    """An address space."""

    record: Mm
    context: t.Framed
    areas: list[PlainArea] = field(default_factory=list)
    units: list[Bytes] = field(default_factory=list)


@dataclass(slots=True)
class PlainTask:
    """A process of one thread."""

    pid: int
    ppid: int
    record: Task
    comm: bytes
    thread: t.Framed
    cpu: t.Framed
    memory: PlainMemory
    units: list[t.Framed | Bytes] = field(default_factory=list)
    descriptors: list[PlainDescriptor] = field(default_factory=list)


@dataclass(slots=True)
class PlainImage:
    """A whole image. `header_arch`, and a task's `thread`, `cpu` and units, are native records."""

    order: Order
    header: Header
    release: bytes
    version: bytes
    machine: bytes
    arch: ArchFormat
    header_arch: t.Framed
    tasks: list[PlainTask] = field(default_factory=list)
    files: dict[int, PlainFile] = field(default_factory=dict)


class Origin(Protocol):
    """Which kernel wrote an image, and when: so far all versions of HEAD agree."""

    @property
    def major(self) -> int:
        """Of the kernel."""

    @property
    def minor(self) -> int:
        """Of the kernel."""

    @property
    def patch(self) -> int:
        """Of the kernel."""

    @property
    def time(self) -> int:
        """Seconds since the epoch."""


def native_header(head: Origin, arch: ArchFormat) -> Header:
    """HEADER of the native image."""
    return Header(
        arch_id=arch.arch_id,
        major=head.major,
        minor=head.minor,
        patch=head.patch,
        rev=t.CHECKPOINT_VERSION,
        constants=CONSTANTS,
        time=head.time,
        uflags=0,
    )


def plain_task(state: int = 0, exit_signal: int = 17) -> Task:
    """A live task of which nothing else is known."""
    names = (
        "flags exit_state exit_code pdeath_signal set_child_tid clear_child_tid sas_ss_sp "
        "sas_ss_size compat_robust_futex_head_len compat_robust_futex_list "
        "robust_futex_head_len robust_futex_list"
    )
    rest = dict.fromkeys(names.split(), 0)
    return Task(state=state, exit_signal=exit_signal, **rest)
