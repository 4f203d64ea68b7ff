"""System calls of semaphore sets.

Mirrors: Linux ipc/sem.c (sys_semget, sys_semtimedop, sys_semctl).
Deviates: a wait cut short by a signal without a handler begins again; Linux says EINTR.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from kernel_model.abi.errno import E2BIG, EAGAIN, EFBIG, EINVAL, ENOSPC, ERANGE
from kernel_model.ipc.ids import (
    IPC_INFO,
    IPC_NOWAIT,
    IPC_RMID,
    IPC_SET,
    IPC_STAT,
    MAY_READ,
    MAY_WRITE,
    left_by_waker,
    new_perm,
    tell_removed,
)
from kernel_model.ipc.sem import (
    SEMVMX,
    Operation,
    Semaphore,
    SemaphoreSet,
    SemaphoreSleep,
    forget_undo,
)
from kernel_model.restart_block import Progress
from kernel_model.syscalls.declare import Flags, Int, Long, Ptr, Size, syscall
from kernel_model.syscalls.ipc_info import tell_sem
from kernel_model.syscalls.shm import check_version, operation_of, told_perm
from kernel_model.syscalls.time import read_timespec

if TYPE_CHECKING:
    from kernel_model.task import Task

_GETPID, _GETVAL, _GETALL, _GETNCNT, _GETZCNT, _SETVAL, _SETALL = range(11, 18)
_SEM_STAT, _SEM_INFO = 18, 19
_KNOWN = {IPC_RMID, IPC_SET, IPC_STAT, *range(_GETPID, _SEM_STAT + 1)}


@syscall()
def semget(task: Task, key: Int, count: Int, flags: Flags) -> int:
    """The semaphore set of a key, made if need be."""
    namespace = task.nsproxy.ipc
    limits = namespace.limits
    if not 0 <= count <= limits.semmsl:
        raise EINVAL(f"a set of {count} semaphores")

    def suits(sem_set: SemaphoreSet) -> None:
        if count > len(sem_set.semaphores):
            raise EINVAL(f"the set has {len(sem_set.semaphores)} semaphores")

    def make() -> SemaphoreSet:
        if not count:
            raise EINVAL("a set of no semaphores")
        namespace.sem.check_room(limits.semmni)
        if sum(len(each.semaphores) for each in namespace.sem.all()) + count > limits.semmns:
            raise ENOSPC("too many semaphores")
        fresh = [Semaphore() for _ in range(count)]
        return SemaphoreSet(new_perm(task, key, flags), fresh, changed=namespace.now_s())

    return namespace.sem.get(task, key, flags, suits, make)


@syscall()
def semop(task: Task, semid: Int, operations: Ptr, count: Size) -> int:
    """Do some operations, all or none, waiting until they can be done."""
    return operate(task, semid, operations, count, 0)


@syscall()
def semtimedop(task: Task, semid: Int, operations: Ptr, count: Size, timeout: Ptr) -> int:
    """semop that gives up with EAGAIN after some time."""
    return operate(task, semid, operations, count, timeout)


def operate(task: Task, semid: int, addr: int, count: int, timeout: int) -> int:
    """semop and semtimedop; `timeout` is the address of a timespec, or 0."""
    if left_by_waker(task):
        return 0
    namespace = task.nsproxy.ipc
    count &= 0xFFFFFFFF
    if count < 1 or semid < 0:
        raise EINVAL(f"{count} operations on set {semid}")
    if count > namespace.limits.semopm:
        raise E2BIG(f"{count} operations")
    raw = task.user.read(addr, 6 * count)
    operations = tuple(
        Operation(*fields) for fields in struct.iter_unpack(f"{task.abi.order}Hhh", raw)
    )
    clock = task.kernel.clock
    if task.restart_block is None and timeout:
        task.restart_block = Progress(deadline_ns=clock.after(read_timespec(task, timeout)))
    sem_set = namespace.sem.find(semid)
    if max(each.number for each in operations) >= len(sem_set.semaphores):
        raise EFBIG(f"the set has {len(sem_set.semaphores)} semaphores")
    sem_set.perm.check(task, MAY_WRITE if any(e.change for e in operations) else MAY_READ)
    blocked = sem_set.attempt(task, operations)
    if blocked is None:
        sem_set.operated = namespace.now_s()
        sem_set.let_others_go_on(namespace.now_s())
        return 0
    if operations[blocked].flags & IPC_NOWAIT:
        raise EAGAIN(f"semaphore {operations[blocked].number} would have to be waited for")
    deadline = task.restart_block.deadline_ns if task.restart_block is not None else None
    if deadline is not None and clock.now_ns() >= deadline:
        raise EAGAIN("the time is over")
    raise SemaphoreSleep(sem_set.queue, operations, blocked, deadline)


@syscall(partial="structures without IPC_64 are refused")
def semctl(task: Task, semid: Int, number: Int, command: Int, argument: Long) -> int:
    """Ask about a set, one of its semaphores, or all sets; change one, remove it."""
    return control(task, semid, number, command, argument, argument)


def control(task: Task, semid: int, number: int, command: int, addr: int, value: int) -> int:
    """semctl: its last argument as an address, and as an int."""
    operation = operation_of(task, command)
    if semid < 0 or operation < 0:
        raise EINVAL(f"set {semid}, command {operation}")
    addr &= task.abi.mask
    if operation in (IPC_INFO, _SEM_INFO):
        return tell_sem(task, addr, usage=operation == _SEM_INFO)
    if operation not in _KNOWN:
        raise EINVAL(f"semctl command {operation}")
    if operation in (IPC_STAT, IPC_SET, _SEM_STAT):
        check_version(task, command)
    sets = task.nsproxy.ipc.sem
    sem_set = sets.at_slot(semid) if operation == _SEM_STAT else sets.find(semid)
    if operation in (IPC_RMID, IPC_SET):
        sem_set.perm.check_owner(task)
        return _remove(task, sem_set) if operation == IPC_RMID else _set(task, sem_set, addr)
    sem_set.perm.check(task, MAY_WRITE if operation in (_SETVAL, _SETALL) else MAY_READ)
    if operation in (IPC_STAT, _SEM_STAT):
        told = task.abi.structs.ipc.sem(
            perm=told_perm(task, sem_set.perm),  # type: ignore[arg-type]
            otime=sem_set.operated & task.abi.mask,
            ctime=sem_set.changed & task.abi.mask,
            nsems=len(sem_set.semaphores),
        )
        task.user.write_record(told, addr)
        return sem_set.perm.id if operation == _SEM_STAT else 0
    if operation in (_GETALL, _SETALL):
        return _all(task, sem_set, operation, addr)
    if not 0 <= number < len(sem_set.semaphores):
        raise EINVAL(f"the set has {len(sem_set.semaphores)} semaphores")
    if operation == _SETVAL:
        return _set_value(task, sem_set, number, value)
    if operation == _GETPID:
        return sem_set.semaphores[number].pid
    if operation == _GETVAL:
        return sem_set.semaphores[number].value
    return sem_set.waiting_for(number, zero=operation == _GETZCNT)


def _remove(task: Task, sem_set: SemaphoreSet) -> int:
    for other in task.kernel.tasks.values():
        if other.sem_undo is not None and other.sem_undo.namespace is task.nsproxy.ipc:
            other.sem_undo.sets.pop(sem_set.perm.id, None)
    task.nsproxy.ipc.sem.remove(sem_set)
    tell_removed(sem_set.queue)
    return 0


def _set(task: Task, sem_set: SemaphoreSet, addr: int) -> int:
    asked = task.user.read_record(task.abi.structs.ipc.sem, addr).perm
    sem_set.perm.change(asked.uid, asked.gid, asked.mode)
    sem_set.changed = task.nsproxy.ipc.now_s()
    return 0


def _set_value(task: Task, sem_set: SemaphoreSet, number: int, value: int) -> int:
    value &= 0xFFFFFFFF
    if value > SEMVMX:
        raise ERANGE(f"a semaphore cannot be {value}")
    now_s = task.nsproxy.ipc.now_s()
    sem_set.semaphores[number] = Semaphore(value, task.vtgid)
    sem_set.changed = now_s
    forget_undo(task, sem_set.perm.id, number)
    sem_set.let_others_go_on(now_s)
    return 0


def _all(task: Task, sem_set: SemaphoreSet, operation: int, addr: int) -> int:
    layout = f"{task.abi.order}{len(sem_set.semaphores)}H"
    if operation == _GETALL:
        values = [semaphore.value for semaphore in sem_set.semaphores]
        task.user.write(addr, struct.pack(layout, *values))
        return 0
    fresh = struct.unpack(layout, task.user.read(addr, struct.calcsize(layout)))
    if max(fresh) > SEMVMX:
        raise ERANGE(f"a semaphore cannot be {max(fresh)}")
    now_s = task.nsproxy.ipc.now_s()
    for semaphore, value in zip(sem_set.semaphores, fresh):
        semaphore.value, semaphore.pid = value, task.vtgid
    sem_set.changed = now_s
    forget_undo(task, sem_set.perm.id)
    sem_set.let_others_go_on(now_s)
    return 0
