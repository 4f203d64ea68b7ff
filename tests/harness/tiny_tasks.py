"""A tiny program on each arch that pauses at once: tasks for tests that need no compiler."""

from __future__ import annotations

import struct
from collections.abc import Callable

import cr
from cr.system import System
from cr.until import Ended
from kernel_model.console import Console
from kernel_model.syscalls.dispatch import load_numbers
from kernel_model.task import Task
from kernel_model.vfs.open import open_path
from kernel_model.vfs.openfile import OpenFile
from tests.harness import tiny_elf as tiny
from tests.harness.model import disk_with

MEMORY_BYTES = 4 << 20
EM_PPC64 = 21
_ENTRY_PPC64 = tiny.BASE + 64 + 56


def program(arch: str) -> bytes:
    """pause(), for ever."""
    powerpc = bytes.fromhex("3800001d 44000002 4bfffff8")
    descriptor = struct.pack(">3Q", _ENTRY_PPC64 + 24, 0, 0)
    return {
        "x86_32": lambda: tiny.elf(bytes.fromhex("b81d000000 cd80 ebf7"), machine=3, bits=32),
        "x86_64": lambda: tiny.elf(tiny.PAUSE + bytes.fromhex("ebf7")),
        "ppc32": lambda: tiny.elf(powerpc, machine=tiny.EM_PPC, bits=32, order=">"),
        "ppc64": lambda: tiny.elf(descriptor + powerpc, machine=EM_PPC64, order=">"),
    }[arch]()


def pausing(arch: str) -> tuple[System, Task]:
    """A kernel whose only task sleeps in pause."""
    kernel = cr.boot(arch, disk_with(program(arch)), console=Console(), memory_bytes=MEMORY_BYTES)
    task = kernel.spawn("/bin/program", env={}, as_init=True)
    assert kernel.run(cr.after_time(1000)) is Ended.REACHED
    return kernel, task


def restarted(kernel: System) -> tuple[System, Task]:
    """The same after checkpoint, reboot, restart."""
    image = kernel.checkpoint()
    kernel = kernel.reboot()
    return kernel, kernel.restart(image)


def opened(task: Task, path: bytes, flags: int, fd: int, *, cloexec: bool = False) -> OpenFile:
    """Open a file at a descriptor."""
    file = open_path(task, path, flags, 0o640)
    task.files.install_at(fd, file, cloexec=cloexec)
    return file


def begin_call(task: Task, name: str, *arguments: int) -> None:
    """A task that runs no code traps into a system call; it may sleep there."""
    words = task.regs.words
    words[task.abi.number] = load_numbers()[task.abi.name][name]
    for register, value in zip(task.abi.arguments, arguments):
        words[register] = value
    task.kernel.calls.enter(task)
    task.kernel.sched.dequeue(task)


Change = Callable[[System, Task], object]
