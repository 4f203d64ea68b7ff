"""Which kernel restarts whose image: one program, checkpointed on every kernel, tried on every one.

The program is checkpointed after half of its system calls. A cell says "restarts" only when the
restarted program wrote the rest of the uninterrupted run's output and ended with its status; else
it has the sentence of the refusal, or what went another way. Kernels of older trees write the image
of their own dialect, as their sys_checkpoint does.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from cr.cli.program import install
from cr.context import Refused
from cr.generations import GENERATIONS, LAST, generation_named
from cr.image.errors import ImageError
from cr.system import ARCHES, Settings, System, boot_machine
from cr.testing.subject import MAX_TIME_NS, Recorder
from cr.until import Ended, after_syscalls
from emu.machine import Machine
from kernel_model.abi.errno import LinuxError
from kernel_model.console import Console
from kernel_model.kernel import Deadlock
from kernel_model.vfs.disk import Disk
from kernel_model.vfs.disk_tar import read_tar, write_tar

MEMORY_BYTES = 64 << 20
OTHER_RELEASE = "2.6.37-ckpt-v23"
OTHER_ABIS = ("v2", "v13", "v18", "v21")
RESTARTS = "restarts"


@dataclass(frozen=True)
class KernelKind:
    """A column: a kernel that images are tried on."""

    arch: str
    cpu_features: str = ""
    release: str = ""
    """Empty: that of its tree."""
    abi: str = LAST.name

    @property
    def label(self) -> str:
        """How a person calls it."""
        version = self.release.partition("-")[0]
        tree = "" if self.abi == LAST.name else self.abi
        return " ".join(filter(None, (self.arch, self.cpu_features, version, tree)))

    @property
    def uname(self) -> str:
        """Its version."""
        return self.release or generation_named(self.abi).release

    def boot(self, disk: Disk, recorder: Recorder) -> System:
        """Such a kernel on a new machine."""
        settings = Settings(
            self.arch,
            MEMORY_BYTES,
            cpu_features=self.cpu_features,
            release=self.release,
            abi=self.abi,
        )
        console = Console(sink=recorder.sink, keep=False)
        return boot_machine(settings, disk, console, Machine(MEMORY_BYTES))


@dataclass(frozen=True)
class Origin:
    """A row: the kernel that the image is made on, and whose programs it runs there."""

    kernel: str
    program: str
    abi: str = LAST.name

    @property
    def kind(self) -> KernelKind:
        """That kernel."""
        return KernelKind(self.kernel, abi=self.abi)

    @property
    def label(self) -> str:
        """How a person calls it."""
        on = self.kind.label
        return on if self.kernel == self.program else f"{self.program} on {on}"


@dataclass(frozen=True)
class Cell:
    """What one kernel makes of one image."""

    kernel: KernelKind
    reason: str
    """Why it does not restart; empty: it does, and the rest of its run is the same."""

    @property
    def outcome(self) -> str:
        """One word."""
        return "refused" if self.reason else RESTARTS


@dataclass(frozen=True)
class Row:
    """One image, and what became of it."""

    origin: Origin
    calls: int
    """Of the uninterrupted run; the image was taken after half of them."""
    cells: tuple[Cell, ...]

    @property
    def native(self) -> Cell:
        """The kernel that made the image."""
        return next(cell for cell in self.cells if cell.kernel == self.origin.kind)


@dataclass(frozen=True)
class _Run:
    """A program half way, and what the whole run comes to."""

    calls: int
    written: list[tuple[int, bytes]]
    exit_code: int
    image: bytes = b""
    disk: bytes = b""
    before: tuple[tuple[int, bytes], ...] = ()


class _NoImage(Exception):
    """There is nothing to try, for this reason."""


def origins() -> tuple[Origin, ...]:
    """All rows: each arch with its own programs, 64-bit kernels with 32-bit ones, older trees."""
    native = [Origin(arch, arch) for arch in ARCHES]
    compat = [Origin(arch, abi.name) for arch, abis in ARCHES.items() for abi in abis[1:]]
    older = [Origin(kind.arch, kind.arch, kind.abi) for kind in _older()]
    return (*native, *compat, *older)


def _older() -> list[KernelKind]:
    """The trees on the architectures that they had been ported to."""
    return [
        KernelKind(arch, abi=name)
        for name in OTHER_ABIS
        for arch in GENERATIONS[name].numbers or ()
    ]


def kernels() -> tuple[KernelKind, ...]:
    """All columns: each arch; on the least CPU that there is; of another version; older trees."""
    lacking = {
        arch: ",".join(f"-{name}" for name in abis[0].features) for arch, abis in ARCHES.items()
    }
    return (
        *(KernelKind(arch) for arch in ARCHES),
        *(KernelKind(arch, features) for arch, features in lacking.items() if features),
        *(KernelKind(arch, release=OTHER_RELEASE) for arch in ARCHES),
        *_older(),
    )


def all_rows(
    programs: Mapping[str, Path | str],
    arguments: tuple[str, ...],
    max_time_ns: int = MAX_TIME_NS,
    progress: Callable[[], None] = lambda: None,
) -> Iterator[Row]:
    """All rows. `programs` has a file for each arch, or the reason why there is none."""
    for origin in origins():
        built = programs[origin.program]
        calls = 0
        try:
            if isinstance(built, str):
                raise _NoImage(built)
            run = _half_way(origin, built, arguments, max_time_ns)
            calls, cells = run.calls, []
            for kind in kernels():
                cells.append(Cell(kind, _try(run, kind, max_time_ns)))
                progress()
        except _NoImage as nothing:
            cells = [Cell(kind, str(nothing)) for kind in kernels()]
        yield Row(origin, calls, tuple(cells))


def _half_way(origin: Origin, program: Path, arguments: tuple[str, ...], most_ns: int) -> _Run:
    """Raises _NoImage."""

    has_trees = GENERATIONS[origin.abi].has_trees

    def start() -> tuple[System, Recorder, Callable[[], int]]:
        disk, recorder = Disk.empty(), Recorder()
        path = install(disk, program)
        kernel = origin.kind.boot(disk, recorder)
        try:
            task = kernel.spawn(path, *arguments, as_init=not has_trees)
        except LinuxError as error:
            raise _NoImage(f"the program cannot be run: {error}") from None
        return kernel, recorder, lambda: task.exit_code

    kernel, recorder, exit_code = start()
    problem = _problem_to_the_end(kernel, most_ns)
    whole = _Run(kernel.completed_calls, recorder.take(), exit_code())
    kernel.power_off()
    if problem or whole.calls < 2:
        raise _NoImage(problem or "the program has no middle: it makes too few system calls")
    kernel, recorder, _ = start()
    kernel.run(after_syscalls(whole.calls // 2), max_time_ns=most_ns)
    try:
        image = kernel.checkpoint(pure=origin.abi != LAST.name)
    except Refused as refused:
        raise _NoImage(f"the checkpoint was refused: {refused}") from None
    kernel.vfs.sync()
    archive = io.BytesIO()
    write_tar(kernel.disk, archive)
    kernel.power_off()
    before = tuple(recorder.take())
    return _Run(whole.calls, whole.written, whole.exit_code, image, archive.getvalue(), before)


def _try(run: _Run, kind: KernelKind, most_ns: int) -> str:
    """Why the image does not restart on a kernel; nothing when it does and goes on as it should."""
    recorder = Recorder()
    recorder.written = list(run.before)
    kernel = kind.boot(read_tar(run.disk), recorder)
    try:
        task = kernel.restart(run.image)
    except ImageError as refused:
        return f"{refused.record}: {refused.sentence}"
    else:
        problem = _problem_to_the_end(kernel, most_ns)
        if problem:
            return f"restarted, but {problem}"
        if recorder.take() != run.written:
            return "restarted, but the rest of its output is another one"
        return "" if task.exit_code == run.exit_code else "restarted, but it ended in another way"
    finally:
        kernel.power_off()


def _problem_to_the_end(kernel: System, most_ns: int) -> str:
    try:
        ended = kernel.run(max_time_ns=most_ns)
    except Deadlock as problem:
        return str(problem)
    return "" if ended is Ended.EXITED else "the program does not end"
