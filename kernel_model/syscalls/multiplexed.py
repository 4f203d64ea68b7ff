"""Old calls that are several in one, or the same under an older name; they call the real ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel_model.mm.address_space import check_aligned
from kernel_model.syscalls import truncate
from kernel_model.syscalls.declare import Fd, Int, Off64, Ptr, syscall
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
