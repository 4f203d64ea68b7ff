"""Semaphore sets: several counters, changed together or not at all.

Who cannot go on sleeps with its operations in its Sleep. Whoever changes the set tries them, the
longest waiting first, and completes those that can be: a sleeper that wakes has its semaphores
already, and nobody can take them from under it.

Mirrors: Linux ipc/sem.c (try_atomic_semop, update_queue, exit_sem).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kernel_model.abi.errno import ERANGE
from kernel_model.ipc.ids import OPERATION_DONE, leave_word
from kernel_model.waitqueue import Restart, Sleep, WaitQueue

if TYPE_CHECKING:
    from kernel_model.ipc.ids import Perm
    from kernel_model.ipc.namespace import IpcNamespace
    from kernel_model.task import Task

SEMVMX = 32767
SEM_UNDO = 0x1000


@dataclass(frozen=True)
class Operation:
    """One of those that semop takes."""

    number: int
    change: int
    flags: int


@dataclass
class Semaphore:
    """One counter, and who changed it last."""

    value: int = 0
    pid: int = 0


@dataclass(eq=False)
class SemaphoreSet:
    """Times are seconds since the epoch."""

    perm: Perm
    semaphores: list[Semaphore]
    operated: int = 0
    changed: int = 0
    queue: WaitQueue = field(default_factory=WaitQueue)

    def attempt(self, task: Task, operations: tuple[Operation, ...]) -> int | None:
        """Do all operations, or none: then the position of the one that must wait.

        Raises ERANGE.
        """
        before = [(each.value, each.pid) for each in self.semaphores]
        try:
            blocked = self._all(operations, task.vtgid)
            if blocked is None:
                self._note_undo(task, operations)
        except ERANGE:
            self._reset(before)
            raise
        if blocked is not None:
            self._reset(before)
        return blocked

    def _all(self, operations: tuple[Operation, ...], pid: int) -> int | None:
        for position, operation in enumerate(operations):
            semaphore = self.semaphores[operation.number]
            value = semaphore.value + operation.change
            if value < 0 or (not operation.change and semaphore.value):
                return position
            if value > SEMVMX:
                raise ERANGE(f"semaphore {operation.number} would be {value}")
            semaphore.value, semaphore.pid = value, pid
        return None

    def _reset(self, before: list[tuple[int, int]]) -> None:
        for semaphore, (value, pid) in zip(self.semaphores, before):
            semaphore.value, semaphore.pid = value, pid

    def _note_undo(self, task: Task, operations: tuple[Operation, ...]) -> None:
        noted = [each for each in operations if each.flags & SEM_UNDO]
        if not noted:
            return
        if task.sem_undo is None:
            task.sem_undo = UndoList(task.nsproxy.ipc)
        undo = task.sem_undo.sets.get(self.perm.id)
        fresh = list(undo) if undo is not None else [0] * len(self.semaphores)
        for operation in noted:
            fresh[operation.number] -= operation.change
            if not -SEMVMX - 1 < fresh[operation.number] <= SEMVMX + 1:
                raise ERANGE("too much to undo")
        task.sem_undo.sets[self.perm.id] = fresh

    def let_others_go_on(self, now_s: int) -> None:
        """The set has changed: complete what sleepers wanted, until nothing more can be."""
        progress = True
        while progress:
            progress = False
            for task in tuple(self.queue.waiters):
                sleep = task.waiting
                if isinstance(sleep, SemaphoreSleep) and self._completes(task, sleep):
                    self.operated = now_s
                    leave_word(task, OPERATION_DONE)
                    progress = True

    def _completes(self, task: Task, sleep: SemaphoreSleep) -> bool:
        try:
            blocked = self.attempt(task, sleep.operations)
        except ERANGE:
            # The handler runs into it again, and tells its caller.
            task.wake()
            return False
        if blocked is not None:
            sleep.blocked = blocked
        return blocked is None

    def waiting_for(self, number: int, *, zero: bool) -> int:
        """GETNCNT and GETZCNT: who waits for a semaphore to grow, or to become zero."""
        count = 0
        for task in self.queue.waiters:
            sleep = task.waiting
            if isinstance(sleep, SemaphoreSleep):
                operation = sleep.operations[sleep.blocked]
                count += operation.number == number and (not operation.change) == zero
        return count


class SemaphoreSleep(Sleep):
    """Waiting for a set: which operations, and which of them cannot be done yet."""

    stoppable = True

    def __init__(
        self,
        queue: WaitQueue,
        operations: tuple[Operation, ...],
        blocked: int,
        deadline_ns: int | None,
    ) -> None:
        super().__init__(queue, deadline_ns=deadline_ns, restart=Restart.ERESTARTNOHAND)
        self.operations = operations
        self.blocked = blocked


@dataclass(eq=False)
class UndoList:
    """What is taken back when the last task that shares the list exits: by set, by semaphore."""

    namespace: IpcNamespace
    sets: dict[int, list[int]] = field(default_factory=dict)
    users: int = 1

    def grab(self) -> UndoList:
        """One more task (CLONE_SYSVSEM)."""
        self.users += 1
        return self

    def drop(self, pid: int) -> None:
        """One task less; the last one takes everything back."""
        self.users -= 1
        if self.users:
            return
        for number, adjustments in sorted(self.sets.items()):
            self._apply(number, adjustments, pid)
        self.sets.clear()

    def _apply(self, number: int, adjustments: list[int], pid: int) -> None:
        namespace = self.namespace
        found = [each for each in namespace.sem.slots.values() if each.perm.id == number]
        for sem_set in found:
            for semaphore, adjustment in zip(sem_set.semaphores, adjustments):
                if adjustment:
                    semaphore.value = min(max(semaphore.value + adjustment, 0), SEMVMX)
                    semaphore.pid = pid
            sem_set.operated = namespace.now_s()
            sem_set.let_others_go_on(namespace.now_s())


def forget_undo(task: Task, number: int, semaphore: int | None = None) -> None:
    """SETVAL, SETALL, IPC_RMID: nobody takes back what is of no account any more."""
    namespace = task.nsproxy.ipc
    for other in task.kernel.tasks.values():
        undo = other.sem_undo
        if undo is None or undo.namespace is not namespace or number not in undo.sets:
            continue
        if semaphore is None:
            undo.sets[number] = [0] * len(undo.sets[number])
        else:
            undo.sets[number][semaphore] = 0
