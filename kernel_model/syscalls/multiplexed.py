"""Old calls that are several in one, or the same under an older name; they call the real ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kernel_model.abi.errno import EINVAL, NotModelled
from kernel_model.mm.address_space import check_aligned
from kernel_model.syscalls import msg, sem, shm, truncate
from kernel_model.syscalls.declare import Fd, Int, Off64, Ptr, Size, UInt, syscall
from kernel_model.syscalls.memory import map_memory

if TYPE_CHECKING:
    from kernel_model.task import Task


@syscall()
def mmap_struct(task: Task, arguments: Ptr) -> int:
    """i386's first mmap: six words in memory."""
    width = task.abi.word_bytes
    words = [task.user.word(arguments + width * k) for k in range(6)]
    addr, length, prot, flags, fd, offset = words
    check_aligned(offset)
    return map_memory(task, addr, length, prot, flags, fd - (fd >> 31 << 32), offset >> 12)


@syscall(partial="as fadvise64")
def fadvise64_64_advice_first(task: Task, fd: Fd, advice: Int, offset: Off64, length: Off64) -> int:
    """fadvise64_64 on ppc32, where the pairs leave no register for a last argument."""
    return truncate.advise(task, fd, length, advice)


_SEMOP, _SEMGET, _SEMCTL, _SEMTIMEDOP = 1, 2, 3, 4
_MSGSND, _MSGRCV, _MSGGET, _MSGCTL = 11, 12, 13, 14
_SHMAT, _SHMDT, _SHMGET, _SHMCTL = 21, 22, 23, 24


@syscall(partial="as the calls of System V IPC")
def ipc(
    task: Task, call: UInt, first: Int, second: Size, third: Size, ptr: Ptr, fifth: Size
) -> int:
    """All of System V IPC; the upper half of `call` is the version of its arguments."""
    handle = _IPC.get(call & 0xFFFF)
    if handle is None:
        raise NotModelled(f"ipc call {call}")
    return handle(task, _IpcArguments(call >> 16, first, second, third, ptr, fifth))


@dataclass(frozen=True)
class _IpcArguments:
    version: int
    first: int
    second: int
    third: int
    ptr: int
    fifth: int


def _shmat(task: Task, given: _IpcArguments) -> int:
    if given.version == 1:
        raise EINVAL("shmat of another system")
    addr = shm.attach(task, given.first, given.ptr, given.second & 0xFFFFFFFF)
    task.user.write_word(given.third, addr)
    return 0


def _shmdt(task: Task, given: _IpcArguments) -> int:
    return shm.shmdt.handler(task, given.ptr)


def _shmget(task: Task, given: _IpcArguments) -> int:
    return shm.shmget.handler(task, given.first, given.second, given.third & 0xFFFFFFFF)


def _shmctl(task: Task, given: _IpcArguments) -> int:
    return shm.shmctl.handler(task, given.first, _int(given.second), given.ptr)


def _semop(task: Task, given: _IpcArguments) -> int:
    return sem.operate(task, given.first, given.ptr, given.second, 0)


def _semtimedop(task: Task, given: _IpcArguments) -> int:
    return sem.operate(task, given.first, given.ptr, given.second, given.fifth)


def _semget(task: Task, given: _IpcArguments) -> int:
    return sem.semget.handler(task, given.first, _int(given.second), given.third & 0xFFFFFFFF)


def _semctl(task: Task, given: _IpcArguments) -> int:
    if not given.ptr:
        raise EINVAL("semctl without its union")
    # The union lies in memory: an int is at its beginning, whatever the byte order.
    addr = task.user.word(given.ptr)
    value = int.from_bytes(task.user.read(given.ptr, 4), task.abi.byte_order)
    second, third = _int(given.second), _int(given.third)
    return sem.control(task, given.first, second, third, addr, value)


def _msgsnd(task: Task, given: _IpcArguments) -> int:
    flags = given.third & 0xFFFFFFFF
    return msg.msgsnd.handler(task, given.first, given.ptr, given.second, flags)


def _msgrcv(task: Task, given: _IpcArguments) -> int:
    message, kind = given.ptr, given.fifth
    if not given.version:
        if not message:
            raise EINVAL("msgrcv without its two words")
        width = task.abi.word_bytes
        message, kind = task.user.word(message), task.user.word(message + width)
    bits = 8 * task.abi.word_bytes
    kind -= kind >> (bits - 1) << bits
    flags = given.third & 0xFFFFFFFF
    return msg.msgrcv.handler(task, given.first, message, given.second, kind, flags)


def _msgget(task: Task, given: _IpcArguments) -> int:
    return msg.msgget.handler(task, given.first, given.second & 0xFFFFFFFF)


def _msgctl(task: Task, given: _IpcArguments) -> int:
    return msg.msgctl.handler(task, given.first, _int(given.second), given.ptr)


def _int(word: int) -> int:
    word &= 0xFFFFFFFF
    return word - (word >> 31 << 32)


_IPC = {
    _SEMOP: _semop,
    _SEMGET: _semget,
    _SEMCTL: _semctl,
    _SEMTIMEDOP: _semtimedop,
    _MSGSND: _msgsnd,
    _MSGRCV: _msgrcv,
    _MSGGET: _msgget,
    _MSGCTL: _msgctl,
    _SHMAT: _shmat,
    _SHMDT: _shmdt,
    _SHMGET: _shmget,
    _SHMCTL: _shmctl,
}
