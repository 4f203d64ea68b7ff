"""PowerPC's tagged parts, as its reviewers asked for them: each bit with an image that has it.

In the native image and in Nathan Lynch's struct of 2009 and 2010 alike: a unit that this CPU lacks
is refused by name before anything is committed, an unknown bit too, sizes are exact, and nothing of
the machine state register is believed but the word size of the task.
"""

from __future__ import annotations

import copy
import re
from dataclasses import replace

import pytest

import cr
from cr.image import types as t
from cr.image.arch import powerpc
from cr.image.dialects.arch import powerpc_2009, powerpc_2010
from cr.image.dialects.arch import powerpc_units as units
from cr.image.dialects.frames import Frame, cut, join
from cr.image.errors import ImageError
from cr.image.types import Framed
from cr.image.walk import walk
from cr.tools.convert import convert, upgrade
from cr.until import Ended
from emu.layout import BIG, Record
from guests.stories import ENVIRONMENT, find_story
from kernel_model.dump import dump
from tests.dialects.old_images import Halfway, ended, halfway
from tests.harness.model import MAX_TIME_NS, MEMORY_BYTES, disk_with, program_bytes

ARCHES = ("ppc32", "ppc64")
EXTRA: dict[str, tuple[int, Framed]] = {
    "dabr": (powerpc.PART_DABR, powerpc.CpuDabr(dabr=0x10000007)),
    "spe": (powerpc.PART_SPE, powerpc.CpuSpe(evr=(7,) * 32, acc=5, spefscr=3)),
}
SPECIMENS = {"fp": "cpu/fpr", "altivec": "cpu/altivec", "vsx": "cpu/vsx"}
CLASSES: dict[str, type[Record]] = {
    "ppc32": powerpc_2010.Cpu2010Of32,
    "ppc64": powerpc_2010.Cpu2010Vsx,
}


def with_part(native: bytes, part: int, record: Framed | None) -> bytes:
    """The image whose first task has one part more."""
    frames = cut(native, BIG)
    place = next(k for k, frame in enumerate(frames) if frame.type_no == t.HDR_CPU)
    cpu = powerpc.Cpu.unpack(frames[place].payload, BIG)
    payload = bytearray(frames[place].payload)
    payload[:8] = (cpu.parts | part).to_bytes(8, "big")
    frames[place] = Frame(t.HDR_CPU, bytes(payload))
    end = place + 1
    while frames[end].type_no in t.ARCH_TYPES:
        end += 1
    if record is not None:
        frames.insert(end, Frame(record.TYPE, record.pack(BIG)))
    return join(frames, BIG)


def refused_by_a_kernel(arch: str, image: bytes, half: Halfway, words: str) -> None:
    """By name, and the kernel is as it was."""
    kernel = cr.boot(arch, copy.deepcopy(half.disk), memory_bytes=MEMORY_BYTES)
    for abi in kernel.abis:
        kernel.vdso_page(abi)
    before, free = dump(kernel), kernel.ram.free_frames
    with pytest.raises(ImageError, match=re.escape(words)) as refused:
        kernel.restart(image)
    assert refused.value.errno == 22
    assert dump(kernel) == before and kernel.ram.free_frames == free
    kernel.power_off()


@pytest.mark.parametrize("name", EXTRA)
@pytest.mark.parametrize("arch", ARCHES)
def test_a_part_that_no_cpu_of_ours_has(arch: str, name: str) -> None:
    half = halfway(arch)
    part, record = EXTRA[name]
    image = with_part(half.native, part, record)
    assert record in [item.value for item in walk(image)]
    refused_by_a_kernel(arch, image, half, f"the task has used {name}, which this CPU lacks")


@pytest.mark.parametrize("arch", ARCHES)
def test_a_part_that_nobody_knows(arch: str) -> None:
    half = halfway(arch)
    image = with_part(half.native, 0x20, None)
    refused_by_a_kernel(arch, image, half, "parts 0x20 are unknown")


def test_a_part_of_the_other_kernel() -> None:
    half = halfway("ppc32")
    image = with_part(half.native, powerpc.PART_VSX, powerpc.CpuVsx(low=(0,) * 32))
    refused_by_a_kernel("ppc32", image, half, "the task has used vsx, which this CPU lacks")


