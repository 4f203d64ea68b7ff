"""The same run in other processes: other hash seeds, with and without the accelerator.

Each process makes the chain of the run; where two chains part, both are run again up to that link
and laid side by side.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace

from cr.testing.chain import Chain, Link
from cr.testing.divergence import Difference, Divergence, compare
from cr.testing.subject import Subject


@dataclass(frozen=True)
class Way:
    """A way to run: it must make no difference."""

    name: str
    hash_seed: int
    accelerate: bool


WAYS = (
    Way("accelerated, hash seed 1", 1, True),
    Way("accelerated, hash seed 2", 2, True),
    Way("pure Python, hash seed 3", 3, False),
)
_MAIN = "from cr.testing.chain import main; main()"


class BrokenRun(Exception):
    """A process has ended without a chain: what it said."""


@dataclass(frozen=True)
class Parted:
    """Where the run of a way leaves that of the first one."""

    way: Way
    position: int
    link: Link | None
    divergence: Divergence


@dataclass(frozen=True)
class Verified:
    """The first way's run, and those that differ."""

    chain: Chain
    parted: tuple[Parted, ...]


def chain_of(subject: Subject, way: Way, most: int | None = None) -> Chain:
    """The chain of a run in a process of its own. Raises BrokenRun."""
    done = subprocess.run(
        [sys.executable, "-c", _MAIN],
        input=pickle.dumps((replace(subject, accelerate=way.accelerate), most)),
        env={**os.environ, "PYTHONHASHSEED": str(way.hash_seed)},
        capture_output=True,
        check=False,
    )
    if done.returncode:
        raise BrokenRun(done.stderr.decode(errors="replace").strip().splitlines()[-1])
    chain = pickle.loads(done.stdout)
    assert isinstance(chain, Chain)
    return chain


def verify(subject: Subject, ways: Sequence[Way] = WAYS) -> Verified:
    """Run it in all ways. Raises BrokenRun."""
    first = chain_of(subject, ways[0])
    parted = []
    for way in ways[1:]:
        other = chain_of(subject, way)
        position = where_they_part(first, other)
        if position is not None:
            parted.append(_explain(subject, ways[0], way, position, other))
    return Verified(first, tuple(parted))


def where_they_part(one: Chain, other: Chain) -> int | None:
    """The first link that differs, counted from 0; None when the runs are equal."""
    for position, (mine, its) in enumerate(zip(one.links, other.links)):
        if mine != its:
            return position
    if len(one.links) != len(other.links):
        return min(len(one.links), len(other.links))
    same = (one.status, one.console, one.final) == (other.status, other.console, other.final)
    return None if same else len(one.links)


def _explain(subject: Subject, first: Way, way: Way, position: int, other: Chain) -> Parted:
    mine = chain_of(subject, first, position + 1)
    its = chain_of(subject, way, position + 1)
    divergence = None
    if mine.moment is not None and its.moment is not None:
        divergence = compare(mine.moment, its.moment)
    if divergence is None:
        was = str(mine.links[-1]) if mine.links else "nothing"
        now = str(its.links[-1]) if its.links else "nothing"
        divergence = Divergence((Difference("event", 0, f"link {position}", was, now),))
    link = other.links[position] if position < len(other.links) else None
    return Parted(way, position, link, divergence)
