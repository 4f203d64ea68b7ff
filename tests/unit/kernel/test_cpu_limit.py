"""RLIMIT_CPU: no program of a test runs for a second, so its used time is set."""

import pytest

from cr.system import ARCHES
from kernel_model import itimers
from kernel_model.abi.limits import RLIM_INFINITY, RLIMIT_CPU
from kernel_model.itimers import cpu_budget, fire_cpu_timers
from kernel_model.signals import SIGKILL, SIGXCPU, bit
from tests.harness.tiny_tasks import pausing, restarted

SECOND_UNITS = 4 * 10**9


@pytest.mark.parametrize("arch", ARCHES)
def test_soft_limit_warns_each_second_and_hard_limit_kills(arch: str) -> None:
    kernel, task = pausing(arch)
    assert cpu_budget(task) is None
    task.signal.rlimits[RLIMIT_CPU] = (2, 4)
    used = itimers.process_units(task)
    assert cpu_budget(task) == 2 * SECOND_UNITS - used
    task.signal.run_units = 2 * SECOND_UNITS
    fire_cpu_timers(task)
    assert task.signal.pending.signals == bit(SIGXCPU)
    assert task.signal.rlimits[RLIMIT_CPU] == (3, 4)
    kernel, task = restarted(kernel)
    assert task.signal.rlimits[RLIMIT_CPU] == (3, 4)
    assert cpu_budget(task) == SECOND_UNITS - itimers.process_units(task) + 2 * SECOND_UNITS
    task.signal.pending.discard(bit(SIGXCPU))
    task.signal.run_units = 3 * SECOND_UNITS
    fire_cpu_timers(task)
    assert task.signal.pending.signals == bit(SIGXCPU)
    task.signal.run_units = 4 * SECOND_UNITS
    fire_cpu_timers(task)
    assert task.signal.pending.signals & bit(SIGKILL)


def test_without_a_hard_limit_nobody_dies() -> None:
    _, task = pausing("x86_64")
    task.signal.rlimits[RLIMIT_CPU] = (1, RLIM_INFINITY)
    task.signal.run_units = 9 * SECOND_UNITS
    fire_cpu_timers(task)
    assert task.signal.pending.signals == bit(SIGXCPU)
    assert task.signal.rlimits[RLIMIT_CPU] == (2, RLIM_INFINITY)
