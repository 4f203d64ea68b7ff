"""Checkpoint, reboot and restart at every place of a run, and compare.

Two kernels go side by side. The reference runs undisturbed. The other one, the chain, is
checkpointed at each place, thrown away and restarted from the image; then it runs on to the next
place only. At each place the chain is compared with the reference before the checkpoint (did it go
on as it should?) and after the restart (is all of it back?). So n places cost n short runs.

Where they differ, the reference is started again and brought to the place, so that one divergence
is not counted twice; evidence is made the same way, and nothing is kept while all goes well.

A segment of a sweep is a stretch of places that one process looks at; it begins with an undisturbed
run to its first place.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import dataclass, field

from cr.context import Refused
from cr.image.errors import ImageError
from cr.testing import snapshot
from cr.testing.divergence import Difference, Divergence, compare
from cr.testing.places import Every
from cr.testing.subject import Subject
from cr.until import Ended
from kernel_model.dump import dump
from kernel_model.kernel import Deadlock

Progress = Callable[[int], None]
MOST_FAILURES = 20
"""After so many divergences in a segment the rest is not looked at."""
_MOST_REFINED = 3
"""Of so many divergences the first block that differs is looked for."""
_MOST_BLOCKS = 20_000


@dataclass(frozen=True)
class Segment:
    """Places `first` to `last` of a run, counted from 1; `last` None: to the end."""

    subject: Subject
    every: Every
    first: int = 1
    last: int | None = None


@dataclass(frozen=True)
class Failure:
    """What went wrong after the checkpoint at a place."""

    place: int
    when: str
    """"restart" (what came back is not what was there), or "run" (it went another way later)."""
    divergence: Divergence
    clock_ns: int = 0


@dataclass
class Findings:
    """What a segment has shown."""

    places: int = 0
    restarted: int = 0
    failures: list[Failure] = field(default_factory=list)
    refusals: dict[str, list[int]] = field(default_factory=dict)
    """Places by the sentence of the refusal."""
    image_bytes: int = 0
    given_up: bool = False

    def add(self, other: Findings) -> None:
        """Put the findings of another segment behind these."""
        self.places += other.places
        self.restarted += other.restarted
        self.failures += other.failures
        for sentence, places in other.refusals.items():
            self.refusals.setdefault(sentence, []).extend(places)
        self.image_bytes = max(self.image_bytes, other.image_bytes)
        self.given_up |= other.given_up


@dataclass(frozen=True)
class Straight:
    """The undisturbed run: how long it is, and what it came to."""

    calls: int
    units: int
    places: int
    status: int
    console: tuple[tuple[int, bytes], ...]
    final_dump: str
    arch: str
    ended: bool = True
    """False: the time that it was given is over."""


class _Runner:
    """A kernel on its way from place to place, and what it writes."""

    def __init__(self, segment: Segment) -> None:
        self.segment = segment
        self.kernel, self.recorder = segment.subject.boot()
        self.written: list[tuple[int, bytes]] = []
        self._text = ""

    @property
    def text(self) -> str:
        """The dump at the place it has come to; of a kernel that nobody has changed there."""
        self._text = self._text or dump(self.kernel)
        return self._text

    def go(self, places: int = 1) -> Ended:
        """To the next place; `written` is what was written on the way. Raises Deadlock."""
        self.recorder.take()
        self._text = ""
        subject = self.segment.subject
        ended = self.segment.every.advance(self.kernel, subject.max_time_ns, places)
        self.written = self.recorder.take()
        return ended

    def look(self) -> snapshot.Snapshot:
        """Everything about it, as it is now."""
        return snapshot.take(self.kernel, self.written)


def run_straight(subject: Subject, every: Every) -> Straight:
    """From the beginning to the end, undisturbed. Raises Deadlock."""
    kernel, recorder = subject.boot()
    root = kernel.tasks[min(kernel.tasks)]
    places = 0
    if every.kind == "block":
        while every.advance(kernel, subject.max_time_ns) is Ended.REACHED:
            places += 1
    else:
        kernel.run(max_time_ns=subject.max_time_ns)
    ended = all(task.exited for task in kernel.tasks.values())
    calls, units = kernel.completed_calls, kernel.clock.units
    result = Straight(
        calls=calls,
        units=units,
        places=places or every.how_many(calls, units),
        status=root.exit_status,
        console=tuple(recorder.take()),
        final_dump=dump(kernel),
        arch=kernel.arch,
        ended=ended,
    )
    kernel.power_off()
    return result


def run_segment(segment: Segment, progress: Progress | None = None) -> Findings:
    """Look at all places of a segment."""
    return _Sweep(segment, progress or (lambda places: None)).run()


class _Sweep:
    def __init__(self, segment: Segment, progress: Progress) -> None:
        self.segment = segment
        self.progress = progress
        self.findings = Findings()
        self.reference = _Runner(segment)
        self.chain = _Runner(segment)
        self.place = segment.first

    def run(self) -> Findings:
        """Side by side, from the first place to the last, and to the one after it."""
        first, last = self.segment.first, self.segment.last
        ended = self.reference.go(first)
        self.chain.go(first)
        self.chain.written = list(self.reference.written)
        while ended is Ended.REACHED and (last is None or self.place <= last):
            self._cycle()
            self.findings.places += 1
            self.progress(1)
            if len(self.findings.failures) >= MOST_FAILURES:
                self.findings.given_up = True
                break
            ended = self.reference.go()
            self._follow(ended)
            self.place += 1
        self.reference.kernel.power_off()
        self.chain.kernel.power_off()
        return self.findings

    def _follow(self, ended: Ended) -> None:
        """The chain goes where the reference went, and is compared."""
        try:
            arrived = self.chain.go()
        except Deadlock as problem:
            self._failed("run", _said("run", ended.value, str(problem)))
            return
        except Exception:  # whatever it is, it is a finding, and the sweep goes on
            self._failed("run", _said("run", ended.value, traceback.format_exc()))
            return
        if arrived is not ended:
            self._failed("run", _said("run", ended.value, arrived.value))
        else:
            self._compare("run")

    def _compare(self, when: str) -> None:
        same = self.reference.text == dump(self.chain.kernel)
        if same and self.reference.written == self.chain.written:
            return
        divergence = compare(self.reference.look(), self.chain.look())
        assert divergence is not None
        self._failed(when, divergence)

    def _cycle(self) -> None:
        """Checkpoint, reboot, restart the chain; it must be what it was."""
        chain = self.chain
        try:
            image = chain.kernel.checkpoint()
        except Refused as refused:
            self.findings.refusals.setdefault(str(refused), []).append(self.place)
            return
        except Exception:
            self._failed("checkpoint", _said("checkpoint", "an image", traceback.format_exc()))
            return
        self.findings.image_bytes = max(self.findings.image_bytes, len(image))
        try:
            chain.kernel = chain.kernel.reboot()
            chain.kernel.restart(image)
        except ImageError as refused:
            self._failed("restart", _said("restart", "a running kernel", str(refused)))
            return
        except Exception:
            self._failed("restart", _said("restart", "a running kernel", traceback.format_exc()))
            return
        self.findings.restarted += 1
        self._compare("restart")

    def _failed(self, when: str, divergence: Divergence) -> None:
        place = self.place
        clock_ns = self.reference.kernel.clock.now_ns()
        if when == "run" and len(self.findings.failures) < _MOST_REFINED:
            divergence = first_block_that_differs(self.segment, place) or divergence
        self.findings.failures.append(Failure(place, when, divergence, clock_ns))
        # Begin again with a chain that has not been interrupted.
        self.chain.kernel.power_off()
        self.chain = _Runner(self.segment)
        self.chain.go(place + (when == "run"))
        self.chain.written = list(self.reference.written)


def first_block_that_differs(segment: Segment, place: int) -> Divergence | None:
    """Run from a place to where an undisturbed and a restarted run part, block by block.

    None when they do not part that early, or the restarted one cannot be had.
    """
    one, two = _Runner(segment), _Runner(segment)
    one.go(place)
    two.go(place)
    one.written = two.written = []
    step = Every("block")
    try:
        image = two.kernel.checkpoint()
        two.kernel = two.kernel.reboot()
        two.kernel.restart(image)
        for _ in range(_MOST_BLOCKS):
            ended = [each.kernel.run(step.until()) for each in (one, two)]
            if ended[0] is not ended[1] or _outline(one) != _outline(two):
                return compare(one.look(), two.look())
            if ended[0] is Ended.EXITED:
                break
    except (Refused, ImageError, Deadlock, AssertionError):
        pass
    finally:
        one.kernel.power_off()
        two.kernel.power_off()
    return None


def _outline(runner: _Runner) -> tuple[object, ...]:
    """What shows soonest that two runs part: the time, who runs, all registers."""
    kernel = runner.kernel
    order, slice_left = kernel.sched.order()
    registers = [bytes(task.regs.words) for _, task in sorted(kernel.tasks.items())]
    return kernel.clock.units, [task.pid for task in order], slice_left, registers


def _said(what: str, expected: str, found: str) -> Divergence:
    return Divergence((Difference(what, 0, what, expected, found.strip()),))
