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
from kernel_model.clock import UNITS_PER_NS


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
    call: str = ""
    """The system call that the task was in, or had made last."""


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
        position = first.parts_from(other)
        if position is not None:
            parted.append(_explain(subject, ways[0], way, position))
    return Verified(first, tuple(parted))


def _explain(subject: Subject, first: Way, way: Way, position: int) -> Parted:
    """Both runs again, up to the link where they part, and laid side by side."""
    mine = chain_of(subject, first, position + 1)
    its = chain_of(subject, way, position + 1)
    was = mine.links[position] if position < len(mine.links) else None
    now = its.links[position] if position < len(its.links) else None
    differences: tuple[Difference, ...] = ()
    if _event(was) != _event(now):
        pid = now.pid if now is not None else 0
        differences = (Difference("event", pid, "event", _event(was), _event(now)),)
    assert mine.moment is not None and its.moment is not None
    found = compare(mine.moment, its.moment)
    if found is not None:
        divergence = Divergence(differences + found.differences, found.where)
    else:
        # What was different was so for a while only, or is in no dump: the link is all there is.
        state = Difference("state", 0, "hash of the state", str(was), str(now))
        where = tuple(its.moment.where.items())
        divergence = Divergence(differences or (state,), where)
    call, number = its.call_at(position)
    return Parted(way, position, now, divergence, f"{call}, system call {number}" if call else "")


def _event(link: Link | None) -> str:
    if link is None:
        return "nothing more"
    who = f"task {link.pid}, " if link.pid else ""
    return f"{link.what} ({who}at {link.units // UNITS_PER_NS} ns)"
