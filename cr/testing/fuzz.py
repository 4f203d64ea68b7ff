"""Images that nobody would write, offered to kernels: only ImageError, or a well-formed kernel.

Each image of the corpus is struck on an anvil of its own (`cr.testing.anvil`) with mutants of it
(`cr.testing.mutation`). What guides the search is what the kernel says: the record and the sentence
of a refusal, without its numbers, or what became of the tasks that were restarted. A mutant that
makes it say something new is a parent of later ones, so that mutants of mutants get where one
change alone does not. No line of code is traced: every place that refuses has a sentence of its
own, so the sentences are the coverage, and they cost nothing.

All chance is the seed's: the same corpus, seed and count give the same inputs.

Mirrors:  nothing; what is broken here is what the reviewers of 2009 feared most.
"""

from __future__ import annotations

import gc
import itertools
import re
import resource
import traceback
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random

from cr.testing.anvil import SLOWEST_S, Anvil, Specimen, bounded, time_for_one
from cr.testing.mutation import Anatomy, mutate
from cr.testing.old_anatomy import anatomy_of

_NUMBER = re.compile(r"0x[0-9a-f]+|\d+|'[^']*'|b\"[^\"]*\"")
_MOST_PARENTS = 64
_PARENTS_AT_HAND = 8
_WENT_ON = "went on: "
_LOOK_EVERY = 16
"""How often the whole kernel is compared; what a refusal left behind does not go away by itself."""
_BATCH = 500
"""So many mutants of one image, then the next one has its turn."""
MOST_FINDINGS = 20
_HEADROOM_BYTES = 8 << 30
"""Of address space: a CPU of each mode takes more than one GB of it, and uses little."""


@dataclass(frozen=True)
class Finding:
    """An image that broke the law."""

    specimen: str
    seed: int
    number: int
    """Which finding of that seed's run: 1 is the first."""
    what: str
    problem: str
    image: bytes = field(repr=False)


@dataclass
class Toll:
    """What a run of the fuzzer came to."""

    inputs: int = 0
    accepted: int = 0
    refused: int = 0
    slowest_s: float = 0.0
    slowest: str = ""
    grown_bytes: int = 0
    """By how much the most memory that this process ever had has grown."""
    said: set[str] = field(default_factory=set)
    findings: list[Finding] = field(default_factory=list)
    interrupted: bool = False

    def add(self, other: Toll) -> None:
        """Put another run's toll to this one."""
        self.inputs += other.inputs
        self.accepted += other.accepted
        self.refused += other.refused
        if other.slowest_s > self.slowest_s:
            self.slowest_s, self.slowest = other.slowest_s, other.slowest
        self.grown_bytes = max(self.grown_bytes, other.grown_bytes)
        self.said |= other.said
        self.findings += other.findings
        self.interrupted |= other.interrupted


Progress = Callable[[Toll], None]


class Quarry:
    """A specimen under the fuzzer: its anvil, and the parents of its mutants."""

    def __init__(self, specimen: Specimen, seed: int) -> None:
        self.specimen = specimen
        self.seed = seed
        self.random = Random(f"{seed} {specimen.name} {specimen.arch}")
        self.whole = anatomy_of(specimen.image)
        self.parents: list[tuple[str, bytes]] = []
        """What was done, and the image, compressed: most of it are pages that the others have."""
        self.chosen: list[tuple[str, Anatomy]] = []
        self.said: set[str] = set()

    def choose(self) -> None:
        """Which parents are at hand for a batch: taken apart, an image is large."""
        chosen = self.random.sample(self.parents, min(_PARENTS_AT_HAND, len(self.parents)))
        self.chosen = [(what, anatomy_of(zlib.decompress(image))) for what, image in chosen]

    def next_mutant(self, donors: Sequence[Anatomy]) -> tuple[str, bytes]:
        """Half of them of the image itself, the others of what has been found on the way."""
        before, parent = "", self.whole
        if self.chosen and self.random.random() < 0.5:
            before, parent = self.random.choice(self.chosen)
        what, image = mutate(parent, list(donors), self.random)
        return f"{before}; {what}" if before else what, image

    def heard(self, words: str, what: str, image: bytes) -> None:
        """What the kernel said to a mutant: a new sentence makes it a parent."""
        if words in self.said:
            return
        self.said.add(words)
        if len(self.parents) < _MOST_PARENTS:
            self.parents.append((what, zlib.compress(image, 1)))


