"""Every story, on a real Linux: what its head comment promises is what Linux does."""

from pathlib import Path

import pytest

from guests.stories import Story, all_stories
from tests.harness.native import RUNNERS, run_native, why_not

CASES = [
    pytest.param(
        story,
        arch,
        kind,
        id=f"{story.name}-{arch}-{kind}",
        marks=[pytest.mark.slow, *([pytest.mark.real] if RUNNERS[arch] else [])],
    )
    for story in all_stories()
    for arch in story.arches
    for kind in story.builds
]


@pytest.mark.parametrize(("story", "arch", "kind"), CASES)
def test_linux_agrees(story: Story, arch: str, kind: str, tmp_path: Path) -> None:
    reason = why_not(story, arch)
    if reason is not None:
        pytest.skip(reason)
    outcome = run_native(story, arch, kind, tmp_path)
    if story.prints_like is None:
        assert outcome.console == story.prints
    assert story.agrees(outcome.console), outcome.console
    assert outcome.status == story.exits
