"""Faults on purpose: the n-th call of some function of the model fails, all others work."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

import cr.transport
from cr.image.stream import Writer
from cr.objhash import Objects
from emu.memory import OutOfFrames, Ram
from emu.pagetable import OutOfNodes, PageTables
from kernel_model.abi.errno import EIO, ENOMEM
from kernel_model.vfs.inode import Inode
from kernel_model.vfs.path import Walk


@dataclass(frozen=True)
class Fault:
    """Which functions fail, and how."""

    name: str
    places: tuple[tuple[Any, str], ...]
    error: Callable[[], Exception]
    least_in_a_restart: int = 0
    """So often at least any restart comes by."""


FAULTS = (
    Fault(
        "page allocation",
        ((Ram, "alloc"), (Ram, "alloc_run")),
        lambda: OutOfFrames("the test has taken all page frames"),
        2,
    ),
    Fault(
        "page-table allocation",
        ((PageTables, "new_node"),),
        lambda: OutOfNodes("the test has taken all page-table nodes"),
        3,
    ),
    Fault("name lookup", ((Walk, "resolve"),), lambda: EIO("the test has broken the disk"), 3),
    Fault("directory lookup", ((Inode, "lookup"),), lambda: EIO("the test has broken the disk")),
    Fault("file read", ((Inode, "read_at"),), lambda: ENOMEM("the test has no page for it")),
)

IN_A_CHECKPOINT = (
    *FAULTS,
    Fault("image write", ((Writer, "_emit"),), lambda: ENOMEM("the test has no buffer for it")),
    Fault("object table", ((Objects, "intern"),), lambda: ENOMEM("the test has no room for it")),
)
IMAGE_READ = Fault("image read", ((cr.transport, "_read"),), lambda: EIO("a broken disk"))
"""Of sys_restart, out of a descriptor."""


class Injected:
    """Counts the calls, and fails the one with the number `fail_at` (from 0)."""

    def __init__(self, fail_at: int) -> None:
        self.fail_at = fail_at
        self.calls = 0

    @property
    def hit(self) -> bool:
        """Whether something failed."""
        return self.calls > self.fail_at


@contextmanager
def injected(fault: Fault, fail_at: int) -> Any:
    """While this lasts, one call fails."""
    state = Injected(fail_at)

    def failing(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            state.calls += 1
            if state.calls == state.fail_at + 1:
                raise fault.error()
            return function(*args, **kwargs)

        return call

    with pytest.MonkeyPatch.context() as patch:
        for owner, name in fault.places:
            patch.setattr(owner, name, failing(getattr(owner, name)))
        yield state
