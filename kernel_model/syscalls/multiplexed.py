"""Old calls that are several in one, or the same under an older name; they call the real ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel_model.mm.address_space import check_aligned
from kernel_model.syscalls.declare import Ptr, syscall
from kernel_model.syscalls.memory import map_memory

if TYPE_CHECKING:
    from kernel_model.task import Task


@syscall(name="mmap_struct")
def mmap_struct(task: Task, arguments: Ptr) -> int:
    """i386's first mmap: six words in memory."""
    width = task.abi.word_bytes
    words = [task.user.word(arguments + width * k) for k in range(6)]
    addr, length, prot, flags, fd, offset = words
    check_aligned(offset)
    return map_memory(task, addr, length, prot, flags, fd - (fd >> 31 << 32), offset >> 12)
