"""A kernel on a CPU that lacks a unit: what programs are told, and which images it refuses."""

from __future__ import annotations

import pytest

import cr
from cr.image.arch.powerpc import PART_ALTIVEC, PART_FP, PART_VSX, HeaderArch
from cr.image.walk import walk
from cr.system import ARCHES, System
from cr.until import Ended
from emu.arch.ppc import MSR_VEC, MSR_VSX
from emu.arch.spec import Registers
from guests.stories import ENVIRONMENT, find_story
from kernel_model.arch.features import lacking, parse
from kernel_model.arch.ppc_signal import restore_units
from kernel_model.dump import dump
from tests.harness.model import MEMORY_BYTES, disk_with, program_bytes

SIGILL = 4
HWCAP_ALTIVEC, HWCAP_VSX = 0x10000000, 0x80
ALTIVEC_AND_FEATURES = [("ppc32", "-altivec"), ("ppc64", "-altivec"), ("ppc64", "-altivec,-vsx")]


def booted(name: str, arch: str, features: str, program_arch: str | None = None) -> System:
    story = find_story(name)
    freestanding = "freestanding" in story.builds
    program = program_bytes(story.path, program_arch or arch, freestanding)
    kernel = cr.boot(arch, disk_with(program), memory_bytes=MEMORY_BYTES, cpu_features=features)
    kernel.spawn("/bin/program", *story.args, env=ENVIRONMENT)
    return kernel


def reboot_with(kernel: System, name: str, arch: str, features: str) -> System:
    """Another machine with the same disk."""
    kernel.power_off()
    return cr.boot(arch, kernel.disk, memory_bytes=MEMORY_BYTES, cpu_features=features)


def parts_of(image: bytes) -> int:
    values = (item.value for item in walk(image))
    return next(value.parts for value in values if isinstance(value, HeaderArch))


def guest_of(kernel: System) -> int:
    return max(kernel.tasks)


@pytest.mark.parametrize(
    ("name", "arch", "features"),
    [
        *(("cpu/altivec", arch, features) for arch, features in ALTIVEC_AND_FEATURES),
        ("cpu/vsx", "ppc64", "-vsx"),
    ],
)
def test_an_instruction_of_a_missing_unit_is_illegal(name: str, arch: str, features: str) -> None:
    kernel = booted(name, arch, features)
    task = kernel.tasks[guest_of(kernel)]
    assert kernel.run() is Ended.EXITED
    assert task.exit_code == SIGILL and kernel.console.output == b""
    kernel.power_off()


@pytest.mark.parametrize(
    ("name", "arch"), [("cpu/altivec", "ppc64"), ("cpu/float_series", "ppc64")]
)
def test_units_that_are_left_work(name: str, arch: str) -> None:
    kernel = booted(name, arch, "-vsx")
    task = kernel.tasks[guest_of(kernel)]
    assert kernel.run() is Ended.EXITED and task.exit_status == 0
    assert find_story(name).agrees(kernel.console.output.decode())
    kernel.power_off()


def test_a_32_bit_program_lacks_what_its_kernel_lacks() -> None:
    kernel = booted("cpu/altivec", "ppc64", "-altivec", "ppc32")
    task = kernel.tasks[guest_of(kernel)]
    assert kernel.run() is Ended.EXITED and task.exit_code == SIGILL
    kernel.power_off()


@pytest.mark.parametrize(
    ("arch", "features", "hwcap", "parts"),
    [
        ("ppc32", "", HWCAP_ALTIVEC, PART_FP | PART_ALTIVEC),
        ("ppc32", "-altivec", 0, PART_FP),
        ("ppc64", "", HWCAP_ALTIVEC | HWCAP_VSX, PART_FP | PART_ALTIVEC | PART_VSX),
        ("ppc64", "-vsx", HWCAP_ALTIVEC, PART_FP | PART_ALTIVEC),
        ("ppc64", "-altivec", 0, PART_FP),
    ],
)
def test_what_is_told(arch: str, features: str, hwcap: int, parts: int) -> None:
    kernel = booted("basics/counter", arch, features)
    kernel.run(cr.after_syscalls(3))
    abi = kernel.tasks[guest_of(kernel)].abi
    assert abi.hwcap & (HWCAP_ALTIVEC | HWCAP_VSX) == hwcap
    assert parts_of(kernel.checkpoint()) == parts
    kernel.power_off()


