"""One run of a guest under a command: its kernel, its checkpoint, its files, its end."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import click

from cr.cli.failure import INTERRUPTED, REFUSED, TIMED_OUT, Failure
from cr.cli.host_console import HostConsole
from cr.cli.host_terminal import HostTerminal
from cr.cli.whole_files import Staging, check_folder
from cr.generations import LAST, generation_named
from cr.system import ARCHES, DEFAULT_EPOCH_NS, DEFAULT_MEMORY_BYTES, System
from cr.until import Ended, after_syscalls, after_time
from emu.memory import Ram
from kernel_model.arch.features import lacking, parse
from kernel_model.clock import END_UNITS
from kernel_model.kernel import Deadlock
from kernel_model.strace import name_of_signal
from kernel_model.task import Task
from kernel_model.vfs.disk import Disk, DiskError
from kernel_model.vfs.disk_tar import read_tar, write_tar


@dataclass(frozen=True, kw_only=True)
class Options:
    """What `run` and `restart` have in common."""

    terminal: bool = False
    as_init: bool = False
    kernel: str | None = None
    root: Path | None = None
    disk: Path | None = None
    env: tuple[tuple[str, str], ...] = ()
    seed: int = 0
    date: int = DEFAULT_EPOCH_NS
    memory: int = DEFAULT_MEMORY_BYTES >> 20
    max_time: int | None = None
    trace: str | None = None
    checkpoint_after: tuple[str, int] | None = None
    output: Path | None = None
    stop: bool = False
    pure: bool = False
    cpu_features: str = ""
    nocr: bool = False
    abi: str | None = None
    """None: the last one, or for an image that says so its own."""

    def check(self) -> None:
        """Refuse what makes no sense together, and what cannot work, before anything runs."""
        if (self.checkpoint_after is None) != (self.output is None):
            raise Failure("--checkpoint-after and -o IMAGE need one another")
        if self.stop and self.output is None:
            raise Failure("--stop is for --checkpoint-after, which is not there")
        for target in (self.output, self.disk):
            if target is not None:
                check_folder(target)


def note(sentence: str) -> None:
    """A word of ours: on stderr, never among the guest's output."""
    click.echo(f"cr: {sentence}", err=True)


def disk_beside(image: Path) -> Path:
    """Where the disk of an image is."""
    return image.with_name(image.name + ".disk.tar")


def load_disk(tar: Path | None, root: Path | None) -> Disk:
    """The disk of a tar file, above a folder of the host, or both, or neither."""
    try:
        below = Disk.from_dir(root) if root is not None else None
        if tar is None:
            return below or Disk.empty()
        if tar.is_char_device():
            raise Failure(f"{tar} is a device, so no disk")
        return read_tar(tar.read_bytes(), below)
    except DiskError as problem:
        raise Failure(f"{tar or root}: {problem}") from None
    except OSError as error:
        raise Failure(f"{tar}: {error.strerror}") from None


def check_kernel(arch: str, cpu_features: str, abi: str) -> None:
    """Raises Failure if there is no such kernel."""
    try:
        lacking(ARCHES[arch], parse(cpu_features))
    except ValueError as problem:
        raise Failure(f"--cpu-features: {problem}") from None
    try:
        generation_named(abi)
    except ValueError as problem:
        raise Failure(f"--abi: {problem}") from None


def boot(arch: str, disk: Disk, options: Options, host: HostConsole) -> System:
    """A kernel as the options want it."""
    from cr.system import Settings, boot_machine
    from emu.machine import Machine
    from kernel_model.console import Console

    abi = LAST.name if options.abi is None else options.abi
    check_kernel(arch, options.cpu_features, abi)
    memory_bytes = options.memory << 20
    try:
        ram = Ram(memory_bytes)
    except (OSError, OverflowError, MemoryError):
        raise Failure(f"the host does not have {options.memory} MB for the guest") from None
    person = host.person if isinstance(host, HostTerminal) and host.is_person else None
    console = Console(host.source, host.sink, keep=False, person=person)
    settings = Settings(
        arch,
        memory_bytes,
        options.date,
        options.seed,
        cpu_features=options.cpu_features,
        abi=abi,
        nocr=options.nocr,
    )
    try:
        return boot_machine(settings, disk, console, Machine(memory_bytes, ram=ram))
    except DiskError as problem:
        raise Failure(f"this disk cannot be booted from: {problem}") from None


