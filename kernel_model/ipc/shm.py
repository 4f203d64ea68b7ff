"""Shared memory segments: memory with a name, which outlives those who map it.

A segment is what a mapping shows, like shared anonymous memory; the number of mappings is its
nattch. Removed while mapped, it loses its key and goes with its last mapping.

Mirrors: Linux ipc/shm.c (newseg, shm_open, shm_close, shm_destroy).
Deviates: a fork or a split counts a mapping, and does not touch shm_atime and shm_lpid.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from emu.memory import PAGE_MASK, PAGE_SHIFT, Ram
from kernel_model.ipc.ids import IPC_PRIVATE, Perm
from kernel_model.mm.backing import SharedMemory

if TYPE_CHECKING:
    from kernel_model.ipc.namespace import IpcNamespace
    from kernel_model.mm.address_space import AddressSpace

SHM_DEST, SHM_LOCKED = 0o1000, 0o2000


@dataclass
class SegmentTimes:
    """Seconds since the epoch, and who it was."""

    attached: int = 0
    detached: int = 0
    changed: int = 0
    creator: int = 0
    last_user: int = 0


class Segment(SharedMemory):
    """One segment; `users` is nattch."""

    def __init__(self, ram: Ram, owner: IpcNamespace, perm: Perm, size_bytes: int) -> None:
        super().__init__(ram, (size_bytes + PAGE_MASK) >> PAGE_SHIFT)
        self.owner = owner
        self.perm = perm
        self.size_bytes = size_bytes
        self.times = SegmentTimes()
        self.locked_by: int | None = None
        """The user who has locked its pages (SHM_LOCK); they are in memory anyway."""
        self.doomed = False
        """Removed, and still mapped: SHM_DEST."""

    @property
    def mode_flags(self) -> int:
        """What its mode shows beside the rights: SHM_DEST, SHM_LOCKED."""
        locked = SHM_LOCKED if self.locked_by is not None else 0
        return locked | (SHM_DEST if self.doomed else 0)

    def remove_mapping(self, mapper: AddressSpace, /) -> None:
        """One mapping less; the last one of a removed segment frees it."""
        self.times.detached = self.owner.now_s()
        self.let_go()

    def let_go(self) -> None:
        """One user less, whoever it was."""
        self.users -= 1
        if self.doomed and not self.users:
            self._destroy()

    def remove(self) -> None:
        """IPC_RMID."""
        if self.users:
            self.doomed = True
            self.perm.key = IPC_PRIVATE
        else:
            self._destroy()

    def _destroy(self) -> None:
        self.owner.shm.remove(self)
        self.free_pages()


def total_pages(namespace: IpcNamespace) -> int:
    """Pages of all segments, in memory or not."""
    return sum(segment.page_count for segment in namespace.shm.slots.values())
