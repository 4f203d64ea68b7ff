"""`cr verify`: is the run of a program the same, whatever the host does?

The exit status: 0 all runs are equal, 1 two of them part, 2 bad input.
"""

from __future__ import annotations

import click

from cr.cli.failure import Failure
from cr.testing import verify as check
from cr.testing.subject import Subject

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
    click.echo(
        f"{arch}: {len(links)} events and turns, {links[-1].units // 4 if links else 0} ns, "
        f"exit status {result.chain.status}"
    )
    for parted in result.parted:
        where = parted.link
        at = f"{where.what} of task {where.pid} at {where.units // 4} ns" if where else "the end"
        click.echo(f"{parted.way.name}: another run, from link {parted.position} on ({at}):")
        for line in parted.divergence.lines():
            click.echo(f"  {line}")
    names = ", ".join(way.name for way in check.WAYS)
    if not result.parted:
        click.echo(f"equal at every one of them: {names}")
    return DIVERGED if result.parted else 0
