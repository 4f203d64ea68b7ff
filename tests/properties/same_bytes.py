"""Digests of images, disks and dumps of some stories: run in processes that should agree.

python -m tests.properties.same_bytes accelerated|plain
"""

import hashlib
import io
import sys

import cr
from cr.until import Ended
from guests.stories import ARCHES, find_story
from kernel_model.dump import dump
from kernel_model.vfs.disk_tar import write_tar
from tests.harness.model import MAX_TIME_NS, start

STORIES = ("files/directory", "files/unlinked", "libc/sort_malloc", "signals/queue")
PLACES = 3


def digests(accelerate: bool) -> list[str]:
    """One line for each story, arch and place."""
    return [
        line
        for name in STORIES
        for arch in ARCHES
        for line in _of_story(name, arch, accelerate=accelerate)
    ]


def _of_story(name: str, arch: str, *, accelerate: bool) -> list[str]:
    story = find_story(name)
    kernel = start(story, arch, story.builds[0], accelerate=accelerate)
    lines = []
    while len(lines) < PLACES and kernel.run(cr.after_syscalls(6)) is not Ended.EXITED:
        image = kernel.checkpoint()
        kernel.vfs.sync()
        tar = io.BytesIO()
        write_tar(kernel.disk, tar)
        parts = (image, tar.getvalue(), dump(kernel).encode())
        found = " ".join(hashlib.sha256(part).hexdigest()[:16] for part in parts)
        lines.append(f"{name} {arch} {len(lines)}: {found}")
        kernel = kernel.reboot()
        kernel.restart(image)
    kernel.run(max_time_ns=MAX_TIME_NS)
    lines.append(f"{name} {arch} end: {hashlib.sha256(dump(kernel).encode()).hexdigest()[:16]}")
    kernel.power_off()
    return lines


if __name__ == "__main__":
    print("\n".join(digests(sys.argv[1] == "accelerated")))
