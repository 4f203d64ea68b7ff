"""An image of another kernel is refused with a sentence; pure images hold nothing of ours."""

import dataclasses
import struct
from collections.abc import Callable

import pytest

import cr
from cr.image.walk import walk
from emu.machine import Machine
from guests.stories import ARCHES
from tests.harness.model import disk_with
from tests.harness.tiny_tasks import pausing, program, restarted

OWN_RECORDS = 0x8000


def field_at(image: bytes, record: str, name: str) -> tuple[int, int]:
    item = next(item for item in walk(image) if item.name == record)
    cls = type(item.value)
    plan = next(plan for plan in cls._plan.fields if plan.name == name)  # type: ignore[union-attr]
    return item.offset + 8 - cls.LEAD + plan.offset, plan.kind.size  # type: ignore[union-attr]


def patched(image: bytes, record: str, name: str, change: Callable[[int], int]) -> bytes:
    at, size = field_at(image, record, name)
    letter = {2: "H", 4: "I", 8: "Q"}[size]
    patch = bytearray(image)
    (old,) = struct.unpack_from("<" + letter, image, at)
    struct.pack_into("<" + letter, patch, at, change(old))
    return bytes(patch)


def refusal(image: bytes) -> cr.ImageError:
    kernel = cr.boot("x86_64", disk_with(program("x86_64")), memory_bytes=4 << 20)
    free_frames = kernel.ram.free_frames
    with pytest.raises(cr.ImageError) as refused:
        kernel.restart(image)
    assert not kernel.tasks and kernel.ram.free_frames == free_frames
    return refused.value


@pytest.mark.parametrize("arch", [arch for arch in ARCHES if arch != "x86_64"])
def test_another_arch(arch: str) -> None:
    kernel, _ = pausing(arch)
    assert "this kernel is another arch" in refusal(kernel.checkpoint()).sentence


@pytest.mark.parametrize(
    ("record", "name", "change", "words"),
    [
        ("HEADER", "rev", lambda old: old + 1, "image revision"),
        ("HEADER", "constants", lambda old: old + 1, "incompatible kernel constants"),
        ("HEADER", "uflags", lambda old: old | 1 << 20, "unknown checkpoint flags"),
        ("HEADER_ARCH", "xstate_size", lambda old: 832, "another floating point unit"),
        ("MACHINE", "clock_units", lambda old: (1 << 62) + 1, "longer than time lasts"),
        ("MACHINE", "next_pid", lambda old: 1 << 30, "there is no pid"),
        ("TASK", "exit_code", lambda old: 1, "a live task has no exit code"),
        ("TASK", "pdeath_signal", lambda old: 99, "there is no signal 99"),
        ("VMA", "vm_start", lambda old: old + 1, "not made of user pages"),
        ("MM", "brk", lambda old: 1 << 60, "outside of user space"),
        ("CPU", "flags", lambda old: old | 0x3000, "not those of a program"),
    ],
)
def test_what_is_refused(record: str, name: str, change: Callable[[int], int], words: str) -> None:
    kernel, _ = pausing("x86_64")
    image = kernel.checkpoint()
    if name == "constants":
        at = next(item.offset for item in walk(image) if item.name == "HEADER") + 40
        changed = bytearray(image)
        changed[at] ^= 1
        assert words in refusal(bytes(changed)).sentence
        return
    assert words in refusal(patched(image, record, name, change)).sentence


@pytest.mark.parametrize("arch", ARCHES)
def test_pure_images(arch: str) -> None:
    kernel, _ = pausing(arch)
    ours = [item.name for item in kernel.checkpoint().records if item.type_no >= OWN_RECORDS]
    assert ours == ["MACHINE", "TASK_TIMES"]
    pure = kernel.checkpoint(pure=True)
    # PowerPC's registers have no records in Linux: those are ours, pure or not.
    assert not {item.name for item in pure.records} & {"MACHINE", "TASK_TIMES", "UNLINKED"}


@pytest.mark.parametrize("arch", ARCHES)
def test_the_clock_goes_on(arch: str) -> None:
    kernel, _ = pausing(arch)
    before = (
        kernel.clock.units,
        kernel.clock.epoch_ns,
        kernel.random.state(),
        kernel.pid_ns.next_number,
    )
    kernel, _ = restarted(kernel)
    after = (
        kernel.clock.units,
        kernel.clock.epoch_ns,
        kernel.random.state(),
        kernel.pid_ns.next_number,
    )
    assert after == before


def test_the_version_is_told_and_any_is_taken() -> None:
    kernel, _ = pausing("x86_64")
    settings = dataclasses.replace(kernel.settings, release="2.6.37-other")
    machine = Machine(4 << 20)
    other = cr.system.boot_machine(settings, kernel.disk, cr.Console(), machine)
    other.restart(kernel.checkpoint())
    again = other.checkpoint()
    header = next(item.value for item in walk(again) if item.name == "HEADER")
    assert (header.major, header.minor, header.patch) == (2, 6, 37)  # type: ignore[union-attr]
    assert other.nsproxy.uts.release == b"3.2.0-ckpt-v23"  # that is the guest's, and stays
    third = cr.boot("x86_64", kernel.disk, memory_bytes=4 << 20)
    third.restart(again)
    header = next(item.value for item in walk(third.checkpoint()) if item.name == "HEADER")
    assert (header.major, header.minor, header.patch) == (3, 2, 0)  # type: ignore[union-attr]
