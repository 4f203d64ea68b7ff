"""Boot a kernel on one guest program, for the benchmarks and the laws of the clock."""

from __future__ import annotations

import stat
import tempfile
from pathlib import Path

from cr.system import Settings, boot_machine
from emu.machine import Machine
from guests.stories import GUESTS_FOLDER
from guests.toolchain import build
from kernel_model.boot import spawn
from kernel_model.console import Console
from kernel_model.kernel import Kernel
from kernel_model.task import State
from kernel_model.vfs.disk import Disk

FOREVER = 1 << 61


def program_bytes(story: str, arch: str) -> bytes:
    """The story's program, built or out of the cache."""
    with tempfile.TemporaryDirectory() as folder:
        path = build(GUESTS_FOLDER / f"{story}.c", arch, Path(folder) / "program")
        return path.read_bytes()


def boot(
    story: str, arch: str, *arguments: str, machine: Machine | None = None, accelerate: bool = True
) -> Kernel:
    """A kernel whose only task is the story's program."""
    if machine is None:
        machine = Machine(64 << 20, accelerate=accelerate)
    disk = Disk.empty()
    console = Console()
    kernel = boot_machine(Settings(arch=arch), disk, console, machine)
    for name in (b"bin", b"tmp", b"dev"):
        kernel.vfs.root.inode.create(name, stat.S_IFDIR | 0o777, 0, 0, 0, b"")
    folder = kernel.vfs.root.inode.lookup(b"bin")
    assert folder is not None
    file = folder.create(b"program", stat.S_IFREG | 0o755, 0, 0, 0, b"")
    file.write_at(0, program_bytes(story, arch))
    spawn(kernel, b"/bin/program", [b"program", *(a.encode() for a in arguments)], [], as_init=True)
    return kernel


def finish(kernel: Kernel) -> bytes:
    """Run until the program has ended; what it wrote."""
    task = kernel.tasks[1]
    while task.state is not State.ZOMBIE:
        if not kernel.run_turn(FOREVER, FOREVER):
            raise AssertionError("nothing can run any more")
    return kernel.console.output
