"""Signals, limits and timers after a restart."""

import pytest

import cr
from cr.system import System
from kernel_model import itimers
from kernel_model.clone import CLONE_SIGHAND, CLONE_THREAD, CLONE_VM, CloneArgs, copy_process
from kernel_model.signals import Action, SigInfo, bit, send, set_blocked
from kernel_model.task import State, Task
from tests.harness.model import cycled
from tests.harness.tiny_tasks import begin_call, pausing, restarted


def test_pending_signals_keep_their_order_and_what_they_say() -> None:
    kernel, task = pausing("x86_64")
    set_blocked(task, (1 << 64) - 1)
    infos = [SigInfo(signo, -1, pid=1, value=k) for k, signo in enumerate((40, 34, 40, 12, 34))]
    for info in infos:
        send(task, info)
    send(task, SigInfo(10, -6, pid=1), to_thread=True)
    _, task = restarted(kernel)
    assert task.signal.pending.queue == infos
    assert task.pending.queue == [SigInfo(10, -6, pid=1)]
    assert task.blocked == (1 << 64) - 1 & ~(1 << 8 | 1 << 18)


def test_handlers() -> None:
    kernel, task = pausing("x86_64")
    task.sighand.actions[1] = Action(0x400100, 0x14000004, 0x400200, 0x5)
    task.sighand.actions[12] = Action(1)
    expected = list(task.sighand.actions)
    _, task = restarted(kernel)
    assert task.sighand.actions == expected


@pytest.mark.parametrize("which", [itimers.ITIMER_REAL, itimers.ITIMER_PROF])
def test_timers_keep_what_is_left(which: int) -> None:
    kernel, task = pausing("x86_64")
    itimers.set_timer(task, which, 5_000_000, 70_000)
    kernel.run(cr.after_time(2_000_000))
    left = itimers.get(task, which)
    assert left == ((3_000_000 if which == itimers.ITIMER_REAL else 5_000_000), 70_000)
    kernel, task = restarted(kernel)
    assert itimers.get(task, which) == left


def test_limits() -> None:
    kernel, task = pausing("x86_64")
    task.signal.rlimits[7] = (20, 30)
    expected = list(task.signal.rlimits)
    _, task = restarted(kernel)
    assert task.signal.rlimits == expected


def with_thread() -> tuple[System, Task, Task]:
    kernel, task = pausing("x86_64")
    flags = CLONE_VM | CLONE_SIGHAND | CLONE_THREAD
    return kernel, task, copy_process(task, CloneArgs(flags))


def test_a_timer_on_executed_code_counts_all_threads() -> None:
    kernel, task, thread = with_thread()
    thread.run_units = 8_000
    itimers.set_timer(task, itimers.ITIMER_VIRTUAL, 5_000_000, 0)
    kernel, task = restarted(kernel)
    assert itimers.get(task, itimers.ITIMER_VIRTUAL) == (5_000_000, 0)


@pytest.mark.parametrize("which", range(3))
def test_a_timer_that_is_due_fires_at_once(which: int) -> None:
    kernel, task = pausing("x86_64")
    itimers.set_timer(task, which, 5_000_000, 70_000)
    timer = task.signal.itimers[which]
    timer.due = itimers.clock_of(task, which) - min(10, itimers.clock_of(task, which) - 1)
    due = timer.due
    assert itimers.lateness(task, which) > 0
    task = cycled(kernel).tasks[task.pid]
    assert task.signal.itimers[which].due == due


def test_who_waits_for_a_signal_does_not_take_what_another_thread_was_given() -> None:
    kernel, task, thread = with_thread()
    task.sighand.actions[9] = Action(0x400100)
    set_blocked(thread, bit(10))
    addr = thread.regs.words[thread.abi.sp] - 256
    thread.user.write(addr, bit(10).to_bytes(8, "little"))
    begin_call(thread, "rt_sigtimedwait", addr, 0, 0, 8)
    assert thread.state is State.SLEEPING
    send(task, SigInfo(10, 0, pid=1))
    assert task.state is State.RUNNING and thread.state is State.SLEEPING
    kernel = cycled(kernel)
    assert kernel.tasks[thread.pid].state is State.SLEEPING
    assert kernel.tasks[task.pid].signal.pending.signals == bit(10)


def test_the_status_of_a_process_that_is_ending() -> None:
    """A thread that has not run since another one called exit_group."""
    kernel, task, thread = with_thread()
    thread.exit_group(0x900)
    assert not task.exited
    kernel = cycled(kernel)
    assert kernel.run() is cr.Ended.EXITED
    assert kernel.tasks[task.pid].exit_code == 0x900