@pytest.mark.parametrize("arch", ARCHES)
def test_a_part_without_its_record(arch: str) -> None:
    half = halfway(arch)
    image = with_part(half.native, powerpc.PART_FP | powerpc.PART_ALTIVEC, None)
    with pytest.raises(ImageError, match="is expected here"):
        list(walk(image))


@pytest.mark.parametrize(("name", "dialect", "arch"), [
    ("fp", "v20", "ppc32"),
    ("fp", "powerpc-v1", "ppc64"),
    ("altivec", "v18", "ppc32"),
    ("altivec", "v13", "ppc32"),
    ("vsx", "v21", "ppc64"),
    ("vsx", "v13", "ppc64"),
])  # fmt: skip
def test_a_part_that_ours_have_goes_on(name: str, dialect: str, arch: str) -> None:
    half = halfway(arch, SPECIMENS[name], 2)
    old = convert(half.native, dialect).image
    assert half.said + ended(arch, old, half.disk) == half.straight


@pytest.mark.parametrize("dialect", ["v20", "v18", "v13"])
@pytest.mark.parametrize("name", EXTRA)
@pytest.mark.parametrize("arch", ARCHES)
def test_an_old_image_carries_them_and_is_refused_by_name(
    arch: str, name: str, dialect: str
) -> None:
    half = halfway(arch)
    part, record = EXTRA[name]
    native = with_part(half.native, part, record)
    old = convert(native, dialect).image
    back = upgrade(old).image
    assert record in [item.value for item in walk(back)]
    assert convert(back, dialect).image == old
    refused_by_a_kernel(arch, old, half, f"the task has used {name}, which this CPU lacks")


def test_the_first_port_has_a_breakpoint_and_no_spe() -> None:
    half = halfway("ppc64")
    part, record = EXTRA["dabr"]
    old = convert(with_part(half.native, part, record), "powerpc-v1").image
    assert record in [item.value for item in walk(upgrade(old).image)]
    refused_by_a_kernel("ppc64", old, half, "the task has used dabr, which this CPU lacks")
    with pytest.raises(ImageError, match="has no place for SPE"):
        convert(with_part(half.native, *EXTRA["spe"]), "powerpc-v1")


def old_with(arch: str, **values: object) -> bytes:
    """A v20 image with other values in the CPU record."""
    frames = cut(convert(halfway(arch).native, "v20").image, BIG)
    place = next(k for k, frame in enumerate(frames) if frame.type_no == 107)
    cpu = CLASSES[arch].unpack(frames[place].payload, BIG)
    changed = replace(cpu, **values)  # type: ignore[type-var]
    frames[place] = Frame(107, changed.pack(BIG))
    return join(frames, BIG)


def words_of(arch: str) -> list[int]:
    frames = cut(convert(halfway(arch).native, "v20").image, BIG)
    (cpu,) = (CLASSES[arch].unpack(f.payload, BIG) for f in frames if f.type_no == 107)
    return list(cpu.pt_regs)  # type: ignore[attr-defined]


@pytest.mark.parametrize("arch", ARCHES)
@pytest.mark.parametrize("bit", [5, 12, 31])
def test_an_unknown_feature(arch: str, bit: int) -> None:
    with pytest.raises(ImageError, match=f"features {1 << bit:#x} are unknown"):
        upgrade(old_with(arch, features_used=1 << bit))


@pytest.mark.parametrize("arch", ARCHES)
def test_a_breakpoint_without_its_bit(arch: str) -> None:
    with pytest.raises(ImageError, match="a data breakpoint and its bit go together"):
        upgrade(old_with(arch, features_used=units.FEATURE_DEBUG))


def test_vsx_of_a_kernel_without_it() -> None:
    with pytest.raises(ImageError, match="the registers have no second halves"):
        upgrade(old_with("ppc32", features_used=units.FEATURE_VSX))


