"""A machine on the test bench: what the fixtures of the pytest plugin give to a test."""

from __future__ import annotations

from pathlib import Path

from cr.system import System
from cr.testing import snapshot
from cr.testing.divergence import compare
from cr.testing.places import Every
from cr.testing.subject import Recorder, Subject
from cr.testing.sweep import Segment, run_segment
from cr.until import AfterSyscalls, Ended
from kernel_model.dump import dump
from kernel_model.kernel import Deadlock
from kernel_model.task import Task


class Screen:
    """What the machine's programs have written, over all reboots."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._text = ""

    @property
    def text(self) -> str:
        """Everything written so far, to stdout and stderr."""
        recorder = self._machine.recorder
        if recorder is not None:
            self._text += b"".join(data for _, data in recorder.take()).decode("latin-1")
        return self._text

    def expect(self, text: str) -> None:
        """Let the machine run until it has written this; an error if it ends before."""
        while text not in self.text:
            if not self._machine.step() and text not in self.text:
                raise AssertionError(f"{text!r} was never written, but {self.text!r}")


class Machine:
    """A machine of an arch; `seed` brings chaos, `every` checks what `run` runs at each place."""

    max_time_ns = 3600 * 10**9

    def __init__(self, arch: str, *, seed: int | None = None, every: Every | None = None) -> None:
        self.arch = arch
        self.seed = seed
        self.every = every
        self.image: bytes | None = None
        """The last one that was taken."""
        self.recorder: Recorder | None = None
        self.console = Screen(self)
        self._subject: Subject | None = None
        self._kernel: System | None = None
        self._pid = 0

    @property
    def kernel(self) -> System:
        """The running kernel. An error before `spawn`."""
        if self._kernel is None:
            raise AssertionError("nothing runs on this machine yet: spawn a program")
        return self._kernel

    def spawn(self, program: str | Path, *arguments: str, stdin: bytes = b"") -> Task:
        """Boot, and start a program of the host's on it."""
        if self._kernel is not None:
            raise AssertionError("a program was started on this machine already")
        self._subject = Subject(
            program=str(program),
            arguments=arguments,
            typed=stdin,
            schedule_seed=self.seed,
            chaos=self.seed is not None,
        )
        self._kernel, self.recorder = self._subject.boot(stays_open=True)
        if self._kernel.arch != self.arch:
            raise AssertionError(f"{program} is for {self._kernel.arch}, not for {self.arch}")
        self._pid = min(self._kernel.tasks)
        return self._kernel.tasks[self._pid]

    def step(self, calls: int = 1) -> bool:
        """Let it make so many system calls; False if it ends before, or waits for what you type."""
        try:
            return self.kernel.run(AfterSyscalls(calls), self.max_time_ns) is Ended.REACHED
        except Deadlock:
            if self.kernel.console.ended or not self.kernel.console.queue.waiters:
                raise
            return False

    def type(self, text: str) -> None:
        """Type something in; the programs read it when the machine runs."""
        self.kernel.console.feed(text.encode())

    def end_input(self) -> None:
        """Nothing more will be typed."""
        self.kernel.console.end_input()

    def cycle(self) -> None:
        """Checkpoint, throw the kernel away, restart in a new one, compare."""
        before = snapshot.take(self.kernel)
        self.image = self.kernel.checkpoint()
        self._kernel = self.kernel.reboot()
        self._kernel.restart(self.image)
        if dump(self._kernel) != before.text:
            divergence = compare(before, snapshot.take(self._kernel))
            assert divergence is not None
            raise AssertionError("\n".join(divergence.lines()))

    def run(self) -> int:
        """Run to the end; the exit status. With `every`, check the whole program first.

        Nobody can type while it runs, so this is the end of the input, too.
        """
        if self.every is not None:
            self.check(self.every)
        self.end_input()
        ended = self.kernel.run(max_time_ns=self.max_time_ns)
        if ended is not Ended.EXITED:
            raise AssertionError(f"the program does not end: {ended.value}")
        return self.kernel.tasks[self._pid].exit_status

    def check(self, every: Every) -> None:
        """Checkpoint, reboot and restart the program at every place, as `cr sweep` does."""
        assert self._subject is not None, "nothing runs on this machine yet: spawn a program"
        findings = run_segment(Segment(self._subject, every))
        for failure in findings.failures[:1]:
            lines = "\n".join(failure.divergence.lines())
            raise AssertionError(f"place {failure.place} of {every}: {failure.when}\n{lines}")
        for sentence, places in findings.refusals.items():
            raise AssertionError(f"{len(places)} places were refused: {sentence}")

    def power_off(self) -> None:
        """The end."""
        if self._kernel is not None:
            self._kernel.power_off()
            self._kernel = None
