"""Run a guest program in the kernel model, straight or with checkpoint, reboot, restart between.

The program lies on an empty disk as /bin/program, its working directory is /.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import cr
from cr.system import System
from cr.until import Ended, Until
from guests.stories import ENVIRONMENT, Story
from guests.toolchain import build
from kernel_model.clock import UNITS_PER_NS
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
        arch,
        disk_with(program),
        console=console,
        memory_bytes=MEMORY_BYTES,
        accelerate=accelerate,
        abi=story.abi,
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
    result = outcome(kernel, kernel.console.output)
    kernel.power_off()
    return result


def cycled(kernel: System) -> System:
    """Checkpoint, reboot, restart. The dump, and a checkpoint of the new kernel, are the same."""
    image = kernel.checkpoint()
    before = dump(kernel)
    missing = kernel.trace.not_modelled
    kernel = kernel.reboot()
    kernel.restart(image)
    kernel.trace.not_modelled.update(missing)
    after = dump(kernel)
    assert after == before, first_difference(before, after)
    assert kernel.checkpoint() == image, "a checkpoint of the restarted kernel is another image"
    return kernel


def heard(kernel: System) -> bytes:
    """What a kernel says, with checkpoint, reboot and restart behind every system call."""
    said = b""
    while kernel.run(cr.after_syscalls(1)) is Ended.REACHED:
        said += kernel.console.output
        kernel = cycled(kernel)
    return said + kernel.console.output


def run_cycled(
    story: Story,
    arch: str,
    kind: str,
    places: Iterable[Until],
    between: Callable[[System], System] = cycled,
) -> ModelOutcome:
    """With `between` (checkpoint, reboot, restart) at each place, counted from the one before."""
    kernel = start(story, arch, kind)
    console = b""
    cycles = 0
    for place in places:
        ended = kernel.run(place, max_time_ns=MAX_TIME_NS)
        if ended is Ended.EXITED:
            break
        assert ended is Ended.REACHED, f"{story.name} on {arch}: {ended.value}"
        console += kernel.console.output
        kernel = between(kernel)
        cycles += 1
    else:
        ended = kernel.run(max_time_ns=MAX_TIME_NS)
        assert ended is Ended.EXITED, f"{story.name} on {arch}: {ended.value}"
    result = outcome(kernel, console + kernel.console.output, cycles)
    kernel.power_off()
    return result


def spread(calls: int) -> list[Until]:
    """Five places: behind the first call, behind the last but the exit, and between them."""
    last = calls - 1
    wanted = sorted({1, last // 4, last // 2, 3 * last // 4, last} - {0})
    return [cr.after_syscalls(here - before) for before, here in zip([0, *wanted], wanted)]


def in_the_middle(units: int) -> list[Until]:
    """Two places by time, at a third and two thirds: in the middle of code, or of a sleep."""
    third = units // UNITS_PER_NS // 3
    return [cr.after_time(third), cr.after_time(third)] if third else []


def every_call() -> Iterator[Until]:
    """A place behind each system call."""
    while True:
        yield cr.after_syscalls(1)


def assert_same(result: ModelOutcome, expected: ModelOutcome) -> None:
    """Console, status, time and the final dump are those of an undisturbed run."""
    assert result.console == expected.console
    assert result.status == expected.status
    assert result.units == expected.units
    assert result.not_modelled == expected.not_modelled
    if result.final_dump != expected.final_dump:
        raise AssertionError(first_difference(expected.final_dump, result.final_dump))


def first_difference(before: str, after: str) -> str:
    """The first line in which two dumps differ."""
    for old, new in zip(before.splitlines(), after.splitlines()):
        if old != new:
            return f"dump differs: {old!r} became {new!r}"
    return "dump differs in length"