@pytest.mark.parametrize("arch", ARCHES)
@pytest.mark.parametrize(("name", "place"), [("pt_regs_size", 4), ("fpr_size", 8)])
def test_sizes_of_another_kernel(arch: str, name: str, place: int) -> None:
    """Compared even when no unit was used, as Nathan Lynch's code compares them."""
    image = bytearray(old_with(arch, features_used=0))
    frames = cut(bytes(image), BIG)
    cpu = next(frame for frame in frames if frame.type_no == 107)
    at = cpu.offset + 8 + place
    image[at : at + 4] = (8 + int.from_bytes(image[at : at + 4], "big")).to_bytes(4, "big")
    with pytest.raises(ImageError, match=name):
        upgrade(image)


@pytest.mark.parametrize("arch", ARCHES)
def test_nothing_of_msr_is_believed_but_the_word_size(arch: str) -> None:
    """Privileged, little-endian, translation off, every unit on: the task is what it was."""
    words = words_of(arch)
    plain_native = upgrade(old_with(arch)).image
    kept = words[units.MSR] & units.MSR_SF
    for msr in (0, 0xFFFFFFFF, 0x4001):
        words[units.MSR] = msr | kept
        assert upgrade(old_with(arch, pt_regs=tuple(words))).image == plain_native
    half = halfway(arch)
    wild = old_with(arch, pt_regs=tuple(words))
    assert half.said + ended(arch, wild, half.disk) == half.straight


def test_msr_tells_the_size_of_a_word() -> None:
    """MSR_SF is off: a 32-bit task of a 64-bit kernel, and registers that fit one."""
    words = words_of("ppc64")
    assert words[units.MSR] & units.MSR_SF
    words[units.MSR] &= ~units.MSR_SF
    wide = upgrade(old_with("ppc64", pt_regs=(1 << 40, *words[1:]))).image
    narrow = [item.value for item in walk(wide) if isinstance(item.value, powerpc.Thread)]
    assert [one.thread_info_flags for one in narrow] == [units.TIF_32BIT]
    refused_by_a_kernel("ppc64", wide, halfway("ppc64"), "more bits than it has room for")


def test_a_32_bit_task_of_a_64_bit_kernel_stays_one() -> None:
    """Honoured by a 64-bit kernel, for old images too; a 32-bit kernel has another arch id."""
    story = find_story("basics/counter")
    program = program_bytes(story.path, "ppc32", True)
    kernel = cr.boot("ppc64", disk_with(program), memory_bytes=MEMORY_BYTES)
    kernel.spawn("/bin/program", *story.args, env=ENVIRONMENT, as_init=True)
    assert kernel.run(cr.after_syscalls(3), max_time_ns=MAX_TIME_NS) is Ended.REACHED
    native, said = bytes(kernel.checkpoint()), bytes(kernel.console.output)
    kernel.power_off()
    for dialect in ("v20", "v13"):
        old = convert(native, dialect).image
        whole = said + ended("ppc64", old, kernel.disk)
        assert whole == halfway("ppc32").straight
        other = cr.boot("ppc32", copy.deepcopy(kernel.disk), memory_bytes=MEMORY_BYTES)
        with pytest.raises(ImageError):
            other.restart(old)
        other.power_off()


@pytest.mark.parametrize("high", [units.CCR, units.XER])
def test_registers_of_32_bits(high: int) -> None:
    words = words_of("ppc64")
    words[high] |= 1 << 32
    with pytest.raises(ImageError, match="CR and XER have 32 bits"):
        upgrade(old_with("ppc64", pt_regs=tuple(words)))


def test_every_part_has_a_bit_in_both() -> None:
    for name, part in (("FP", 1), ("ALTIVEC", 2), ("VSX", 4), ("DABR", 8), ("SPE", 16)):
        assert getattr(powerpc, f"PART_{name}") == part
    assert powerpc.PARTS_KNOWN == 31
    features = (units.FEATURE_FP, units.FEATURE_DEBUG, units.FEATURE_ALTIVEC)
    assert (*features, units.FEATURE_SPE, units.FEATURE_VSX) == (1, 2, 4, 8, 16)
    sizes = [cls.SIZE for cls in (powerpc.CpuDabr, powerpc.CpuSpe, powerpc_2009.Cpu32)]
    assert sizes == [16, 152, 1152]
