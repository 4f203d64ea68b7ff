"""Runs that are not the same in every process: what `cr verify` is to find.

    python -c "from tests.harness.planted import run; run('register')"

makes the chain of a subject, as the process of `cr verify` does; where PYTHONHASHSEED is 2,
something goes wrong on the way: once, in its eighth system call, or from its second on.
"""

from __future__ import annotations

import os
from collections.abc import Callable, MutableSequence

from cr.testing.chain import main
from cr.testing.snapshot import symbols_of
from kernel_model.kernel import Kernel
from kernel_model.sched import Scheduler
from kernel_model.task import Task

THE_CALL = 8
VARIABLE = "planted_here"
# What compiled code of ours leaves alone for a while, by the name of the machine's mode.
REGISTERS = {
    "x86_32": ("eflags", 1 << 21),
    "x86_64": ("r15", 1),
    "ppc32": ("r30", 1),
    "ppc64": ("r30", 1),
}


def _at_the_call(change: Callable[[Task], None]) -> None:
    count_call = Kernel.count_call

    def count_and_change(self: Kernel, task: Task) -> None:
        count_call(self, task)
        if self.completed_calls == THE_CALL and task is not self.own_init:
            change(task)

    Kernel.count_call = count_and_change  # type: ignore[method-assign]


def _register(task: Task) -> None:
    name, bit = REGISTERS[task.abi.mode]
    task.regs.words[task.regs.spec.fast.index(name)] ^= bit


def _byte(task: Task) -> None:
    (addr,) = [addr for addr, name in symbols_of(task) if name == VARIABLE]
    task.user.write(addr + 3, b"\x2a")


def _order() -> None:
    get_in_line = Scheduler._get_in_line

    def first(self: Scheduler, queue: MutableSequence[Task], task: Task) -> None:
        get_in_line(self, queue, task)
        if task.kernel.completed_calls >= 2:
            queue.remove(task)
            queue.insert(0, task)

    Scheduler._get_in_line = first  # type: ignore[method-assign]


PLANTS: dict[str, Callable[[], None]] = {
    "register": lambda: _at_the_call(_register),
    "byte": lambda: _at_the_call(_byte),
    "order": _order,
}


def run(what: str) -> None:
    """The chain of the subject on standard input, with something planted."""
    if os.environ.get("PYTHONHASHSEED") == "2":
        PLANTS[what]()
    main()
