"""Files of /proc/sys that tell limits of the kernel; the model does not let them be changed.

A limit that the model does not have (file-max, core_pattern, the entropy pool) has no file.

Mirrors: Linux kernel/sysctl.c, ipc/ipc_sysctl.c, drivers/char/random.c.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from kernel_model.abi.limits import MMAP_MIN_ADDR, NGROUPS_MAX, NR_OPEN
from kernel_model.creds import CAPABILITIES
from kernel_model.mm.address_space import MAX_MAP_COUNT
from kernel_model.pipe import PIPE_CAPACITY_MAX

if TYPE_CHECKING:
    from kernel_model.task import Task


def _ostype(task: Task) -> bytes:
    return b"%s\n" % task.nsproxy.uts.sysname


def _osrelease(task: Task) -> bytes:
    return b"%s\n" % task.nsproxy.uts.release


def _hostname(task: Task) -> bytes:
    return b"%s\n" % task.nsproxy.uts.nodename


def _sem(task: Task) -> bytes:
    limits = task.nsproxy.ipc.limits
    return b"%d\t%d\t%d\t%d\n" % (limits.semmsl, limits.semmns, limits.semopm, limits.semmni)


def _ipc_limit(name: str) -> Callable[[Task], bytes]:
    return lambda task: b"%d\n" % getattr(task.nsproxy.ipc.limits, name)


def _number(value: int) -> Callable[[Task], bytes]:
    return lambda task: b"%d\n" % value


def _uuid_text(raw: bytes) -> bytes:
    return str(uuid.UUID(bytes=raw[:16], version=4)).encode() + b"\n"


def _uuid(task: Task) -> bytes:
    return _uuid_text(task.kernel.random.bytes(16))


def _boot_id(task: Task) -> bytes:
    # Of the seed alone: it stays while the kernel runs, and a reader draws no random bytes.
    return _uuid_text(hashlib.sha256(b"boot %d" % task.kernel.random.seed).digest())


SYS_FILES: Mapping[bytes, Callable[[Task], bytes]] = MappingProxyType(
    {
        b"sys/fs/nr_open": _number(NR_OPEN),
        b"sys/fs/pipe-max-size": _number(PIPE_CAPACITY_MAX),
        b"sys/kernel/cap_last_cap": _number(len(CAPABILITIES) - 1),
        b"sys/kernel/hostname": _hostname,
        b"sys/kernel/msgmax": _ipc_limit("msgmax"),
        b"sys/kernel/msgmnb": _ipc_limit("msgmnb"),
        b"sys/kernel/msgmni": _ipc_limit("msgmni"),
        b"sys/kernel/ngroups_max": _number(NGROUPS_MAX),
        b"sys/kernel/osrelease": _osrelease,
        b"sys/kernel/ostype": _ostype,
        b"sys/kernel/pid_max": _number(32768),
        b"sys/kernel/random/boot_id": _boot_id,
        b"sys/kernel/random/uuid": _uuid,
        b"sys/kernel/sem": _sem,
        b"sys/kernel/shmall": _ipc_limit("shmall"),
        b"sys/kernel/shmmax": _ipc_limit("shmmax"),
        b"sys/kernel/shmmni": _ipc_limit("shmmni"),
        b"sys/vm/max_map_count": _number(MAX_MAP_COUNT),
        b"sys/vm/mmap_min_addr": _number(MMAP_MIN_ADDR),
        b"sys/vm/overcommit_memory": _number(1),  # no mapping is refused for want of memory
    }
)
"""Below /proc; each function is given the task that reads."""
