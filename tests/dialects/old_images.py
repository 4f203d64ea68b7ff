"""Native images of a small program, and what it says to its end."""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from functools import cache

import cr
from cr.image import types as t
from cr.image.dialects.frames import Frame, cut, join
from cr.image.stream import byte_order
from cr.image.walk import walk
from cr.system import System
from cr.until import Ended
from guests.stories import ENVIRONMENT, find_story
from kernel_model.vfs.disk import Disk
from tests.harness.model import MAX_TIME_NS, MEMORY_BYTES, disk_with, program_bytes

ALL = ("x86_32", "x86_64", "ppc32", "ppc64")
ARCHES = {
    "v23-rc1": ALL,
    "v21": ALL,
    "v20": ALL,
    "v18": ("x86_32", "ppc32", "ppc64"),
    "v17": ("x86_32",),
    "v16": ("x86_32",),
    "v14": ("x86_32",),
    "v13": ("x86_32", "ppc32", "ppc64"),
    "powerpc-v1": ("ppc32", "ppc64"),
    "v9": ("x86_32",),
    "v8": ("x86_32",),
    "v2": ("x86_32",),
    "v1": ("x86_32",),
}
"""Which architectures a dialect has."""
CASES = [(name, arch) for name, arches in ARCHES.items() for arch in arches]
NO_CASES = [(name, arch) for name, arches in ARCHES.items() for arch in ALL if arch not in arches]
STORIES: tuple[tuple[str, str, str, int], ...] = (
    ("v21", "x86_64", "sockets/seqpacket", 16),
    ("v21", "ppc64", "sockets/datagram", 35),
    ("v20", "x86_64", "sockets/udp", 12),
    ("v20", "ppc32", "sockets/tcp_talk", 18),
    ("v18", "x86_32", "sockets/full", 12),
    ("v18", "x86_32", "sockets/udp", 12),
    ("v18", "ppc64", "sockets/tcp_talk", 8),
    ("v21", "x86_32", "terminals/packet", 25),
    ("v20", "x86_64", "terminals/canonical", 25),
    ("v18", "x86_32", "terminals/canonical", 25),
    ("v21", "x86_64", "ipc/shared_segment", 6),
    ("v20", "x86_32", "ipc/semaphores", 8),
    ("v20", "ppc32", "ipc/messages", 13),
    ("v18", "ppc64", "ipc/messages", 13),
    ("v18", "x86_32", "ipc/shared_segment", 6),
    ("v17", "x86_32", "processes/zombies", 8),
    ("v16", "x86_32", "ipc/messages", 13),
    ("v14", "x86_32", "files/pipe", 30),
)
"""What the dialects from v14 on can carry: dialect, arch, story, system calls."""


@dataclass(frozen=True)
class Halfway:
    """A program in the middle of its run."""

    native: bytes
    disk: Disk
    said: bytes
    straight: bytes
    """What an undisturbed run says."""


def begun(arch: str, name: str = "basics/counter") -> System:
    """A kernel whose first process is about to be the program of a story."""
    story = find_story(name)
    program = program_bytes(story.path, arch, story.builds[0] == "freestanding")
    kernel = cr.boot(arch, disk_with(program), memory_bytes=MEMORY_BYTES)
    kernel.console.feed(story.stdin.encode())
    kernel.spawn("/bin/program", *story.args, env=ENVIRONMENT, as_init=True)
    return kernel


@cache
def halfway(arch: str, name: str = "basics/counter", calls: int = 3) -> Halfway:
    """A story after so many system calls."""
    kernel = begun(arch, name)
    assert kernel.run(max_time_ns=MAX_TIME_NS) is Ended.EXITED
    straight = bytes(kernel.console.output)
    kernel.power_off()
    kernel = begun(arch, name)
    assert kernel.run(cr.after_syscalls(calls), max_time_ns=MAX_TIME_NS) is Ended.REACHED
    found = Halfway(bytes(kernel.checkpoint()), kernel.disk, bytes(kernel.console.output), straight)
    kernel.power_off()
    return found


def ended(arch: str, image: bytes, disk: Disk) -> bytes:
    """What the program of an image still says."""
    kernel = cr.boot(arch, copy.deepcopy(disk), memory_bytes=MEMORY_BYTES)
    kernel.restart(image)
    assert kernel.run(max_time_ns=MAX_TIME_NS) is Ended.EXITED
    said = bytes(kernel.console.output)
    kernel.power_off()
    return said


def changed(
    native: bytes, type_no: int, cls: type[t.Framed], *, walkable: bool = True, **values: object
) -> bytes:
    """The image with other values in the last record of a type."""
    order = byte_order(native)
    frames = cut(native, order)
    place = max(k for k, frame in enumerate(frames) if frame.type_no == type_no)
    record = replace(cls.unpack(frames[place].payload, order), **values)  # type: ignore[type-var]
    frames[place] = Frame(type_no, record.pack(order))
    found = join(frames, order)
    assert not walkable or list(walk(found))
    return found
