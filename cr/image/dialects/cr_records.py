"""The records of 2008 that no architecture has for itself (v6 to v13).

Sizes leave the frame out, as its length does.

Mirrors:  linux-cr v13, include/linux/checkpoint_hdr.h.
"""

from __future__ import annotations

from typing import Annotated

from cr.image.types import HEADER_MAGIC, TAIL_MAGIC, UTS_BYTES
from emu.layout import Record, at, chars, hex16, hex32, hex64, record, s32, u16, u32, u64

CR_VERSION = 2
CTX_CKPT = 0x1
VMA_ANON, VMA_FILE = 1, 2
FD_FILE, FD_DIR, FD_LINK = 1, 2, 3
UTS_TEXT_BYTES = UTS_BYTES - 1


@record(size=224)
class Head(Record):
    """First record of an image."""

    magic: hex64 = at("the magic that all dialects share", default=HEADER_MAGIC)
    major: u16 = at("kernel version, first number")
    minor: u16 = at("kernel version, second number")
    patch: u16 = at("kernel version, third number")
    rev: u16 = at("CR_VERSION", default=CR_VERSION, must_be=CR_VERSION)
    time: u64 = at("seconds since the epoch when the checkpoint was taken")
    flags: u64 = at("those of the context: 1, a checkpoint", default=CTX_CKPT, must_be=CTX_CKPT)
    release: Annotated[bytes, chars(UTS_TEXT_BYTES)] = at("of the writing kernel")
    version: Annotated[bytes, chars(UTS_TEXT_BYTES)] = at("as above")
    machine: Annotated[bytes, chars(UTS_TEXT_BYTES)] = at("as above; it tells the architecture")

    def invalid(self) -> str | None:
        if self.magic != HEADER_MAGIC:
            return "its magic is wrong"
        if any(b"\0" in text for text in (self.release, self.version, self.machine)):
            return "a text with a zero byte inside"
        return None


@record(size=8)
class Tail(Record):
    """Last record."""

    magic: hex64 = at("what ends an image", default=TAIL_MAGIC, must_be=TAIL_MAGIC)


@record(size=8)
class Tree(Record):
    """How many processes there are; their numbers follow without a frame."""

    tasks_nr: u32 = at("how many Pids follow")
    pad: u32 = at("alignment", default=0)


@record(size=16)
class Pids(Record):
    """Who one process is."""

    vpid: s32 = at("its number")
    vtgid: s32 = at("the same: there are no threads")
    vppid: s32 = at("its parent's")
    pad: u32 = at("alignment", default=0)


@record(size=24)
class Task(Record):
    """A process; its name follows."""

    state: hex32 = at("TASK_*")
    exit_state: hex32 = at("0: it lives")
    exit_code: hex32 = at("0")
    exit_signal: u32 = at("signal to the parent")
    task_comm_len: s32 = at("bytes of the name that follows")
    pad: u32 = at("alignment", default=0)


@record(size=96)
class Mm(Record):
    """An address space."""

    objref: u32 = at("0: none is shared", default=0, must_be=0)
    map_count: u32 = at("how many areas follow")
    start_code: hex64 = at("as in /proc/PID/stat")
    end_code: hex64 = at("as above")
    start_data: hex64 = at("as above")
    end_data: hex64 = at("as above")
    start_brk: hex64 = at("begin of the heap")
    brk: hex64 = at("end of the heap")
    start_stack: hex64 = at("stack pointer at execve()")
    arg_start: hex64 = at("the argument strings")
    arg_end: hex64 = at("end of the argument strings")
    env_start: hex64 = at("the environment strings")
    env_end: hex64 = at("end of the environment strings")


@record(size=48)
class Vma(Record):
    """A private area; the name of its file follows, then pages."""

    vma_type: u32 = at("1: of nothing; 2: of a file")
    pad: u32 = at("alignment", default=0)
    vm_start: hex64 = at("first address")
    vm_end: hex64 = at("address after the last")
    vm_page_prot: hex64 = at("page table protection of the writing kernel; never used")
    vm_flags: hex64 = at("VM_*")
    vm_pgoff: u64 = at("offset in the file, in pages")

    def invalid(self) -> str | None:
        if self.vma_type not in (VMA_ANON, VMA_FILE):
            return f"vma_type {self.vma_type} is none that there was"
        if self.vm_start >= self.vm_end:
            return f"the area {self.vm_start:#x}-{self.vm_end:#x} is empty"
        return None


@record(size=8)
class PageArray(Record):
    """So many addresses and then so many pages follow without a frame; 0: no more."""

    nr_pages: u64 = at("how many")


@record(size=8)
class Files(Record):
    """The open files of a process."""

    objref: u32 = at("0: none is shared", default=0, must_be=0)
    nfds: u32 = at("how many descriptors follow")


@record(size=16)
class FdEnt(Record):
    """One descriptor; the first of an open file has it behind."""

    objref: u32 = at("number of the open file")
    fd: s32 = at("the descriptor")
    close_on_exec: u32 = at("0 or not")
    pad: u32 = at("alignment", default=0)

    def invalid(self) -> str | None:
        return "a negative descriptor" if self.fd < 0 else None


@record(size=24)
class FdData(Record):
    """An open file; its name follows."""

    fd_type: u16 = at("1: file; 2: directory; 3, before v11: symbolic link")
    f_mode: hex16 = at("FMODE_*")
    f_flags: hex32 = at("O_*")
    f_pos: u64 = at("position")
    f_version: u64 = at("stored, never used")

    def invalid(self) -> str | None:
        known = (FD_FILE, FD_DIR, FD_LINK)
        return None if self.fd_type in known else f"fd_type {self.fd_type} is none of 1 to 3"