def finish(kernel: System, task: Task, options: Options, host: HostConsole) -> int:
    """Run to the end, with a checkpoint on the way if one is wanted; our exit status."""
    try:
        with _ctrl_c(kernel, host):
            status = _run(kernel, task, options, host)
    except DiskError as problem:
        raise Failure(str(problem)) from None
    if options.disk is not None:
        kernel.vfs.sync()
        with Staging() as files:
            files.write(options.disk, lambda file: write_tar(kernel.disk, file))
            files.commit()
    return status


def host_of(options: Options) -> HostConsole:
    """Our end of the console."""
    return HostTerminal() if options.terminal else HostConsole()


def serve_terminal(kernel: System, host: HostConsole) -> None:
    """Connect the guest's terminal with ours. Raises Failure if the guest has none."""
    if not isinstance(host, HostTerminal):
        return
    if kernel.console.tty is None:
        raise Failure("-t: no program of the image has a terminal as console")
    host.serve(kernel.console.tty)


def _run(kernel: System, task: Task, options: Options, host: HostConsole) -> int:
    deadline = None if options.max_time is None else kernel.clock.now_ns() + options.max_time
    ended = None
    try:
        if options.checkpoint_after is not None:
            kind, count = options.checkpoint_after
            until = after_syscalls(count) if kind == "syscalls" else after_time(count)
            with host.raw():
                ended = kernel.run(until, max_time_ns=options.max_time)
            if ended is Ended.REACHED:
                assert options.output is not None
                _checkpoint(kernel, options.output, options.pure)
                if options.stop:
                    return 0
            else:
                note("no image: the program ended before the place of the checkpoint")
        if ended in (None, Ended.REACHED):
            left = None if deadline is None else max(0, deadline - kernel.clock.now_ns())
            with host.raw():
                ended = kernel.run(max_time_ns=left)
    except Deadlock as problem:
        note(str(problem))
        return TIMED_OUT
    except KeyboardInterrupt:
        ended = Ended.INTERRUPTED
    assert ended is not None
    return _status(kernel, task, ended)


def _status(kernel: System, task: Task, ended: Ended) -> int:
    if ended is Ended.INTERRUPTED:
        note("interrupted")
        return INTERRUPTED
    if ended is Ended.TIMED_OUT:
        over = kernel.clock.units >= END_UNITS
        what = "virtual time is over" if over else "--max-time reached"
        note(f"{what} at {kernel.clock.now_ns()} ns of virtual time")
        return TIMED_OUT
    signo = task.last_of_process.exit_code & 0x7F
    if signo:
        note(f"the program was ended by {name_of_signal(signo)}")
        for sentence, times in kernel.trace.not_modelled.items():
            note(f"it had asked in vain, {times} times: {sentence}")
    return task.exit_status


def _checkpoint(kernel: System, output: Path, pure: bool) -> None:
    image = _or_refused(lambda: kernel.checkpoint(pure=pure))
    kernel.vfs.sync()
    with Staging() as files:
        files.write(disk_beside(output), lambda file: write_tar(kernel.disk, file))
        files.write(output, lambda file: file.write(image))
        files.commit()
    calls, now = kernel.completed_calls, kernel.clock.now_ns()
    note(f"{output}: {len(image)} bytes, taken after {calls} system calls, at {now} ns")


def _or_refused(act: Callable[[], bytes]) -> bytes:
    from cr.context import Refused

    try:
        return act()
    except Refused as refused:
        raise Failure(f"the checkpoint was refused: {refused}", REFUSED) from None


@contextmanager
def _ctrl_c(kernel: System, host: HostConsole) -> Iterator[None]:
    # An exception in the middle of a callback of the CPU would be lost, so between two turns the
    # handler only leaves word; a read that waits for the host has to be broken off.
    def handler(signo: int, frame: FrameType | None) -> None:
        if host.waiting:
            raise KeyboardInterrupt
        kernel.interrupt()

    before = signal.signal(signal.SIGINT, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
