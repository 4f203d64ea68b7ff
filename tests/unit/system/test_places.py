"""Places by blocks and turns: the run is the same, wherever it is stopped."""

import pytest

from cr.until import AfterBlocks, AfterTurns, Ended, Until
from guests.stories import ARCHES, find_story
from tests.harness.model import assert_same, outcome, run_straight, start


@pytest.mark.parametrize("arch", ARCHES)
@pytest.mark.parametrize("place", [AfterBlocks(1), AfterBlocks(7), AfterTurns(1)], ids=repr)
@pytest.mark.parametrize("name", ["basics/counter", "processes/fork_wait", "time/nanosleep"])
def test_stopping_changes_nothing(name: str, place: Until, arch: str) -> None:
    story = find_story(name)
    expected = run_straight(story, arch, story.builds[0])
    kernel = start(story, arch, story.builds[0])
    stops = 0
    while kernel.run(place) is Ended.REACHED:
        stops += 1
    assert stops > 1 or isinstance(place, AfterTurns)
    assert_same(outcome(kernel, kernel.console.output), expected)
    kernel.power_off()


def test_a_block_is_short() -> None:
    kernel = start(find_story("basics/counter"), "x86_64", "freestanding")
    before = kernel.clock.units
    assert kernel.run(AfterBlocks(1)) is Ended.REACHED
    assert 0 < kernel.clock.units - before < 500
    assert kernel.run(AfterBlocks(1000), max_time_ns=20) is Ended.TIMED_OUT
    kernel.power_off()
