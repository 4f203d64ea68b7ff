"""`cr check`: when could a program be checkpointed, when not, and why.

The program runs; after each system call the checkpoint's own predicate is asked about the whole
machine (`cr.explain`). What is told are the changes: the call that made it impossible, with the
reason, and the call that made it possible again. Beside it stands what Ingo Molnar's PF_NOCR would
have said: a mark that a task gets at its first sin, that its children inherit, and that never goes.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any

import click

from cr.cli.failure import REFUSED, TIMED_OUT
from cr.explain import explain, explain_container
from cr.system import System
from cr.testing.subject import Subject
from cr.until import Ended, after_syscalls
from kernel_model.kernel import Deadlock
from kernel_model.task import Task
from kernel_model.trace import Event, SyscallEntered, SyscallReturned


@dataclass(frozen=True)
class Change:
    """After `call` system calls of all tasks, the answer became another one."""

    call: int
    name: str
    pid: int
    reason: str
    """Why it cannot be checkpointed from now on; empty: it can."""


@dataclass
class Marks:
    """PF_NOCR: one-way, inherited."""

    marked: dict[int, int] = field(default_factory=dict)
    """Task: after how many calls it was marked, by itself or as a child of one that was."""
    known: set[int] = field(default_factory=set)
    """Who has been seen: a mark is inherited at birth, and not later."""

    def look(self, kernel: System, calls: int, *, pure: bool) -> None:
        """Mark who cannot be checkpointed now, and the children of the marked."""
        marked_before = set(self.marked)
        for task in list(kernel.tasks.values()):
            born = task.pid not in self.known
            self.known.add(task.pid)
            if task.pid in self.marked or task is kernel.own_init or task.exited:
                continue
            if (born and _parent(task) in marked_before) or any(
                each.reason for each in explain(task, pure=pure)
            ):
                self.marked[task.pid] = calls


def _parent(task: Task) -> int:
    """Who made it: its parent, or the first thread of its group."""
    if task.pid != task.tgid:
        return task.tgid
    return task.parent.pid if task.parent is not None else 0


@dataclass
class Report:
    """What was found."""

    calls: int
    ended: str
    changes: list[Change]
    marked: dict[int, int]
    """PF_NOCR: the tasks that would have been marked, and after how many calls."""


class _Last:
    """The system call that was entered or returned last."""

    def __init__(self) -> None:
        self.name, self.pid = "", 0

    def __call__(self, event: Event) -> None:
        if isinstance(event, SyscallEntered | SyscallReturned):
            self.name, self.pid = event.name, event.pid


def check(subject: Subject, *, pure: bool) -> Report:
    """Run a program to its end, and ask after each call. Raises Failure."""
    kernel, _ = subject.boot()
    last, marks = _Last(), Marks()
    kernel.trace.sinks.append(last)
    changes: list[Change] = []
    reason, ended = "", Ended.REACHED
    why = ""
    while ended is Ended.REACHED:
        calls = kernel.completed_calls
        if any(not task.exited for task in kernel.tasks.values()):
            now = explain_container(kernel, pure=pure)
            if now != reason:
                changes.append(Change(calls, last.name, last.pid, now))
                reason = now
            marks.look(kernel, calls, pure=pure)
        try:
            ended = kernel.run(after_syscalls(1), max_time_ns=subject.max_time_ns)
        except Deadlock as problem:
            why, ended = str(problem), Ended.TIMED_OUT
    return Report(kernel.completed_calls, why or ended.value, changes, marks.marked)


def tell(subject: Subject, *, pure: bool, as_json: bool) -> int:
    """Check a program and print the report; the exit status."""
    report = check(subject, pure=pure)
    if as_json:
        click.echo(json.dumps(asdict(report), indent=2))
    else:
        for line in _lines(report):
            click.echo(line)
    if report.ended not in (Ended.EXITED.value, Ended.REACHED.value):
        return TIMED_OUT
    return REFUSED if report.changes else 0


def _lines(report: Report) -> list[str]:
    lines = []
    for change in report.changes:
        where = f"call {change.call}"
        if change.name:
            where += f", {change.name} of task {change.pid}"
        if change.reason:
            lines.append(f"{where}: cannot be checkpointed: {change.reason}")
        else:
            lines.append(f"{where}: can be checkpointed again")
    for pid, call in sorted(report.marked.items()):
        lines.append(f"PF_NOCR would mark task {pid} from call {call} on, for ever")
    if not lines:
        lines.append("could be checkpointed after every call")
    lines.append(f"{report.calls} system calls; {report.ended}")
    return lines


def check_program(program: str, arguments: tuple[str, ...], **given: Any) -> int:
    """From options to the report."""
    from cr.cli.subjects import subject_of

    pure, as_json = given.pop("pure"), given.pop("as_json")
    return tell(subject_of(program, arguments, given), pure=pure, as_json=as_json)
