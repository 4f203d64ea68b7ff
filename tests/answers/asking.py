"""The same program on the host and in the model: what each answers.

On the host it runs in namespaces of its own, in a folder of memory that is its root; the model's
disk is as empty.
"""

from __future__ import annotations

import errno
import subprocess
from dataclasses import dataclass
from pathlib import Path

import cr
from tests.answers.drawing import Group
from tests.harness.model import disk_with, program_bytes

SOURCE = Path(__file__).with_name("calls.c")
_NAMESPACES = ("unshare", "--pid", "--fork", "--kill-child", "--mount", "--net", "--ipc", "--uts")
_MAKE_ROOT = """
set -e
mount -t tmpfs -o size=64m none "$1"
cp "$2/program" "$2/steps" "$1"
cd "$1"
mkdir bin dev dev/pts proc
mknod dev/null c 1 3
mknod dev/zero c 1 5
chmod 666 dev/null dev/zero
mount -t proc none proc
mount -t devpts -o newinstance,ptmxmode=0666 none dev/pts
ln -s pts/ptmx dev/ptmx
exec chroot . /program /steps
"""
_MEMORY_BYTES = 128 << 20
_MOST_NS = 200 * 10**9
Answers = dict[int, tuple[str, ...]]
"""By the number of a group: what its calls answered; behind them perhaps how its process ended."""


@dataclass(frozen=True)
class Difference:
    """The first call of a group that was answered in two ways."""

    name: str
    host: str
    model: str
    calls: Group

    @property
    def kind(self) -> str:
        """In three words, as the list of those that are known has it."""
        return f"{self.name} {self.host} {self.model}"

    def __str__(self) -> str:
        return f"{self.kind}: {'; '.join(map(str, self.calls))}"


def can_ask_host() -> bool:
    """Whether there can be namespaces apart: for root, and not in every container."""
    probe = [*_NAMESPACES, "mount", "-t", "tmpfs", "none", "/mnt"]
    return subprocess.run(probe, capture_output=True, check=False).returncode == 0


def host(arch: str, steps: str, folder: Path) -> Answers:
    """What Linux answers."""
    (folder / "program").write_bytes(program_bytes(SOURCE, arch, freestanding=False))
    (folder / "program").chmod(0o755)
    (folder / "steps").write_text(steps)
    root = folder / "root"
    root.mkdir()
    ran = subprocess.run(
        [*_NAMESPACES, "sh", "-c", _MAKE_ROOT, "sh", root, folder],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return _read(ran.stdout)


def model(arch: str, steps: str) -> Answers:
    """What the model answers."""
    disk = disk_with(program_bytes(SOURCE, arch, freestanding=False))
    node = disk.new_node(0o100644)
    node.store(0, steps.encode())
    disk.root.entries()[b"steps"] = node
    kernel = cr.boot(arch, disk, memory_bytes=_MEMORY_BYTES)
    kernel.spawn("/bin/program", "/steps")
    try:
        kernel.run(max_time_ns=_MOST_NS)
    except cr.Deadlock:
        pass  # then answers are missing, and that is a difference
    output = kernel.console.output
    kernel.power_off()
    return _read(output.decode(errors="replace"))


def _read(text: str) -> Answers:
    found: Answers = {}
    for line in text.splitlines():
        words = line.split()
        if len(words) < 2 or not words[0].isdigit():
            continue
        ended = [] if words[1] == "0" else [f"signal-{words[1]}"]
        found[int(words[0])] = tuple([_shown(int(word)) for word in words[2:]] + ended)
    return found


def _shown(result: int) -> str:
    if -4096 < result < 0:
        return errno.errorcode.get(-result, str(result))
    return str(result) if result < 100_000 else "large"


def differences(groups: list[Group], theirs: Answers, ours: Answers) -> list[Difference]:
    """The first in each group; the calls behind it met another state."""
    found = []
    for number, group in enumerate(groups):
        one, two = theirs.get(number, ("nothing",)), ours.get(number, ("nothing",))
        for place, call in enumerate(group):
            there = one[place] if place < len(one) else "nothing"
            here = two[place] if place < len(two) else "nothing"
            if there != here:
                found.append(Difference(call.name, there, here, group[: place + 1]))
            if there != here or there.startswith(("signal-", "nothing")):
                break
    return found
