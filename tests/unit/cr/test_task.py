"""What a task was doing, and its small numbers."""

import pytest

import cr
from guests.stories import ARCHES
from kernel_model.clone import CloneArgs, copy_process
from kernel_model.signals import SIGCHLD, SigInfo
from kernel_model.task import State
from tests.harness import tiny_elf as tiny
from tests.harness.model import cycled, disk_with
from tests.harness.tiny_tasks import pausing, restarted


@pytest.mark.parametrize("after_ms", [1, 400, 999])
def test_a_sleep_goes_on_for_the_time_that_was_left(after_ms: int) -> None:
    kernel = cr.boot("x86_64", disk_with(tiny.elf(tiny.SLEEP_1_S)), memory_bytes=4 << 20)
    kernel.spawn("/bin/program", as_init=True)
    assert kernel.run(cr.after_time(after_ms * 1_000_000)) is cr.Ended.REACHED
    kernel, task = restarted(kernel)
    assert task.state is State.SLEEPING
    assert kernel.run() is cr.Ended.EXITED
    assert kernel.clock.now_ns() // 1_000_000 == 1000 and task.exit_status == 0


@pytest.mark.parametrize("arch", ARCHES)
def test_names_and_addresses(arch: str) -> None:
    kernel, task = pausing(arch)
    task.comm, task.altstack, task.robust_list = b"renamed", (0x1000, 0x2000), (0x3000, 24)
    task.set_child_tid, task.clear_child_tid, task.pdeath_signal = 0x4000, 0x5000, 9
    task.exit_signal, task.forked_no_exec = 10, True
    _, task = restarted(kernel)
    assert (task.comm, task.altstack, task.robust_list) == (
        b"renamed", (0x1000, 0x2000), (0x3000, 24)
    )  # fmt: skip
    assert (task.set_child_tid, task.clear_child_tid) == (0x4000, 0x5000)
    assert (task.pdeath_signal, task.exit_signal, task.forked_no_exec) == (9, 10, True)
    assert task.state is State.SLEEPING


@pytest.mark.parametrize("arch", ARCHES)
def test_a_stopped_task_stays_stopped(arch: str) -> None:
    kernel, task = pausing(arch)
    task.send_signal(19, SigInfo(19))  # from outside of the container
    kernel.run(cr.after_time(1000))
    assert task.state is State.STOPPED
    kernel, task = restarted(kernel)
    assert task.state is State.STOPPED
    task.send_signal(18, SigInfo(18))
    kernel.run(cr.after_time(1000))
    assert task.state is State.SLEEPING


def test_a_taken_pid() -> None:
    kernel, _ = pausing("x86_64")
    with pytest.raises(cr.ImageError, match="pid 1 is taken"):
        kernel.restart(kernel.checkpoint())


def test_the_dead_have_no_robust_futexes() -> None:
    """Of a 32-bit task on a 64-bit kernel they would come back as those of a 64-bit one."""
    kernel, task = pausing("x86_64")
    child = copy_process(task, CloneArgs(SIGCHLD))
    child.robust_list = (0x3000, 24)
    child.exit_group(0)
    assert child.robust_list == (0, 0)
    cycled(kernel).power_off()