def fuzz(
    specimens: Sequence[Specimen], count: int, seed: int, progress: Progress | None = None
) -> Toll:
    """Strike with `count` mutants, in turns between the specimens.

    `progress` sees the toll after each turn. A KeyboardInterrupt ends it early, with what it has.
    """
    quarries = [Quarry(specimen, seed) for specimen in specimens]
    toll = Toll()
    before = _most_memory()
    try:
        with bounded(headroom_bytes=_HEADROOM_BYTES):
            for quarry in itertools.cycle(quarries):
                # What stays is not looked through again and again, on the time of some image.
                gc.collect()
                gc.freeze()
                share = min(_BATCH, count - toll.inputs, -(-count // len(quarries)))
                if share <= 0 or len(toll.findings) >= MOST_FINDINGS:
                    break
                others = [other.whole for other in quarries if other is not quarry]
                _batch(quarry, others, share, toll)
                toll.said |= quarry.said
                toll.grown_bytes = _most_memory() - before
                if progress is not None:
                    progress(toll)
    except KeyboardInterrupt:
        toll.interrupted = True
    finally:
        gc.unfreeze()
    return toll


def _batch(quarry: Quarry, donors: Sequence[Anatomy], count: int, toll: Toll) -> None:
    anvil = _anvil(quarry.specimen)
    quarry.choose()
    unseen: list[tuple[str, bytes]] = []
    for turn in range(1, count + 1):
        what, image = quarry.next_mutant(donors)
        toll.inputs += 1
        unseen.append((what, image))
        try:
            words = _struck(anvil, image)
            toll.accepted += words.startswith(_WENT_ON)
            toll.refused += not words.startswith(_WENT_ON)
            quarry.heard(words, what, image)
            if turn % _LOOK_EVERY == 0 or turn == count:
                anvil.assert_untouched()
                unseen.clear()
        except Exception:  # whatever it is, it is a finding, and the fuzzer goes on
            problem = traceback.format_exc()
            _note(quarry, _culprit(quarry.specimen, unseen) or (what, image, problem), toll)
            anvil.close()
            anvil = _anvil(quarry.specimen)
            unseen.clear()
        if anvil.slowest_s > toll.slowest_s:
            toll.slowest_s, toll.slowest = anvil.slowest_s, what
            if anvil.slowest_s > SLOWEST_S:
                _note(quarry, (what, image, f"it took {anvil.slowest_s:.1f} s"), toll)
    anvil.close()
    quarry.chosen = []


def _anvil(specimen: Specimen) -> Anvil:
    anvil = Anvil(specimen)
    anvil.watchful = False
    return anvil


def _struck(anvil: Anvil, image: bytes) -> str:
    """What the kernel says to an image, without the numbers in it."""
    time_for_one()
    refused = anvil.strike(image)
    if refused is None:
        return _WENT_ON + _NUMBER.sub("#", anvil.went_on)
    return f"{refused.record}: {_NUMBER.sub('#', refused.sentence)}"


def _culprit(
    specimen: Specimen, unseen: Sequence[tuple[str, bytes]]
) -> tuple[str, bytes, str] | None:
    """Which of the last images it was: each again, on an anvil that looks after each."""
    for what, image in unseen:
        problem = strike_once(specimen, image)
        if isinstance(problem, Broken):
            return what, image, problem.told
    return None


@dataclass(frozen=True)
class Broken:
    """One image has broken the law: what was raised, as text."""

    told: str


def strike_once(specimen: Specimen, image: bytes) -> Broken | str:
    """Offer one image to a fresh kernel; what it says."""
    anvil = Anvil(specimen)
    try:
        return _struck(anvil, image)
    except Exception:
        return Broken(traceback.format_exc())
    finally:
        anvil.close()


def _note(quarry: Quarry, found: tuple[str, bytes, str], toll: Toll) -> None:
    what, image, problem = found
    name, number = quarry.specimen.name, len(toll.findings) + 1
    toll.findings.append(Finding(name, quarry.seed, number, what, problem, image))


def _most_memory() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
