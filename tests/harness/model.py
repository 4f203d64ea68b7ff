"""Run a guest program in the kernel model, straight or with checkpoint, reboot, restart between.

The program lies on an empty disk as /bin/program, its working directory is /.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import cr
from cr.system import Ended, System
from guests.stories import ENVIRONMENT, Story
from guests.toolchain import build
from kernel_model.abi.errno import NotModelled
from kernel_model.console import Console
from kernel_model.dump import dump
from kernel_model.vfs.disk import Disk, DiskNode

MEMORY_BYTES = 64 << 20
MAX_TIME_NS = 600 * 10**9


@dataclass
class ModelOutcome:
    """What a program did in the model."""

    console: str
    status: int
    units: int
    """Virtual time at the end, in bytes of executed code."""
    calls: int
    final_dump: str
    cycles: int = 0
    not_modelled: dict[str, int] = field(default_factory=dict)


@cache
def program_bytes(path: Path, arch: str, freestanding: bool) -> bytes:
    """The program, built once."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        return build(path, arch, Path(folder) / "program", freestanding).read_bytes()


def disk_with(program: bytes, root: Disk | None = None) -> Disk:
    """A disk whose /bin/program is this."""
    disk = root or Disk.empty()
    binaries = disk.new_node(0o040755)
    disk.root.entries()[b"bin"] = binaries
    disk.root.nlink += 1
    node: DiskNode = disk.new_node(0o100755)
    node.store(0, program)
    binaries.entries()[b"program"] = node
    return disk


def start(story: Story, arch: str, kind: str, *, accelerate: bool = True) -> System:
    """A kernel in which the story's program is about to run."""
    program = program_bytes(story.path, arch, kind == "freestanding")
    console = Console()
    console.feed(story.stdin.encode())
    kernel = cr.boot(
        arch, disk_with(program), console=console, memory_bytes=MEMORY_BYTES, accelerate=accelerate
    )
    kernel.spawn("/bin/program", *story.args, env=ENVIRONMENT)
    return kernel


def outcome(kernel: System, console: bytes, cycles: int = 0) -> ModelOutcome:
    """What a kernel has come to."""
    root = kernel.tasks[min(kernel.tasks)]
    return ModelOutcome(
        console=console.decode("latin-1"),
        status=root.exit_status,
        units=kernel.clock.units,
        calls=kernel.completed_calls,
        final_dump=dump(kernel),
        cycles=cycles,
        not_modelled=dict(kernel.trace.not_modelled),
    )


def run_straight(story: Story, arch: str, kind: str, *, accelerate: bool = True) -> ModelOutcome:
    """From the first instruction to the last, undisturbed."""
    kernel = start(story, arch, kind, accelerate=accelerate)
    ended = kernel.run(max_time_ns=MAX_TIME_NS)
    assert ended is Ended.EXITED, f"{story.name} on {arch}: {ended.value}"
    return outcome(kernel, kernel.console.output)


def run_cycled(story: Story, arch: str, kind: str, step: int = 1) -> ModelOutcome:
    """With checkpoint, reboot and restart after every `step` system calls.

    After each restart the dump of the new kernel must equal that of the old one.
    """
    kernel = start(story, arch, kind)
    console = b""
    cycles = 0
    while True:
        ended = kernel.run(cr.after_syscalls(step), max_time_ns=MAX_TIME_NS)
        if ended is Ended.EXITED:
            return outcome(kernel, console + kernel.console.output, cycles)
        assert ended is Ended.REACHED, f"{story.name} on {arch}: {ended.value}"
        image = kernel.checkpoint()
        before = dump(kernel)
        console += kernel.console.output
        missing = kernel.trace.not_modelled
        kernel = kernel.reboot()
        kernel.restart(image)
        kernel.trace.not_modelled.update(missing)
        cycles += 1
        assert dump(kernel) == before, first_difference(before, dump(kernel))


def first_difference(before: str, after: str) -> str:
    """The first line in which two dumps differ."""
    for old, new in zip(before.splitlines(), after.splitlines()):
        if old != new:
            return f"dump differs: {old!r} became {new!r}"
    return "dump differs in length"


__all__ = ["ModelOutcome", "NotModelled", "run_cycled", "run_straight"]