@pytest.mark.parametrize(
    ("name", "arch", "features", "missing"),
    [
        ("cpu/altivec", "ppc32", "-altivec", "altivec"),
        ("cpu/altivec", "ppc64", "-altivec,-vsx", "altivec"),
        ("cpu/vsx", "ppc64", "-vsx", "vsx"),
        ("cpu/vsx", "ppc64", "-altivec", "altivec and vsx"),
    ],
)
def test_an_image_that_needs_it_is_refused(
    name: str, arch: str, features: str, missing: str
) -> None:
    kernel = booted(name, arch, "")
    kernel.run(cr.after_syscalls(2))
    image = kernel.checkpoint()
    kernel = reboot_with(kernel, name, arch, features)
    before = dump(kernel)
    with pytest.raises(cr.ImageError):
        kernel.restart(image)
    free = kernel.ram.free_frames  # the page of the vdso stays, for the next restart
    with pytest.raises(cr.ImageError) as refused:
        kernel.restart(image)
    assert refused.value.sentence == f"the task has used {missing}, which this CPU lacks"
    assert refused.value.record == "CPU" and refused.value.task
    assert dump(kernel) == before and kernel.ram.free_frames == free
    kernel.power_off()


@pytest.mark.parametrize(("arch", "features"), ALTIVEC_AND_FEATURES)
@pytest.mark.parametrize("before, after", [(True, False), (False, True)])
def test_an_image_that_does_not_need_it_restarts(
    arch: str, features: str, before: bool, after: bool
) -> None:
    kernel = booted("basics/counter", arch, features if before else "")
    kernel.run(cr.after_syscalls(3))
    image, console = kernel.checkpoint(), kernel.console.output
    kernel = reboot_with(kernel, "basics/counter", arch, features if after else "")
    task = kernel.restart(image)
    assert kernel.run() is Ended.EXITED and task.exit_status == 0
    assert find_story("basics/counter").agrees((console + kernel.console.output).decode())
    kernel.power_off()


@pytest.mark.parametrize(
    ("arch", "features", "sentence"),
    [
        ("ppc32", "-vsx", "a CPU of ppc32 cannot lack 'vsx'; it can lack -altivec"),
        ("ppc64", "-fp", "a CPU of ppc64 cannot lack 'fp'; it can lack -altivec, -vsx"),
        ("x86_64", "-sse", "a CPU of x86_64 cannot lack 'sse'; it can lack nothing"),
        ("ppc64", "altivec", "'altivec' is no CPU feature to leave out, such as -altivec"),
    ],
)
def test_what_cannot_be_left_out(arch: str, features: str, sentence: str) -> None:
    with pytest.raises(ValueError) as refused:
        cr.boot(arch, cpu_features=features, memory_bytes=4 << 20)
    assert str(refused.value) == sentence


@pytest.mark.parametrize(
    ("features", "units"),
    [("", {"fp", "altivec", "vsx"}), ("-vsx", {"fp", "altivec"}), ("-altivec", {"fp"})],
)
def test_a_signal_frame_cannot_bring_it_back(features: str, units: set[str]) -> None:
    registers = Registers(lacking(ARCHES["ppc64"], parse(features))[0].cpu)
    fp, vectors, vsx = bytes(range(264 - 256)) * 33, b"\1" * 528, b"\2" * 256
    restore_units(registers, MSR_VEC | MSR_VSX, fp, vectors, b"\3" * 4, vsx)
    assert set(registers.units) == units
