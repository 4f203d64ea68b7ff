"""What C/R asks of an architecture: its records, both directions.

Mirrors:  linux-cr include/linux/checkpoint.h -- checkpoint_write_header_arch, checkpoint_thread,
          checkpoint_cpu, checkpoint_mm_context and their restore_ twins.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kernel_model.waitqueue import Restart as RestartCode

if TYPE_CHECKING:
    from cr.context import Checkpoint, Restart
    from kernel_model.arch.abi import Abi
    from kernel_model.mm.address_space import AddressSpace
    from kernel_model.task import Task


@dataclass
class CpuState:
    """A task's registers as plain data, on the way in or out of an image."""

    words: list[int]
    """In the order of the CPU's fast registers, as they were at the trap or between two runs."""
    system: dict[str, int] = field(default_factory=dict)
    units: dict[str, bytes] = field(default_factory=dict)
    syscall: int | None = None
    """The system call that the task sleeps in."""
    restart: RestartCode = RestartCode.ERESTARTSYS
    """What a signal would make of it."""
    completed: int | None = None
    """Checkpoint of oneself: the call that has returned 0 in the restarted copy."""


@dataclass(frozen=True, kw_only=True)
class ArchSupport:
    """One architecture's part of checkpoint and restart."""

    arch_id: int
    checkpoint_header: Callable[[Checkpoint], None]
    restore_header: Callable[[Restart], None]
    checkpoint_thread: Callable[[Checkpoint, Task], None]
    restore_thread: Callable[[Restart], tuple[Abi, dict[str, int]]]
    """(ABI of the task, system registers that the THREAD record has)."""
    checkpoint_cpu: Callable[[Checkpoint, Task, CpuState], None]
    restore_cpu: Callable[[Restart], CpuState]
    checkpoint_mm_context: Callable[[Checkpoint, AddressSpace], None]
    restore_mm_context: Callable[[Restart, AddressSpace], None]


def restart_code(value: int) -> RestartCode | None:
    """The ERESTART* class of a positive errno, None when it is none."""
    try:
        return RestartCode(value)
    except ValueError:
        return None
