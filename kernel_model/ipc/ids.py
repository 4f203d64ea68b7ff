"""Identifiers, keys and rights: what segments, queues and semaphore sets have in common.

An identifier is the number of a slot and a sequence number that grows with every object made, so
that an old identifier does not lead to a new object in the same slot.

Mirrors: Linux ipc/util.c (ipc_addid, ipc_findkey, ipcperms, ipcctl_pre_down, ipc_update_perm).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from kernel_model.abi.errno import (
    EACCES,
    EEXIST,
    EIDRM,
    EINVAL,
    ENOENT,
    ENOSPC,
    EPERM,
)
from kernel_model.restart_block import Progress

if TYPE_CHECKING:
    from collections.abc import Callable

    from kernel_model.task import Task
    from kernel_model.waitqueue import WaitQueue

SEQUENCE_STEP = 32768
SEQUENCE_LIMIT = 65536
IPC_PRIVATE = 0
IPC_CREAT, IPC_EXCL, IPC_NOWAIT = 0o1000, 0o2000, 0o4000
IPC_RMID, IPC_SET, IPC_STAT, IPC_INFO = range(4)
IPC_64 = 0x100
MAY_READ, MAY_WRITE = 0o444, 0o222
OPERATION_DONE, OBJECT_REMOVED = 1, 2
"""What a waker leaves in a sleeper's restart block."""


@dataclass(eq=False)
class Perm:
    """Identity and rights of one object."""

    key: int
    uid: int
    gid: int
    cuid: int
    cgid: int
    mode: int
    id: int = -1
    seq: int = 0

    def allows(self, task: Task, wanted: int) -> bool:
        """Whether a task may do what the mode bits `wanted` stand for."""
        cred = task.cred
        asked = wanted >> 6 | wanted >> 3 | wanted
        granted = self.mode
        if cred.euid in (self.cuid, self.uid):
            granted >>= 6
        elif {self.cgid, self.gid} & {cred.egid, *cred.groups}:
            granted >>= 3
        return not asked & ~granted & 7 or cred.cap("CAP_IPC_OWNER")

    def check(self, task: Task, wanted: int) -> None:
        """EACCES unless a task may do that."""
        if not self.allows(task, wanted):
            raise EACCES(f"object {self.id} has mode {self.mode:o}")

    def check_owner(self, task: Task) -> None:
        """EPERM unless a task may remove or change the object."""
        if task.cred.euid not in (self.cuid, self.uid) and not task.cred.cap("CAP_SYS_ADMIN"):
            raise EPERM(f"object {self.id} belongs to user {self.uid}")

    def change(self, uid: int, gid: int, mode: int) -> None:
        """IPC_SET."""
        if 0xFFFFFFFF in (uid, gid):
            raise EINVAL("no such user or group")
        self.uid, self.gid, self.mode = uid, gid, mode & 0o777


def new_perm(task: Task, key: int, flags: int) -> Perm:
    """Of an object that a task is about to make."""
    cred = task.cred
    return Perm(key, cred.euid, cred.egid, cred.euid, cred.egid, flags & 0o777)


class IpcObject(Protocol):
    """Anything with an identity."""

    perm: Perm


T = TypeVar("T", bound=IpcObject)


class Ids(Generic[T]):
    """All objects of one kind in a namespace, by slot."""

    def __init__(self) -> None:
        self.slots: dict[int, T] = {}
        self.next_seq = 0

    def all(self) -> list[T]:
        """In the order of their slots."""
        return [thing for _, thing in sorted(self.slots.items())]

    def find(self, number: int) -> T:
        """The object of an identifier. Raises EINVAL, or EIDRM if it was removed."""
        thing = self.slots.get(number % SEQUENCE_STEP) if number >= 0 else None
        if thing is None:
            raise EINVAL(f"there is no object {number}")
        if thing.perm.id != number:
            raise EIDRM(f"object {number} was removed")
        return thing

    def at_slot(self, slot: int) -> T:
        """The object of a slot (SHM_STAT and its like). Raises EINVAL."""
        thing = self.slots.get(slot % SEQUENCE_STEP)
        if thing is None:
            raise EINVAL(f"there is nothing in slot {slot}")
        return thing

    def get(
        self, task: Task, key: int, flags: int, suits: Callable[[T], None], make: Callable[[], T]
    ) -> int:
        """What shmget, semget and msgget do: the identifier of an old or new object."""
        found = None
        if key != IPC_PRIVATE:
            found = next((each for each in self.all() if each.perm.key == key), None)
        if found is not None:
            if flags & IPC_CREAT and flags & IPC_EXCL:
                raise EEXIST(f"key {key:#x} is in use")
            suits(found)
            found.perm.check(task, flags)
            return found.perm.id
        if key != IPC_PRIVATE and not flags & IPC_CREAT:
            raise ENOENT(f"nothing has key {key:#x}")
        return self._add(make())

    def check_room(self, limit: int) -> None:
        """ENOSPC when there are as many objects as there may be."""
        if len(self.slots) >= min(limit, SEQUENCE_STEP):
            raise ENOSPC(f"there are {len(self.slots)} objects already")

    def _add(self, thing: T) -> int:
        slot = next(slot for slot in range(SEQUENCE_STEP) if slot not in self.slots)
        thing.perm.seq = self.next_seq
        thing.perm.id = slot + SEQUENCE_STEP * self.next_seq
        self.next_seq = (self.next_seq + 1) % SEQUENCE_LIMIT
        self.slots[slot] = thing
        return thing.perm.id

    def put_back(self, thing: T) -> None:
        """Restart: an object with the identifier that it had. Raises EEXIST, EINVAL."""
        slot, seq = thing.perm.id % SEQUENCE_STEP, thing.perm.id // SEQUENCE_STEP
        if slot in self.slots:
            raise EEXIST(f"object {thing.perm.id} is there twice")
        if seq >= SEQUENCE_LIMIT or thing.perm.seq != seq:
            raise EINVAL(f"object {thing.perm.id} has sequence number {thing.perm.seq}")
        self.slots[slot] = thing
        self.next_seq = self.implied_seq()

    def implied_seq(self) -> int:
        """The next sequence number, as far as the objects that are left tell it."""
        newest = max((each.perm.seq for each in self.slots.values()), default=-1)
        return (newest + 1) % SEQUENCE_LIMIT

    def remove(self, thing: T) -> None:
        """Forget an object."""
        del self.slots[thing.perm.id % SEQUENCE_STEP]


def left_by_waker(task: Task) -> int:
    """What somebody did for the task while it slept; EIDRM if the object was removed."""
    block = task.restart_block
    done = block.done if block is not None else 0
    if done == OBJECT_REMOVED:
        raise EIDRM("the object was removed while the task waited for it")
    return done


def leave_word(task: Task, what: int) -> None:
    """Wake a sleeper for good: its handler finds `what`, and ends."""
    task.restart_block = Progress(done=what)
    task.wake()


def tell_removed(queue: WaitQueue) -> None:
    """The object is gone: whoever waits for it fails with EIDRM."""
    for task in tuple(queue.waiters):
        leave_word(task, OBJECT_REMOVED)
