"""What a restart believes of an x86 task's registers: one image for each rule that it breaks.

The rules are linux-cr's: flags, segment encodings, descriptors, MXCSR, and what is only compared.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

import cr
from cr.image.walk import Item, walk
from cr.system import System
from cr.until import Ended
from kernel_model.task import Task
from tests.harness.model import disk_with
from tests.harness.tiny_tasks import MEMORY_BYTES, pausing, program
from tests.unit.cr.test_header import patched

BOTH = ("x86_32", "x86_64")
EINVAL, ENOSYS = 22, 38
SIGSEGV = 11
TLS_AT, MXCSR_AT, RESERVED_AT = 24, 8 + 24, 8 + 6
GOOD_TLS = 0x00CFF3000000FFFF
FLAGS = {
    "x86_32": "eflags",
    "x86_64": "rflags",
}
ALLOWED = {
    "CF": 0x1,
    "PF": 0x4,
    "AF": 0x10,
    "ZF": 0x40,
    "SF": 0x80,
    "TF": 0x100,
    "DF": 0x400,
    "OF": 0x800,
    "NT": 0x4000,
    "RF": 0x10000,
    "AC": 0x40000,
    "ID": 0x200000,
}
FORBIDDEN = {
    "bit 3": 0x8,
    "bit 5": 0x20,
    "IOPL 1": 0x1000,
    "IOPL 2": 0x2000,
    "bit 15": 0x8000,
    "VM": 0x20000,
    "VIF": 0x80000,
    "VIP": 0x100000,
    "bit 22": 0x400000,
}


def image_of(arch: str, change: Callable[[Task], None] = lambda task: None) -> bytes:
    kernel, task = pausing(arch)
    change(task)
    image = bytes(kernel.checkpoint())
    kernel.power_off()
    return image


def item_of(image: bytes, name: str) -> Item:
    return next(item for item in walk(image) if item.name == name)


def with_bytes(image: bytes, record: str, at: int, content: bytes) -> bytes:
    start = item_of(image, record).offset + at
    return image[:start] + content + image[start + len(content) :]


def fresh(arch: str) -> System:
    return cr.boot(arch, disk_with(program(arch)), memory_bytes=MEMORY_BYTES)


def assert_refused(arch: str, image: bytes, words: str, errno: int = EINVAL) -> None:
    kernel = fresh(arch)
    free = kernel.ram.free_frames
    with pytest.raises(cr.ImageError) as refused:
        kernel.restart(image)
    assert words in refused.value.sentence and refused.value.errno == errno
    assert not kernel.tasks and kernel.ram.free_frames == free
    kernel.power_off()


def restarted(arch: str, image: bytes) -> tuple[System, Task]:
    kernel = fresh(arch)
    return kernel, kernel.restart(image)


@pytest.mark.parametrize("arch", BOTH)
@pytest.mark.parametrize("flag", ALLOWED)
def test_a_flag_of_the_program_is_kept(arch: str, flag: str) -> None:
    image = patched(image_of(arch), "CPU", "flags", lambda old: 0x202 | ALLOWED[flag])
    kernel, task = restarted(arch, image)
    assert task.regs[FLAGS[arch]] == 0x202 | ALLOWED[flag]
    kernel.power_off()


@pytest.mark.parametrize("arch", BOTH)
@pytest.mark.parametrize("flag", FORBIDDEN)
def test_a_flag_of_the_system_is_refused(arch: str, flag: str) -> None:
    image = patched(image_of(arch), "CPU", "flags", lambda old: old | FORBIDDEN[flag])
    assert_refused(arch, image, "are not those of a program")


@pytest.mark.parametrize("arch", BOTH)
@pytest.mark.parametrize("gone", [0x200, 0x2])
def test_interrupts_are_on(arch: str, gone: int) -> None:
    image = patched(image_of(arch), "CPU", "flags", lambda old: old & ~gone)
    assert_refused(arch, image, "are not those of a program")


@pytest.mark.parametrize("arch", BOTH)
@pytest.mark.parametrize("field", ["cs", "ss", "ds", "es", "fsindex", "gsindex"])
@pytest.mark.parametrize("encoding", [0x5, 0x2B, 0x4003, 0xA000, 0xFFFF])
def test_an_encoding_that_is_none(arch: str, field: str, encoding: int) -> None:
    image = patched(image_of(arch), "CPU", field, lambda old: encoding)
    assert_refused(arch, image, f"{field} {encoding:#x} is no segment encoding")


@pytest.mark.parametrize("arch", BOTH)
def test_code_has_a_segment(arch: str) -> None:
    image = patched(image_of(arch), "CPU", "cs", lambda old: 0)
    assert_refused(arch, image, "cs must not be null")


@pytest.mark.parametrize("field", ["ds", "es", "fsindex", "gsindex"])
@pytest.mark.parametrize("encoding", [3, 4])
def test_segments_of_the_other_word_size(field: str, encoding: int) -> None:
    image = patched(image_of("x86_32"), "CPU", field, lambda old: encoding)
    assert_refused("x86_32", image, f"segment encoding {encoding:#x} is of another word size")


@pytest.mark.parametrize("arch", BOTH)
@pytest.mark.parametrize("field", ["ds", "es", "fsindex", "gsindex"])
def test_a_local_segment_is_not_modelled(arch: str, field: str) -> None:
    image = patched(image_of(arch), "CPU", field, lambda old: 0x8000)
    assert_refused(arch, image, "LDT segments are not modelled", ENOSYS)


@pytest.mark.parametrize("arch", BOTH)
@pytest.mark.parametrize("field", ["cs", "ss"])
def test_other_code_and_stack_segments_are_not_modelled(arch: str, field: str) -> None:
    image = patched(image_of(arch), "CPU", field, lambda old: 0x4000)
    assert_refused(arch, image, "code or stack segments of its own", ENOSYS)


@pytest.mark.parametrize(
    ("rule", "descriptor"),
    [
        ("a system descriptor", GOOD_TLS & ~(1 << 44)),
        ("ring 0", GOOD_TLS & ~(3 << 45)),
        ("ring 1", GOOD_TLS & ~(1 << 46)),
        ("64-bit code", GOOD_TLS | 1 << 53),
    ],
)
@pytest.mark.parametrize("slot", range(3))
def test_a_descriptor_that_no_program_has(rule: str, descriptor: int, slot: int) -> None:
    content = descriptor.to_bytes(8, "little")
    image = with_bytes(image_of("x86_32"), "THREAD", TLS_AT + 8 * slot, content)
    assert_refused("x86_32", image, f"TLS descriptor {descriptor:#x}")


def test_a_descriptor_of_the_program_is_kept() -> None:
    image = with_bytes(image_of("x86_32"), "THREAD", TLS_AT, GOOD_TLS.to_bytes(8, "little"))
    kernel, task = restarted("x86_32", image)
    assert (task.regs["tls0"], task.regs["tls1"]) == (GOOD_TLS, 0)
    kernel.power_off()


def test_a_64_bit_task_has_no_descriptors() -> None:
    image = with_bytes(image_of("x86_64"), "THREAD", TLS_AT, GOOD_TLS.to_bytes(8, "little"))
    assert_refused("x86_64", image, "a 64-bit task with TLS descriptors")


@pytest.mark.parametrize("arch", BOTH)
@pytest.mark.parametrize(
    ("field", "value", "words"),
    [("gdt_entry_tls_entries", 2, "3 TLS"), ("sizeof_tls_array", 16, "3 TLS")],
)
def test_there_are_three(arch: str, field: str, value: int, words: str) -> None:
    assert_refused(arch, patched(image_of(arch), "THREAD", field, lambda old: value), words)


@pytest.mark.parametrize("arch", BOTH)
def test_local_descriptors_are_not_modelled(arch: str) -> None:
    image = image_of(arch)
    assert_refused(arch, patched(image, "MM_CONTEXT", "nldt", lambda old: 1), "LDT entries", ENOSYS)
    assert_refused(arch, patched(image, "MM_CONTEXT", "nldt", lambda old: 8193), "more than 8192")
    assert_refused(
        arch, patched(image, "MM_CONTEXT", "ldt_entry_size", lambda old: 16), "have 8 bytes"
    )
    assert_refused(
        arch, patched(image, "MM_CONTEXT", "vdso", lambda old: 0x1000), "the vdso is not where"
    )


@pytest.mark.parametrize(("field", "name"), [("fs", "fs_base"), ("gs", "gs_base")])
def test_segment_bases(field: str, name: str) -> None:
    image = patched(image_of("x86_64"), "CPU", field, lambda old: 0x7000_0000)
    kernel, task = restarted("x86_64", image)
    assert task.regs[name] == 0x7000_0000
    kernel.power_off()
    outside = patched(image, "CPU", field, lambda old: 1 << 47)
    assert_refused("x86_64", outside, "lies outside of user space")
    kernel, task = restarted("x86_64", patched(image, "CPU", f"{field}index", lambda old: 4))
    assert task.regs[name] == 0  # a selector brings its own base
    kernel.power_off()


def used_math(task: Task) -> None:
    state = bytearray(task.regs.units["fpu"])
    state[160:176] = bytes(range(16))
    task.regs.units = {"fpu": bytes(state)}


@pytest.mark.parametrize("arch", BOTH)
@pytest.mark.parametrize("bit", [16, 17, 31])
def test_reserved_bits_of_mxcsr(arch: str, bit: int) -> None:
    image = image_of(arch, used_math)
    bad = with_bytes(image, "CPU_FPU", MXCSR_AT, (0x1F80 | 1 << bit).to_bytes(4, "little"))
    assert_refused(arch, bad, "has reserved bits")
    good = with_bytes(image, "CPU_FPU", MXCSR_AT, (0xFFFF).to_bytes(4, "little"))
    kernel, task = restarted(arch, good)
    assert task.regs.units["fpu"][24:28] == b"\xff\xff\0\0"
    assert task.regs.units["fpu"][160:176] == bytes(range(16))
    kernel.power_off()


@pytest.mark.parametrize("arch", BOTH)
def test_pointers_of_the_fpu_are_not_believed(arch: str) -> None:
    image = with_bytes(image_of(arch, used_math), "CPU_FPU", RESERVED_AT, b"\xee" * 18)
    kernel, task = restarted(arch, image)
    assert b"\xee" not in task.regs.units["fpu"]
    kernel.power_off()


@pytest.mark.parametrize("arch", BOTH)
@pytest.mark.parametrize(
    ("field", "value"), [("has_fxsr", 0), ("has_xsave", 1), ("xstate_size", 832)]
)
def test_another_floating_point_unit(arch: str, field: str, value: int) -> None:
    image = patched(image_of(arch), "HEADER_ARCH", field, lambda old: value)
    assert_refused(arch, image, "another floating point unit")


def test_flags_of_the_thread_are_only_compared() -> None:
    compat = 1 << 17
    for arch in BOTH:
        image = patched(image_of(arch), "THREAD", "thread_info_flags", lambda old: old | 1)
        assert_refused(arch, image, "unknown thread flags 0x1")
    image = patched(image_of("x86_32"), "THREAD", "thread_info_flags", lambda old: compat)
    assert_refused("x86_32", image, "on a kernel that has only one size")
    image = patched(image_of("x86_64"), "THREAD", "thread_info_flags", lambda old: compat)
    assert_refused("x86_64", image, "a 32-bit task with more than 32 bits")


@pytest.mark.parametrize("arch", BOTH)
@pytest.mark.parametrize("place", [0x10, 0xBFFF_F000])
def test_a_place_without_code_is_the_programs_affair(arch: str, place: int) -> None:
    """The program counter is not checked: a bad one is a fault in user mode."""
    image = patched(image_of(arch), "CPU", "ip", lambda old: place)
    image = patched(image, "CPU", "orig_ax", lambda old: (1 << 64) - 1)
    kernel, task = restarted(arch, image)
    assert kernel.run() is Ended.EXITED and task.exit_code & 0x7F == SIGSEGV
    kernel.power_off()
