"""System calls drawn by chance: what the kernel model answers, Linux does.

All that is different is named in known.py, with the reason.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.answers.asking import can_ask_host, differences, host, model
from tests.answers.drawing import GROUPS, drawn
from tests.answers.known import is_known

pytestmark = [pytest.mark.real, pytest.mark.slow]
ARCHES = ("x86_32", "x86_64")


def _ask(arch: str, seed: int, folder: Path) -> None:
    if not can_ask_host():
        pytest.skip("the host gives no namespaces: it does to root, but not in every container")
    steps, groups = drawn(arch, seed)
    theirs, ours = host(arch, steps, folder), model(arch, steps)
    assert len(theirs) == len(ours) == GROUPS
    found = differences(groups, theirs, ours)
    assert not [str(one) for one in found if not is_known(arch, one.kind)]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("arch", ARCHES)
def test_same_answers(arch: str, seed: int, tmp_path: Path) -> None:
    _ask(arch, seed, tmp_path)


@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(100, 200))
@pytest.mark.parametrize("arch", ARCHES)
def test_same_answers_for_long(arch: str, seed: int, tmp_path: Path) -> None:
    _ask(arch, seed, tmp_path)
