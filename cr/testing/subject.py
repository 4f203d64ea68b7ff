"""What is run, again and again: a program with all its inputs, as plain data.

Each `boot` gives a kernel in which the program is about to begin: same inputs, same run. A subject
can be sent to another process.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field, replace
from pathlib import Path

from cr.cli.failure import Failure
from cr.cli.program import arch_of, find_program
from cr.cli.session import check_kernel, load_disk
from cr.generations import LAST
from cr.system import DEFAULT_ENVIRONMENT, Settings, System, boot_machine
from emu.machine import Machine
from kernel_model.abi.errno import LinuxError
from kernel_model.console import Console
from kernel_model.vfs.disk import DiskError

MEMORY_BYTES = 128 << 20
MAX_TIME_NS = 3600 * 10**9


class Recorder:
    """What a guest wrote since somebody looked, by stream and in order."""

    def __init__(self) -> None:
        self.written: list[tuple[int, bytes]] = []

    def sink(self, stream: int, data: bytes) -> None:
        """The console's sink: joins what belongs together."""
        if self.written and self.written[-1][0] == stream:
            data = self.written.pop()[1] + data
        self.written.append((stream, data))

    def take(self) -> list[tuple[int, bytes]]:
        """What was written; from now on, nothing."""
        written, self.written = self.written, []
        return written


@dataclass(frozen=True)
class Subject:
    """A program, as the user names it, and everything that its run depends on."""

    program: str
    arguments: tuple[str, ...] = ()
    root: Path | None = None
    disk: Path | None = None
    env: tuple[tuple[str, str], ...] = ()
    stdin: Path | None = None
    memory_bytes: int = MEMORY_BYTES
    random_seed: int = 0
    schedule_seed: int | None = None
    chaos: bool = False
    accelerate: bool = True
    max_time_ns: int = MAX_TIME_NS
    cpu_features: str = ""
    abi: str = LAST.name
    source: str | None = None
    """The C file from which the program was built for `arch`."""
    arch: str | None = None
    freestanding: bool = False
    typed: bytes | None = field(default=None, repr=False)
    """What the console says, if it is at hand and in no file."""

    def boot(self, *, stays_open: bool = False) -> tuple[System, Recorder]:
        """A new kernel with the program loaded, and what it will write. Raises Failure.

        `stays_open`: more may be typed later, so the end of the input is not yet the end.
        """
        disk = load_disk(self.disk, self.root)
        path = find_program(disk, self.program)
        arch = arch_of(disk, path)
        check_kernel(arch, self.cpu_features, self.abi)
        recorder = Recorder()
        console = Console(sink=recorder.sink, keep=False, stays_open=stays_open)
        console.feed(self._input())
        settings = Settings(
            arch,
            self.memory_bytes,
            seed=self.random_seed,
            accelerate=self.accelerate,
            schedule_seed=self.schedule_seed,
            chaos=self.chaos,
            cpu_features=self.cpu_features,
            abi=self.abi,
        )
        machine = Machine(self.memory_bytes, accelerate=self.accelerate)
        try:
            kernel = boot_machine(settings, disk, console, machine)
            kernel.spawn(path, *self.arguments, env=DEFAULT_ENVIRONMENT | dict(self.env))
        except DiskError as problem:
            raise Failure(f"this disk cannot be booted from: {problem}") from None
        except LinuxError as error:
            raise Failure(f"{self.program} cannot be run: {error} ({error.name})") from None
        return kernel, recorder

    def _input(self) -> bytes:
        if self.typed is not None:
            return self.typed
        try:
            return self.stdin.read_bytes() if self.stdin is not None else b""
        except OSError as error:
            raise Failure(f"{self.stdin}: {error.strerror}") from None

    def with_seed(self, seed: int | None, *, chaos: bool) -> Subject:
        """The same under another schedule."""
        return replace(self, schedule_seed=seed, chaos=chaos)

    @property
    def options(self) -> list[str]:
        """The options of a command that mean this subject."""
        words: list[str] = []
        for name, path in (("root", self.root), ("disk", self.disk), ("stdin", self.stdin)):
            if path is not None:
                words += [f"--{name}", str(path)]
        for key, value in self.env:
            words += ["--env", f"{key}={value}"]
        if self.memory_bytes != MEMORY_BYTES:
            words += ["--memory", str(self.memory_bytes >> 20)]
        if self.random_seed:
            words += ["--random-seed", str(self.random_seed)]
        if self.schedule_seed is not None:
            words += ["--seed", str(self.schedule_seed)]
        if self.chaos:
            words.append("--chaos")
        if self.cpu_features:
            words.append(f"--cpu-features={self.cpu_features}")
        if self.abi != LAST.name:
            words += ["--abi", self.abi]
        if self.arch is not None:
            words += ["--arch", self.arch]
        if self.freestanding:
            words.append("--freestanding")
        return words

    def command(self, verb: str, *options: str) -> str:
        """What a person types."""
        words = ["cr", verb, *options, *self.options, self.source or self.program]
        words += self.arguments
        return shlex.join(words)
