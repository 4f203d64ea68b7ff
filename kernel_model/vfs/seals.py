"""Seals: what can never be done again to a file of memfd_create.

Mirrors: Linux mm/memfd.c (memfd_add_seals), and the checks of mm/shmem.c.
"""

from __future__ import annotations

from kernel_model.abi.errno import EBUSY, EINVAL, EPERM
from kernel_model.mm.vma import VM_MAYWRITE, VM_SHARED
from kernel_model.vfs.inode import F_SEAL_GROW, F_SEAL_SEAL, F_SEAL_SHRINK, F_SEAL_WRITE, Inode
from kernel_model.vfs.openfile import OpenFile

ALL_SEALS = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE


def get_seals(file: OpenFile) -> int:
    """F_GET_SEALS. Raises EINVAL for a file that cannot have any."""
    if file.inode.seals is None:
        raise EINVAL("this file has no seals")
    return file.inode.seals


def add_seals(file: OpenFile, seals: int) -> None:
    """F_ADD_SEALS. Raises EPERM, EINVAL, and EBUSY while a mapping could still be stored to."""
    if not file.may_write:
        raise EPERM("the file is not open for writing")
    if seals & ~ALL_SEALS:
        raise EINVAL(f"seals {seals:#x}")
    held = get_seals(file)
    if held & F_SEAL_SEAL:
        raise EPERM("no more seals can be added")
    if seals & ~held & F_SEAL_WRITE and _is_mapped_to_write(file.inode):
        raise EBUSY("a mapping of the file can be stored to")
    file.inode.seals = held | seals


def _is_mapped_to_write(inode: Inode) -> bool:
    both = VM_SHARED | VM_MAYWRITE
    return any(
        vma.backing is inode and vma.flags & both == both
        for mapper in inode.mappings
        for vma in mapper.vmas
    )
