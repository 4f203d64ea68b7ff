"""Faults in sys_checkpoint and sys_restart of trees: each resource fails once, at every place.

A checkpoint from outside that fails leaves the tree as it was, frozen as it was, with its group
FROZEN and not CHECKPOINTING. A restart that fails leaves nobody: its tasks are killed, and
everything that was built is given back.
"""

from __future__ import annotations

import copy
import errno
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

import cr
import cr.syscalls
from cr.image import types as t
from cr.syscalls import restart
from cr.system import System
from cr.until import Ended
from guests.stories import ARCHES, find_story
from kernel_model.abi.errno import EIO, ENOSPC, LinuxError
from kernel_model.console import Console
from kernel_model.freezer import FreezerState
from kernel_model.syscalls.dispatch import Replaced
from kernel_model.trace import Event, SyscallEntered, SyscallReturned
from tests.harness.faults import FAULTS, IMAGE_READ, IN_A_CHECKPOINT, Fault, injected
from tests.harness.frozen_trees import FrozenTree, frozen_tree
from tests.harness.hostile import state_of
from tests.harness.model import MAX_TIME_NS, MEMORY_BYTES, start
from tests.properties.test_failing_writes import IMAGE_FD, call, running, without_disk

TREES = {
    "files/pipe": 30,
    "processes/threads": 12,
    "processes/six": 88,
    "processes/zombies": 8,
    "sockets/pass_fds": 13,
    "sockets/tcp_talk": 24,
    "terminals/watching": 30,
    "jobs/shell": 36,
    "ipc/shared_segment": 10,
    "memory/shared_file": 10,
}
IN_EVERY_RUN = {
    ("files/pipe", "ppc32"),
    ("processes/threads", "x86_64"),
    ("processes/six", "ppc64"),
    ("sockets/pass_fds", "x86_32"),
    ("jobs/shell", "x86_64"),
    ("ipc/shared_segment", "ppc32"),
}
CASES = [
    pytest.param(
        name,
        arch,
        id=f"{name}-{arch}",
        marks=[] if (name, arch) in IN_EVERY_RUN else [pytest.mark.nightly],
    )
    for name in TREES
    for arch in ARCHES
]
by_fault = pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
TREE_STORY = "checkpoint/tree"


def until_it_succeeds(tree: FrozenTree, one_more: Callable[[int], Any]) -> int:
    """Fail at place 0, 1, 2 ... until there is no such place any more; how many there were."""
    before = tree.state()
    assert tree.checkpoint() > 0
    expected = tree.image()
    assert tree.state() == before
    place = 0
    while True:
        with one_more(place):
            try:
                number = tree.checkpoint()
            except LinuxError as error:
                number = 0
                assert error.errno in (errno.ENOMEM, errno.EIO, errno.ENOSPC), error
        image = tree.image() if number else b""
        assert tree.state() == before
        assert tree.group.state is FreezerState.FROZEN
        if number:
            break
        place += 1
    assert image == expected
    tree.group.set_state(b"THAWED")
    assert tree.kernel.run(max_time_ns=MAX_TIME_NS) is Ended.EXITED
    return place


@pytest.mark.parametrize("fault", IN_A_CHECKPOINT, ids=lambda fault: fault.name)
@pytest.mark.parametrize(("name", "arch"), CASES)
def test_checkpoint_of_a_tree(name: str, arch: str, fault: Fault) -> None:
    tree = frozen_tree(name, arch, cr.after_syscalls(TREES[name]))
    places = until_it_succeeds(tree, lambda place: injected(fault, place))
    assert places >= {"image write": 100, "object table": 15}.get(fault.name, 0)
    story = find_story(name)
    assert story.agrees(tree.kernel.console.output.decode("latin-1"))
    assert tree.root.exit_status == story.exits
    tree.kernel.power_off()


