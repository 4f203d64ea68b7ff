"""Images of our stories, for those who do something to them."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import cr
from cr.cli.session import disk_beside
from cr.system import System
from cr.testing.anvil import (
    SLOWEST_S,
    Anvil,
    Specimen,
    assert_all_given_back,
    bounded,
    state_of,
    time_for_one,
)
from cr.until import Ended, Until
from guests.stories import ARCHES, Story, all_stories, find_story
from kernel_model.vfs.disk_tar import write_tar
from tests.harness.model import MAX_TIME_NS, run_straight, start

_PLACES: dict[str, Until] = {
    "files/pipe": cr.after_syscalls(30),
    "files/unlinked": cr.after_syscalls(12),
    "files/directory": cr.after_syscalls(20),
    "memory/shared_anonymous": cr.after_syscalls(6),
    "memory/shared_file": cr.after_syscalls(10),
    "memory/private_file": cr.after_syscalls(8),
    "processes/fork_wait": cr.after_syscalls(8),
    "processes/pipe_pingpong": cr.after_syscalls(12),
    "processes/threads": cr.after_syscalls(12),
    "processes/zombies": cr.after_syscalls(8),
    "process/identity": cr.after_syscalls(30),
    "sockets/datagram": cr.after_syscalls(35),
    "sockets/full": cr.after_syscalls(12),
    "sockets/listen_accept": cr.after_syscalls(26),
    "sockets/pass_fds": cr.after_syscalls(13),
    "sockets/seqpacket": cr.after_syscalls(16),
    "sockets/tcp_edges": cr.after_syscalls(14),
    "sockets/tcp_talk": cr.after_syscalls(24),
    "sockets/udp": cr.after_syscalls(12),
    "signals/queue": cr.after_syscalls(20),
    "signals/nested": cr.after_syscalls(8),
    "signals/restart_read": cr.after_syscalls(8),
    "jobs/shell": cr.after_syscalls(36),
    "terminals/hangup": cr.after_syscalls(32),
    "terminals/watching": cr.after_syscalls(30),
    "time/nanosleep": cr.after_time(10_000_000),
    "time/interval_timer": cr.after_syscalls(6),
    "cpu/x87_sse": cr.after_syscalls(5),
    "cpu/fpr": cr.after_syscalls(5),
    "cpu/altivec": cr.after_syscalls(5),
    "cpu/vsx": cr.after_syscalls(5),
}


def names_of(arch: str) -> list[str]:
    """The stories of which there are images on an arch."""
    return [name for name in _PLACES if arch in find_story(name).arches]


def at_its_place(name: str, arch: str) -> System:
    """The kernel of which the specimen's image is."""
    story = find_story(name)
    kernel = start(story, arch, story.builds[0])
    ended = kernel.run(_PLACES[name], max_time_ns=MAX_TIME_NS)
    assert ended is Ended.REACHED, f"{name} on {arch}: {ended.value}"
    return kernel


@cache
def specimen(name: str, arch: str) -> Specimen:
    """The image of a story, taken somewhere on its way."""
    kernel = at_its_place(name, arch)
    image = kernel.checkpoint()
    kernel.power_off()
    return Specimen(name, arch, bytes(image), kernel.disk)


def strike_all(
    specimen: Specimen,
    inputs: Iterator[tuple[str, bytes]],
    *,
    watchful: bool = True,
    tell: Callable[[str], object] = print,
) -> Anvil:
    """Strike with every input (what was done, image); say which one broke the law."""
    with bounded():
        anvil = Anvil(specimen)
        anvil.watchful = watchful
        for what, image in inputs:
            time_for_one()
            before_s = anvil.slowest_s
            try:
                anvil.strike(image)
            except BaseException:
                tell(f"{specimen.name} on {specimen.arch}: {what}")
                raise
            if anvil.slowest_s > SLOWEST_S > before_s:
                raise AssertionError(f"{what} took {anvil.slowest_s:.1f} s")
        anvil.assert_untouched()
        anvil.close()
    return anvil


def wide_corpus() -> Iterator[Specimen]:
    """Every story once, two thirds of its calls through; the arches take turns."""
    for number, story in enumerate(all_stories()):
        if story.never_because is None and not story.name.startswith("bench/"):
            yield two_thirds_through(story, story.arches[number % len(story.arches)])


def two_thirds_through(story: Story, arch: str) -> Specimen:
    """The image of a story when so many of its calls are done."""
    build = story.builds[0]
    calls = run_straight(story, arch, build).calls
    kernel = start(story, arch, build)
    ended = kernel.run(cr.after_syscalls(max(1, 2 * calls // 3)), max_time_ns=MAX_TIME_NS)
    assert ended is Ended.REACHED, f"{story.name} on {arch}: {ended.value}"
    image = kernel.checkpoint()
    kernel.power_off()
    return Specimen(story.name, arch, bytes(image), kernel.disk)


def main(folder: Path) -> None:
    """All specimens and the wide corpus, each an image with its disk, for `cr fuzz`."""
    folder.mkdir(parents=True, exist_ok=True)
    named = (specimen(name, arch) for arch in ARCHES for name in names_of(arch))
    for number, found in enumerate(itertools.chain(named, wide_corpus())):
        target = folder / f"{number:03}-{found.name.replace('/', '-')}.{found.arch}.img"
        target.write_bytes(found.image)
        with open(disk_beside(target), "wb") as file:
            write_tar(found.disk, file)


__all__ = [
    "ARCHES",
    "SLOWEST_S",
    "Anvil",
    "Specimen",
    "assert_all_given_back",
    "at_its_place",
    "names_of",
    "specimen",
    "state_of",
    "strike_all",
    "two_thirds_through",
    "wide_corpus",
]

if __name__ == "__main__":
    main(Path(sys.argv[1]))
