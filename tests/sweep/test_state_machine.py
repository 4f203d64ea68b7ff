"""An example for hypothesis: a guest's shell, driven at random, with checkpoints at any moment.

What the shell says is compared with a model of a few lines. A cycle (checkpoint, reboot, restart)
may come before a command, or in the middle of one, after any number of system calls.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from cr.testing.bench import Machine
from guests.stories import ARCHES
from guests.toolchain import build

SOURCE = Path(__file__).with_name("shell.c")
NAMES = st.sampled_from(("a", "bc", "total"))
MOMENTS = st.none() | st.integers(1, 12)


class Shell(RuleBasedStateMachine):
    """What the shell should say, and the machine on which it says it."""

    @initialize(arch=st.sampled_from(ARCHES), seed=st.none() | st.integers(1, 9))
    def boot(self, arch: str, seed: int | None) -> None:
        self.folder = TemporaryDirectory()
        program = build(SOURCE, arch, f"{self.folder.name}/shell", False, story_only=False)
        self.machine = Machine(arch, seed=seed)
        self.machine.spawn(program)
        self.prompt = 1
        self.values: dict[str, int] = {}
        self.pipe = ""
        self.sum = 0
        self.machine.console.expect("1$ ")

    def say(self, line: str, answer: str, moment: int | None) -> None:
        self.machine.type(line + "\n")
        if moment is not None:
            self.machine.step(moment)
            self.machine.cycle()
        before = f"{self.prompt}$ "
        self.prompt += 1
        self.machine.console.expect(f"{before}{answer}{self.prompt}$ ")

    @rule()
    def cycle(self) -> None:
        self.machine.cycle()

    @rule(name=NAMES, value=st.integers(-(1 << 31), (1 << 31) - 1), moment=MOMENTS)
    def set(self, name: str, value: int, moment: int | None) -> None:
        self.say(f"set {name} {value}", "", moment)
        self.values[name] = value

    @rule(name=NAMES, moment=MOMENTS)
    def get(self, name: str, moment: int | None) -> None:
        self.say(f"get {name}", f"{self.values.get(name, 0)}\n", moment)

    @precondition(lambda self: len(self.pipe) < 100)
    @rule(letter=st.sampled_from("xyz"), moment=MOMENTS)
    def push(self, letter: str, moment: int | None) -> None:
        self.say(f"push {letter}", "", moment)
        self.pipe += letter

    @precondition(lambda self: self.pipe)
    @rule(moment=MOMENTS)
    def pop(self, moment: int | None) -> None:
        self.say("pop", f"{self.pipe[0]}\n", moment)
        self.pipe = self.pipe[1:]

    @rule(number=st.integers(-1000, 1000), moment=MOMENTS)
    def add(self, number: int, moment: int | None) -> None:
        self.sum += number
        self.say(f"add {number}", f"{self.sum}\n", moment)

    def teardown(self) -> None:
        if hasattr(self, "machine"):
            assert self.machine.run() == 0
            self.machine.power_off()
            self.folder.cleanup()


def play(examples: int, steps: int) -> None:
    # Not shrunk: each step runs a machine. The example that fails is told as it is.
    Shell.TestCase.settings = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        derandomize=True,
        database=None,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )
    Shell.TestCase().runTest()


@pytest.mark.slow
def test_a_shell_with_checkpoints_at_a_few_moments() -> None:
    play(4, 8)


@pytest.mark.nightly
def test_a_shell_with_checkpoints_at_random_moments() -> None:
    play(100, 40)