@pytest.mark.parametrize("error", [ENOSPC, EIO])
@pytest.mark.parametrize(("name", "arch"), CASES)
def test_writing_the_image_of_a_tree(name: str, arch: str, error: type[LinuxError]) -> None:
    """The n-th write of the image fails, after a part of it was taken."""
    tree = frozen_tree(name, arch, cr.after_syscalls(TREES[name]))
    whole = tree.file.write
    piece = 4096

    class Failing:
        def __init__(self, place: int) -> None:
            self.left = place

        def write(self, data: bytes) -> int:
            if not self.left:
                raise error("the test's disk is full")
            self.left -= 1
            return whole(data[:piece])

        def __enter__(self) -> None:
            tree.file.write = self.write  # type: ignore[method-assign]

        def __exit__(self, *gone: object) -> None:
            tree.file.write = whole  # type: ignore[method-assign]

    places = until_it_succeeds(tree, Failing)
    assert places == -(-len(specimen_image(tree)) // piece) > 3
    tree.kernel.power_off()


def specimen_image(tree: FrozenTree) -> bytes:
    return tree.file.inode.read_at(0, tree.file.inode.size)


def test_another_checkpoint_under_way_stays_so() -> None:
    """A call that is refused does not end the CHECKPOINTING of somebody else's."""
    tree = frozen_tree("processes/threads", "x86_64", cr.after_syscalls(12))
    tree.group.begin_checkpoint()
    with pytest.raises(LinuxError) as refused:
        tree.checkpoint()
    assert refused.value.errno == errno.EBUSY
    assert tree.group.state is FreezerState.CHECKPOINTING
    for task in tree.group.members():
        task.frozen = False
    with pytest.raises(LinuxError) as refused:
        tree.checkpoint()
    assert refused.value.errno == errno.EBUSY
    assert tree.group.state is FreezerState.CHECKPOINTING
    tree.kernel.power_off()


# ---- restart


@by_fault
@pytest.mark.parametrize("arch", ARCHES)
def test_restart_of_the_caller_itself(arch: str, fault: Fault) -> None:
    kernel, task, file = running(arch)
    call(task)
    size = file.position
    file.seek(0, 0)
    before = without_disk(kernel)
    free_frames = kernel.ram.free_frames
    place = 0
    while True:
        file.seek(0, 0)
        try:
            with injected(fault, place):
                restart.handler(task, task.pid, IMAGE_FD, t.RESTART_TASKSELF, -1)
        except Replaced:
            break
        except LinuxError as error:
            assert error.errno in (errno.ENOMEM, errno.EIO), error
        file.seek(0, 0)
        assert without_disk(kernel) == before
        assert kernel.ram.free_frames == free_frames
        assert task.call_state is None
        place += 1
    assert place >= fault.least_in_a_restart
    assert size == file.inode.size
    kernel.power_off()


@dataclass
class _Waiting:
    """A kernel whose coordinator is about to call restart(root), as an image with its disk."""

    arch: str
    image: bytes
    disk: cr.Disk
    written: bytes


def waiting_tree(arch: str) -> _Waiting:
    """The story up to the call before the coordinator's restart: found by a first run."""
    story = find_story(TREE_STORY)
    kernel = start(story, arch, story.builds[0])
    calls: list[int] = []

    def listen(event: Event) -> None:
        if isinstance(event, SyscallEntered) and event.name == "restart" and event.arguments[0]:
            calls.append(kernel.completed_calls)

    kernel.trace.sinks.append(listen)
    assert kernel.run(max_time_ns=MAX_TIME_NS) is Ended.EXITED
    assert len(calls) == 1
    kernel.power_off()
    kernel = start(story, arch, story.builds[0])
    assert kernel.run(cr.after_syscalls(calls[0]), MAX_TIME_NS) is Ended.REACHED
    image = bytes(kernel.checkpoint())
    written = kernel.console.output
    kernel.power_off()
    return _Waiting(arch, image, kernel.disk, written)


def resumed(waiting: _Waiting) -> tuple[System, list[int]]:
    """A kernel that goes on there, and what the coordinator's restart will have returned."""
    kernel = cr.boot(
        waiting.arch, copy.deepcopy(waiting.disk), console=Console(), memory_bytes=MEMORY_BYTES
    )
    kernel.restart(waiting.image)
    results: list[int] = []

    def listen(event: Event) -> None:
        if isinstance(event, SyscallReturned) and event.name == "restart":
            results.append(event.result)

    kernel.trace.sinks.append(listen)
    return kernel, results


def left_over(kernel: System) -> dict[str, object]:
    kernel.vfs.shrink()
    state = state_of(kernel)
    names = ("free frames", "page table nodes", "nameless", "opens", "mappings", "timers", "ptys")
    return {name: state[name] for name in names}


each_arch = pytest.mark.parametrize(
    "arch", ["ppc64", *(pytest.param(a, marks=pytest.mark.nightly) for a in ARCHES[:3])]
)


def ended(waiting: _Waiting) -> tuple[dict[str, object], str, list[int]]:
    """Run on: what is left over, all that was written, what the calls of restart returned."""
    kernel, results = resumed(waiting)
    assert kernel.run(max_time_ns=MAX_TIME_NS) is Ended.EXITED
    assert all(task.exited for task in kernel.tasks.values())
    end = left_over(kernel)
    output = (waiting.written + kernel.console.output).decode("latin-1")
    kernel.power_off()
    return end, output, results


def assert_refused(output: str, results: list[int]) -> None:
    """The first result is the coordinator's; those who waited for it are killed in their call."""
    assert results[0] in (-errno.ENOMEM, -errno.EIO), results
    assert set(results[1:]) <= {-errno.EINTR}
    assert "restarted" not in output


@pytest.mark.slow
@by_fault
@each_arch
def test_restart_of_a_tree(arch: str, fault: Fault, monkeypatch: pytest.MonkeyPatch) -> None:
    """The coordinator gets an error, and nobody is left; or all go on."""
    waiting = waiting_tree(arch)
    coordinate = cr.syscalls.coordinate
    place, hit = 0, False

    def faulty(*arguments: Any) -> None:
        nonlocal hit
        with injected(fault, place) as state:
            try:
                coordinate(*arguments)
            finally:
                hit |= state.hit

    monkeypatch.setattr(cr.syscalls, "coordinate", faulty)
    ends = []
    while True:
        hit = False
        end, output, results = ended(waiting)
        if not hit:
            break
        assert_refused(output, results)
        ends.append(end)
        place += 1
    assert find_story(TREE_STORY).agrees(output)
    assert place >= fault.least_in_a_restart
    assert all(each == ends[0] for each in ends)


@pytest.mark.slow
@pytest.mark.parametrize("step", [97, pytest.param(1, marks=pytest.mark.nightly)])
@each_arch
def test_reading_the_image_of_a_tree(arch: str, step: int) -> None:
    waiting = waiting_tree(arch)
    ends = []
    place = 0
    while True:
        with injected(IMAGE_READ, place) as state:
            end, output, results = ended(waiting)
        if not state.hit:
            break
        assert_refused(output, results)
        ends.append(end)
        place += step
    assert place > 400
    assert find_story(TREE_STORY).agrees(output)
    assert all(each == ends[0] for each in ends)
