"""`cr verify`: is the run of a program the same, whatever the host does?

The exit status: 0 all runs are equal, 1 two of them part, 2 bad input, 124 all
are equal, and the program never ends.
"""

from __future__ import annotations

import click

from cr.cli.failure import TIMED_OUT, Failure
from cr.testing import verify as check
from cr.testing.subject import Subject
from kernel_model.clock import UNITS_PER_NS

DIVERGED = 1


def verify(subject: Subject) -> int:
    """Run it in all ways; tell whether all are equal, or where two part."""
    kernel, _ = subject.boot()  # what cannot be run at all is told here, in one sentence
    arch = kernel.arch
    kernel.power_off()
    try:
        result = check.verify(subject)
    except check.BrokenRun as problem:
        raise Failure(f"a run broke off: {problem}") from None
    links = result.chain.links
    now_ns = links[-1].units // UNITS_PER_NS if links else 0
    ended = result.chain.ended
    how = f"exit status {result.chain.status}" if ended else "the program had not ended by then"
    click.echo(f"{arch}: {len(links)} events and turns, {now_ns} ns, {how}")
    for parted in result.parted:
        click.echo(f"{parted.way.name}: another run, from link {parted.position} on")
        where = parted.link
        if where is not None:
            who = f"task {where.pid}, " if where.pid else ""
            click.echo(f"  {who}at {where.units // UNITS_PER_NS} ns: {where.what}")
        if parted.call:
            click.echo(f"  in or after {parted.call}")
        for line in parted.divergence.lines():
            click.echo(f"  {line}")
    names = ", ".join(way.name for way in check.WAYS)
    if not result.parted:
        click.echo(f"equal at every one of them: {names}")
    if result.parted:
        return DIVERGED
    return 0 if ended else TIMED_OUT
