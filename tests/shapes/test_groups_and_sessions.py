"""Every small world of process groups, sessions and a terminal, for up to four tasks.

A world is built from tasks that pause: who is whose parent, which group and session each is in,
who is stopped, and which session a pty controls, with which group in front. It is checkpointed and
restarted; the dumps are equal, and so is a second image.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import pytest

import cr
from cr.system import System
from cr.until import Ended
from guests.stories import ARCHES
from kernel_model.clone import CloneArgs, copy_process
from kernel_model.signals import SIGCHLD, SIGTSTP
from kernel_model.syscalls.groups import setpgid, setsid
from kernel_model.task import Task
from kernel_model.tty.file import TtyFile
from kernel_model.vfs.open import open_path
from kernel_model.vfs.path import Walk
from tests.harness.model import cycled
from tests.harness.tiny_tasks import pausing

MOST = 4
STAY, OWN_GROUP, FIRST_GROUP, OWN_SESSION = (
    "stay",
    "own group",
    "first child's group",
    "own session",
)
ACTS = (STAY, OWN_GROUP, FIRST_GROUP, OWN_SESSION)


def worlds(count: int) -> Iterator[tuple[tuple[int, str], ...]]:
    """For each task but the root: which task is its parent, and what it does."""
    choices = [list(product(range(number), ACTS)) for number in range(1, count)]
    yield from product(*choices)


def build(kernel: System, root: Task, world: tuple[tuple[int, str], ...]) -> list[Task]:
    tasks = [root]
    for parent, act in world:
        child = copy_process(tasks[parent], CloneArgs(SIGCHLD))
        tasks.append(child)
        if act == OWN_SESSION:
            setsid.handler(child)
        elif act == OWN_GROUP:
            setpgid.handler(child, 0, 0)
        elif act == FIRST_GROUP:
            first = tasks[1]
            if first.signal.sid == child.signal.sid and child.signal.sid != child.tgid:
                setpgid.handler(child, 0, first.signal.pgid)
    assert kernel.run(cr.after_time(1000)) is Ended.REACHED
    return tasks


def assert_survives(kernel: System) -> None:
    kernel = cycled(kernel)
    kernel.power_off()


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("arch", ARCHES)
def test_every_world(arch: str, count: int) -> None:
    for world in worlds(count):
        kernel, root = pausing(arch)
        build(kernel, root, world)
        assert_survives(kernel)


@pytest.mark.slow
@pytest.mark.parametrize("arch", ["x86_64", pytest.param("ppc64", marks=pytest.mark.nightly)])
def test_every_world_of_four(arch: str) -> None:
    for world in worlds(MOST):
        kernel, root = pausing(arch)
        build(kernel, root, world)
        assert_survives(kernel)


def with_terminal(kernel: System, tasks: list[Task], leader: Task) -> TtyFile:
    """A pty whose slave controls the leader's session; root has the master open."""
    root = tasks[0]
    devpts = kernel.vfs.devpts
    master = devpts.new_pair(kernel, 0, 0)
    assert master.link is not None
    master.link.locked = False
    place = Walk(root).resolve(b"/dev/ptmx")
    root.files.install_at(3, TtyFile(master, place.inode, place, 2))
    slave = open_path(leader, b"/dev/pts/0", 2)
    leader.files.install_at(4, slave)
    assert isinstance(slave, TtyFile)
    for task in tasks:
        if task.signal.sid == leader.signal.sid:
            task.signal.tty = slave.tty
    return slave


@pytest.mark.slow
@pytest.mark.parametrize("arch", ["x86_64", "ppc32"])
def test_every_world_with_a_terminal(arch: str) -> None:
    seen = 0
    for world in worlds(3):
        for leads in range(3):
            for front in range(3):
                for stopped in range(3):
                    kernel, root = pausing(arch)
                    tasks = build(kernel, root, world)
                    leader = tasks[leads]
                    same = tasks[front].signal.sid == leader.signal.sid
                    if leader.signal.sid != leader.tgid or not same:
                        kernel.power_off()
                        continue
                    slave = with_terminal(kernel, tasks, leader)
                    slave.tty.pgrp = tasks[front].signal.pgid
                    if stopped:
                        tasks[stopped].stop(SIGTSTP)
                    assert_survives(kernel)
                    seen += 1
    assert seen == 288
