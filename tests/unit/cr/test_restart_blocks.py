"""The seven types of restart blocks, and the four classes of calls that a signal interrupts.

A task that sleeps is written as Linux writes it (house K3): the result register says how the call
is to be begun again, and RESTART_BLOCK which function would go on.
"""

from __future__ import annotations

import re

import pytest

import cr
from cr.image import types as t
from cr.image.errors import ImageError
from cr.image.task import RestartBlock as Record
from cr.image.walk import walk
from cr.system import System
from cr.until import Ended
from guests.stories import ARCHES, find_story
from kernel_model.dump import dump
from kernel_model.restart_block import RestartBlock, RestartFunction
from kernel_model.task import State, Task
from kernel_model.waitqueue import Restart
from tests.harness.model import MAX_TIME_NS, cycled, disk_with, start
from tests.harness.tiny_tasks import MEMORY_BYTES, program
from tests.unit.cr.original_defects.test_of_the_image import changed, image_of

each_arch = pytest.mark.parametrize("arch", ARCHES)
LEFT_NS = 5_000


def restarted(arch: str, image: bytes) -> tuple[System, Task]:
    kernel = cr.boot(arch, disk_with(program(arch)), memory_bytes=MEMORY_BYTES)
    return kernel, kernel.restart(image)


def block_of(kernel: System) -> Record:
    items = walk(kernel.checkpoint())
    return next(item.value for item in items if isinstance(item.value, Record))


def with_block(arch: str, kind: int, *arguments: int) -> bytes:
    image = changed(image_of(arch), "RESTART_BLOCK.function_type", kind)
    for number, value in enumerate((*arguments, 0, 0, 0, 0)[:4]):
        image = changed(image, f"RESTART_BLOCK.arg_{number}", value)
    return changed(image, "RESTART_BLOCK.arg_4", LEFT_NS)


@each_arch
@pytest.mark.parametrize(
    ("kind", "given", "function", "kept"),
    [
        (t.RESTART_BLOCK_HRTIMER_NANOSLEEP, (1, 0x1000), RestartFunction.NANOSLEEP, (1, 0x1000)),
        (t.RESTART_BLOCK_POSIX_CPU_NANOSLEEP, (2, 0x1000), RestartFunction.NANOSLEEP, (2, 0x1000)),
        (t.RESTART_BLOCK_COMPAT_NANOSLEEP, (0, 0x1000), RestartFunction.NANOSLEEP, (0, 0x1000)),
        (
            t.RESTART_BLOCK_COMPAT_CLOCK_NANOSLEEP,
            (1, 0x1000, 0x2000),
            RestartFunction.NANOSLEEP,
            (1, 0x2000),
        ),
        (t.RESTART_BLOCK_POLL, (0x1000, 2, 1), RestartFunction.POLL, (0x1000, 2)),
        (
            t.RESTART_BLOCK_FUTEX,
            (0x1000, 7, 0, 0xFFFFFFFF),
            RestartFunction.FUTEX,
            (0x1000, 7, 0, 0xFFFFFFFF),
        ),
    ],
    ids=lambda value: t.restart_block_name(value) if isinstance(value, int) else "",
)
def test_each_type(
    kind: int, given: tuple[int, ...], function: RestartFunction, kept: tuple[int, ...], arch: str
) -> None:
    kernel, task = restarted(arch, with_block(arch, kind, *given))
    block = task.restart_block
    assert isinstance(block, RestartBlock)
    assert (block.function, block.args) == (function, kept)
    assert block.deadline_ns == kernel.clock.now_ns() + LEFT_NS
    record = next(
        item.value for item in walk(kernel.checkpoint()) if isinstance(item.value, Record)
    )
    assert record.arg_4 == LEFT_NS
    kernel.power_off()


@each_arch
def test_none(arch: str) -> None:
    _, task = restarted(arch, image_of(arch))
    assert task.restart_block is None


@each_arch
@pytest.mark.parametrize(
    ("kind", "clock", "words"),
    [
        (t.RESTART_BLOCK_HRTIMER_NANOSLEEP, 99, "a sleep on clock 99"),
        (t.RESTART_BLOCK_COMPAT_NANOSLEEP, 99, "a sleep on clock 99"),
        (t.RESTART_BLOCK_FUTEX + 1, 0, "none of RESTART_BLOCK_*"),
        (0, 0, "none of RESTART_BLOCK_*"),
    ],
)
def test_bad_ones(kind: int, clock: int, words: str, arch: str) -> None:
    image = changed(image_of(arch), "RESTART_BLOCK.arg_0", clock)
    with pytest.raises(ImageError, match=re.escape(words)) as refused:
        restarted(arch, changed(image, "RESTART_BLOCK.function_type", kind))
    assert refused.value.errno == 22


@each_arch
def test_a_poll_has_a_timeout_or_none(arch: str) -> None:
    for has, left, wanted in ((1, LEFT_NS, LEFT_NS), (1, 0, 0), (0, 0, None)):
        image = with_block(arch, t.RESTART_BLOCK_POLL, 0x1000, 2, has)
        kernel, task = restarted(arch, changed(image, "RESTART_BLOCK.arg_4", left))
        block = task.restart_block
        assert isinstance(block, RestartBlock)
        now_ns = kernel.clock.now_ns()
        assert block.deadline_ns == (None if wanted is None else now_ns + wanted)
        assert block_of(kernel).arg_2 == has
        kernel.power_off()


CLASSES = {
    Restart.ERESTARTSYS: ("signals/restart_classes", cr.after_time(7_000_000)),
    Restart.ERESTARTNOHAND: ("signals/restart_classes", cr.after_time(7_000_000)),
    Restart.ERESTART_RESTARTBLOCK: ("signals/restart_classes", cr.after_time(7_000_000)),
    Restart.ERESTARTNOINTR: ("checkpoint/tree", cr.after_syscalls(1)),
}


@each_arch
@pytest.mark.parametrize("restart", CLASSES, ids=lambda restart: restart.name)
def test_each_class_is_in_the_result_register(restart: Restart, arch: str) -> None:
    """Some story has a task that sleeps in such a call: as on Linux, the result says its class."""
    name, step = CLASSES[restart]
    story = find_story(name)
    kernel = start(story, arch, story.builds[0])
    while not (sleepers := [task for task in kernel.tasks.values() if sleeps(task, restart)]):
        assert kernel.run(step, max_time_ns=MAX_TIME_NS) is Ended.REACHED
    (pid, *_) = [task.pid for task in sleepers]
    before = dump(kernel)
    kernel = cycled(kernel)
    assert sleeps(kernel.tasks[pid], restart) and dump(kernel) == before
    pids = [task.pid for task in kernel.tasks.values()]
    cpus = [item for item in walk(kernel.checkpoint()) if item.name == "CPU"]
    cpu = next(item.value for item in cpus if item.task is not None and pids[item.task] == pid)
    assert result_of(cpu) in (int(restart), -int(restart) & 0xFFFFFFFF)
    kernel.power_off()


def result_of(cpu: object) -> int:
    """Where the ABI has a call's result, its low half."""
    value = cpu.ax if hasattr(cpu, "ax") else cpu.gpr[3]  # type: ignore[attr-defined]
    return int(value) & 0xFFFFFFFF


def sleeps(task: Task, restart: Restart) -> bool:
    return task.state is State.SLEEPING and task.sleep_restart is restart and task.pid > 1
