"""Pid namespaces: the numbers by which tasks, process groups and sessions know each other.

The kernel has one number for every task, and uses it everywhere (`task.pid`, `signal.pgid` ...).
A nested namespace is a second set of numbers for those who live in it, and for nobody else: what
lies outside of it has no number there, which shows as 0. System calls translate at their border.

Mirrors:  Linux kernel/pid.c (find_vpid, pid_nr_ns), kernel/pid_namespace.c; linux-cr's
          alloc_pid with chosen numbers.
Deviates: Linux has no set of numbers that stands above the others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel_model.abi.errno import EAGAIN, EBUSY, EINVAL

if TYPE_CHECKING:
    from kernel_model.kernel import Kernel
    from kernel_model.task import Task

PID_MAX = 32768
RESERVED_PIDS = 300
"""Where numbers begin again when they have run out: daemons of the boot have the ones below."""
MAX_LEVEL = 32


class PidNamespace:
    """One set of numbers; the first one's are the kernel's own."""

    def __init__(self, kernel: Kernel, parent: PidNamespace | None = None) -> None:
        self.kernel = kernel
        self.parent = parent
        self.level: int = 0 if parent is None else parent.level + 1
        self.next_number = 1
        self.init: Task | None = None
        """Its first process: the parent of orphans, and when it ends, everybody's end."""
        self._kernel_pids: dict[int, int] = {}
        self._numbers: dict[int, int] = {}

    @property
    def is_first(self) -> bool:
        """Whether its numbers are the kernel's own."""
        return self.parent is None

    def number_of(self, pid: int) -> int:
        """How a kernel pid is called here; 0: it is not known here."""
        return pid if self.is_first else self._numbers.get(pid, 0)

    def find(self, number: int) -> int:
        """The kernel pid behind a number of here; 0: there is none."""
        return number if self.is_first else self._kernel_pids.get(number, 0)

    def task(self, number: int) -> Task | None:
        """The task (a zombie too) behind a number of here."""
        pid = self.find(number)
        task = self.kernel.tasks.get(pid)
        return task if task is not None and self.holds(task) else None

    def holds(self, task: Task) -> bool:
        """Whether a task lives here or in a namespace below."""
        inner: PidNamespace | None = task.pid_ns
        while inner is not None and inner is not self:
            inner = inner.parent
        return inner is self

    def tasks(self) -> list[Task]:
        """Everybody who lives here or below, in the order of the numbers of here."""
        inside = [task for task in self.kernel.tasks.values() if self.holds(task)]
        return sorted(inside, key=lambda task: self.number_of(task.pid))

    def lineage(self) -> list[PidNamespace]:
        """From the first namespace down to this one."""
        above = [] if self.parent is None else self.parent.lineage()
        return [*above, self]

    def in_use(self, number: int) -> bool:
        """Whether a task, a group or a session has this number."""
        if not self.is_first:
            return number in self._kernel_pids
        return self.kernel.pid_in_use(number)

    def choose(self) -> int:
        """The next free number, not taken yet. Raises EAGAIN."""
        number = self.next_number
        for _ in range(PID_MAX):
            if number >= PID_MAX:
                number = RESERVED_PIDS
            if not self.in_use(number):
                self.next_number = number + 1
                return number
            number += 1
        raise EAGAIN("all process numbers are in use")

    def enter(self, pid: int, number: int) -> None:
        """Give a kernel pid its number of here."""
        if not self.is_first:
            self._kernel_pids[number] = pid
            self._numbers[pid] = number

    def forget(self, pid: int) -> None:
        """Nobody has this kernel pid any more."""
        number = self._numbers.pop(pid, 0)
        self._kernel_pids.pop(number, None)

    def numbers(self) -> list[tuple[int, int]]:
        """(number of here, kernel pid), sorted."""
        return sorted(self._kernel_pids.items())


def allocate(namespace: PidNamespace, wanted: tuple[int, ...]) -> int:
    """A new kernel pid, with a number in each namespace of the lineage.

    `wanted` are chosen numbers, for the innermost levels, outermost of them first; 0 lets the
    kernel choose. Raises EINVAL, EBUSY, EAGAIN with no number taken.
    """
    lineage = namespace.lineage()
    if len(wanted) > len(lineage):
        raise EINVAL(f"{len(wanted)} numbers for {len(lineage)} levels of pid namespaces")
    chosen = (0,) * (len(lineage) - len(wanted)) + wanted
    for level, number in zip(lineage, chosen):
        if not 0 <= number < PID_MAX:
            raise EINVAL(f"{number} is no process number")
        if number and level.in_use(number):
            raise EBUSY(f"pid {number} is taken")
    before = [level.next_number for level in lineage]
    try:
        numbers = [number or level.choose() for level, number in zip(lineage, chosen)]
    except EAGAIN:
        for level, next_number in zip(lineage, before):
            level.next_number = next_number
        raise
    pid = numbers[0]
    for level, number in zip(lineage, numbers):
        level.enter(pid, number)
    return pid


def release_numbers(task: Task) -> None:
    """A task is gone: its numbers, and those of its group and session, may be free now."""
    namespace = task.pid_ns
    while not namespace.is_first:
        for pid in {task.pid, task.signal.pgid, task.signal.sid}:
            if not task.kernel.pid_in_use(pid):
                namespace.forget(pid)
        assert namespace.parent is not None
        namespace = namespace.parent
