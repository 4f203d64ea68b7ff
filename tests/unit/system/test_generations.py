"""Kernels of other trees: which numbers are whose calls, and what the calls take."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

import cr
from cr.context import Refused
from cr.generations import GENERATIONS, LAST
from cr.image.errors import ImageError
from cr.image.walk import machine_of
from cr.sysctl import ALLOWED
from cr.system import System
from cr.tools.convert import convert, upgrade
from guests.stories import Story, all_stories, find_story
from kernel_model.abi.errno import EINVAL, ENOSYS, EPERM
from kernel_model.syscalls.dispatch import load_numbers
from tests.harness.model import MEMORY_BYTES, disk_with, program_bytes

CALLS = Path(__file__).with_name("calls.c")
OLDER = [name for name in GENERATIONS if name != LAST.name]
# Facts 2.1: checkpoint, restart, and the call that makes a task.
NUMBERS: dict[tuple[str, str], tuple[int, int, int]] = {
    ("v2", "x86_32"): (333, 334, 0),
    ("v13", "x86_32"): (333, 334, 0),
    ("v13", "ppc32"): (319, 320, 0),
    ("v13", "ppc64"): (319, 320, 0),
    ("v18", "x86_32"): (338, 339, 337),
    ("v18", "ppc32"): (323, 324, 325),
    ("v18", "ppc64"): (323, 324, 325),
    ("v20", "x86_32"): (339, 340, 338),
    ("v20", "x86_64"): (301, 302, 300),
    ("v20", "ppc32"): (324, 325, 323),
    ("v20", "ppc64"): (324, 325, 323),
    ("v21", "x86_32"): (339, 340, 338),
    ("v21", "x86_64"): (301, 302, 300),
    ("v21", "ppc32"): (324, 325, 323),
    ("v21", "ppc64"): (324, 325, 323),
    ("v23-rc1", "x86_32"): (342, 343, 341),
    ("v23-rc1", "x86_64"): (304, 305, 303),
    ("v23-rc1", "ppc32"): (346, 347, 345),
    ("v23-rc1", "ppc64"): (346, 347, 345),
    ("v23", "x86_32"): (348, 349, 347),
    ("v23", "x86_64"): (313, 314, 312),
}
STORIES = [story for story in all_stories() if story.name.startswith("generations/self_")]


def results(
    abi: str, arch: str, *calls: str, program_arch: str | None = None, allowed: int | None = None
) -> list[int]:
    """What the calls return on such a kernel; `allowed` is its ckpt_unpriv_allowed."""
    program = program_bytes(CALLS, program_arch or arch, True)
    kernel = cr.boot(arch, disk_with(program), memory_bytes=MEMORY_BYTES, abi=abi)
    if allowed is not None:
        kernel.sysctls.set(ALLOWED, allowed)
    kernel.spawn("/bin/program", *calls)
    kernel.run(max_time_ns=10**9)
    lines = kernel.console.output.decode().split()
    assert kernel.trace.not_modelled == {}
    kernel.power_off()
    return [int(line) for line in lines]


@pytest.mark.parametrize(("abi", "arch"), NUMBERS)
def test_the_numbers_of_a_tree(abi: str, arch: str) -> None:
    checkpoint, restart, clone = NUMBERS[abi, arch]
    # Another number is needed for a flag that none had, and a descriptor that is not there.
    asked = [f"{checkpoint},pid,file,64,-1", f"{restart},pid,99,0,-1", f"{restart},pid,1,64,-1"]
    assert results(abi, arch, *asked) == [-EINVAL.errno, -9, -EINVAL.errno]
    if clone:
        # Neither eclone nor clone_with_pids makes a process in a thread group of another memory.
        assert results(abi, arch, f"{clone},65536") == [-EINVAL.errno]
    elsewhere = {number for row in NUMBERS.values() for number in row if number > 0}
    free = {number for number in elsewhere - set(NUMBERS[abi, arch])}
    last = {load_numbers()[arch][name] for name in ("checkpoint", "restart", "eclone")}
    if abi != LAST.name:
        for number in free & last:
            assert results(abi, arch, f"{number},pid,file,64,-1") == [-ENOSYS.errno]


@pytest.mark.parametrize("abi", ["v2", "v13", "v18"])
def test_a_tree_that_was_not_ported(abi: str) -> None:
    """No x86-64 before v19, nor its 32-bit tasks; in v2 no PowerPC."""
    table = load_numbers()
    for arch in {"x86_64", *(("ppc32", "ppc64") if abi == "v2" else ())}:
        own = [table[arch][name] for name in ("checkpoint", "restart", "eclone")]
        asked = [f"{number},pid,file,64,-1" for number in own]
        assert results(abi, arch, *asked) == [-ENOSYS.errno] * 3
    compat = [table["x86_32"][name] for name in ("checkpoint", "restart", "eclone")]
    asked = [f"{number},pid,file,64,-1" for number in compat]
    assert results(abi, "x86_64", *asked, program_arch="x86_32") == [-ENOSYS.errno] * 3


def test_32_bit_tasks_of_64_bit_kernels_have_their_own_numbers() -> None:
    asked = ("339,pid,file,64,-1", "301,pid,file,64,-1")
    assert results("v20", "x86_64", *asked, program_arch="x86_32")[0] == -EINVAL.errno
    assert results("v13", "ppc64", "319,pid,file,64", program_arch="ppc32") == [-EINVAL.errno]


def test_a_number_belongs_to_the_call_of_its_tree() -> None:
    """333 of x86-32 is preadv since 2.6.30."""
    preadv = "333,0,0,0,0,0"
    assert results("v13", "x86_32", preadv) == [-3]  # there is no task 0
    assert results("v18", "x86_32", preadv) == results("v23", "x86_32", preadv) == [-29]
    # checkpoint in v18, the number of eclone in v20, where size is looked at first.
    assert results("v18", "x86_32", "338,pid,99,1") == [-9]
    assert results("v20", "x86_32", "338,17,0,7,0") == [-EINVAL.errno]


FLAGS = {
    "v2": (0, 0),
    "v13": (0, 0),
    "v18": (1, 1 | 2 | 4),
    "v20": (1, 31),
    "v21": (3, 31),
    "v23-rc1": (3, 31),
    "v23": (3, 31),
}


@pytest.mark.parametrize("abi", GENERATIONS)
def test_the_flags_of_a_tree(abi: str) -> None:
    checkpoint, restart, _ = NUMBERS[abi, "x86_32"]
    taken, begun = FLAGS[abi]
    for bit in (1 << k for k in range(7)):
        unknown = [-EINVAL.errno]
        # The descriptor is looked at behind the flags; restart of pid 0 would wait.
        found = results(abi, "x86_32", f"{checkpoint},pid,99,{bit},-1")
        assert found == ([-9] if bit & taken else unknown), f"checkpoint flag {bit}"
        if bit != 4:  # a ghost's pid is 0
            found = results(abi, "x86_32", f"{restart},pid,99,{bit},-1")
            assert found == ([-9] if bit & begun else unknown), f"restart flag {bit}"


def test_before_v19_there_is_no_log() -> None:
    """A descriptor that is none, where later trees have the log's."""
    for abi, arch in (("v18", "x86_32"), ("v18", "ppc64")):
        checkpoint, _, _ = NUMBERS[abi, arch]
        assert results(abi, arch, f"{checkpoint},pid,file,1,99") == [1]
    checkpoint, _, _ = NUMBERS["v20", "x86_32"]
    assert results("v20", "x86_32", f"{checkpoint},pid,file,1,99") == [-9]


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.abi)
def test_saved_on_one_kernel_restarted_on_the_next(story: Story) -> None:
    for arch in story.arches:
        program = program_bytes(story.path, arch, True)
        kernel = cr.boot(arch, disk_with(program), memory_bytes=MEMORY_BYTES, abi=story.abi)
        assert told(kernel, "take") == story.prints.splitlines()[0]
        kernel = kernel.reboot()
        assert told(kernel, "become") == story.prints.splitlines()[1]
        kernel.power_off()


def told(kernel: System, half: str) -> str:
    """The first line of the story's report after one of its halves."""
    kernel.spawn("/bin/program", half)
    kernel.run(max_time_ns=10**9)
    tmp = kernel.disk.root.entries()[b"tmp"].entries()
    report = tmp[b"report"]
    return report.read(0, report.size).decode().splitlines()[0]


# Who may: (checkpoint, restart) for each value of the sysctl.
PRIVILEGE = {
    "v13": {None: (True, True)},
    "v18": {0: (False, False), 1: (True, True)},
    "v20": {0: (False, False), 1: (True, False), 2: (True, True)},
}


@pytest.mark.parametrize("abi", PRIVILEGE)
def test_who_needs_cap_sys_admin(abi: str) -> None:
    checkpoint, restart, _ = NUMBERS[abi, "x86_32"]
    setuid = "213,1000"
    for allowed, (saves, becomes) in PRIVILEGE[abi].items():
        flag = int(abi != "v13")
        asked = (setuid, f"{checkpoint},pid,99,{flag},-1", f"{restart},pid,99,{flag},-1")
        found = results(abi, "x86_32", *asked, allowed=allowed)
        assert found == [0, *(-9 if may else -EPERM.errno for may in (saves, becomes))]


@pytest.mark.parametrize(("abi", "string"), [("v13", 0), ("v18", 4), ("v20", 5)])
def test_a_failed_checkpoint_says_so_in_the_image(abi: str, string: int) -> None:
    """From v14 on: an ERROR record, and a STRING with the number of that tree."""
    program = program_bytes(CALLS, "x86_32", True)
    kernel = cr.boot("x86_32", disk_with(program), memory_bytes=MEMORY_BYTES, abi=abi)
    # The init, which is not frozen; its descriptors are devices.
    kernel.spawn("/bin/program", f"{NUMBERS[abi, 'x86_32'][0]},1,file,{int(string > 0)},-1")
    kernel.run(max_time_ns=10**9)
    assert int(kernel.console.output) == (-16 if string else -9)
    node = kernel.disk.root.entries()[b"tmp"].entries()[b"image"]
    content = node.read(0, node.size)
    if string:
        mark, size, kind, length = struct.unpack_from("<4I", content)
        assert (mark, size, kind, length) == (9999, 8, string, len(content) - 8)
        assert b"Not frozen" in content
    else:
        assert content == b""


def halfway(abi: str, arch: str = "x86_32", name: str = "basics/counter") -> System:
    """A story in the middle of its run, on a kernel of a tree."""
    story = find_story(name)
    program = program_bytes(story.path, arch, "freestanding" in story.builds)
    kernel = cr.boot(arch, disk_with(program), memory_bytes=MEMORY_BYTES, abi=abi)
    # v2 has no trees: there the program is the only process.
    kernel.spawn("/bin/program", *story.args, as_init=not GENERATIONS[abi].has_trees)
    kernel.run(cr.after_syscalls(4))
    return kernel


def rebooted(kernel: System, abi: str) -> System:
    kernel.power_off()
    return cr.boot(kernel.arch, kernel.disk, memory_bytes=MEMORY_BYTES, abi=abi)


def test_a_pure_image_is_of_the_trees_dialect() -> None:
    whole = halfway("v23")
    before = whole.console.output
    whole.run()
    for abi, generation in GENERATIONS.items():
        kernel = halfway(abi)
        image = kernel.checkpoint(pure=True)
        assert upgrade(image).dialect == generation.dialect
        assert kernel.console.output == before
        for other in GENERATIONS:
            kernel = rebooted(kernel, other)
            if other not in (abi, LAST.name):
                with pytest.raises(ImageError, match=f"{other} restarts its own images alone"):
                    kernel.restart(image)
                continue
            kernel.restart(image)
            kernel.run()
            assert before + kernel.console.output == whole.console.output
        kernel.power_off()


def test_a_whole_machine_goes_on_as_what_it_was() -> None:
    assert machine_of(halfway("v23").checkpoint()) == ""
    assert machine_of(halfway("v23").checkpoint(pure=True)) is None
    kernel = halfway("v13", "ppc32")
    image = kernel.checkpoint()
    assert machine_of(image) == "v13"
    for other in ("v23", "v18"):
        kernel = rebooted(kernel, other)
        with pytest.raises(ImageError, match=f"abi was 'v13', but this kernel's is '{other}'"):
            kernel.restart(image)
    kernel = rebooted(kernel, "v13")
    kernel.restart(image)
    assert kernel.generation == "v13" and kernel.checkpoint() == image
    converted = convert(image, "v13").image
    kernel = rebooted(kernel, "v13")
    kernel.restart(converted)
    kernel.run()
    kernel.power_off()


@pytest.mark.parametrize("abi", OLDER)
def test_which_tree_it_was_is_left_out_of_older_images(abi: str) -> None:
    kernel = halfway(abi)
    converted = convert(kernel.checkpoint(), GENERATIONS[abi].dialect).image
    kernel = rebooted(kernel, abi)
    kernel.restart(converted)
    kernel.power_off()


def test_a_machine_of_the_last_abi_is_not_of_an_older_one() -> None:
    kernel = halfway("v23")
    image = kernel.checkpoint()
    kernel = rebooted(kernel, "v21")
    with pytest.raises(ImageError, match="whose abi was 'v23', but this kernel's is 'v21'"):
        kernel.restart(image)
    kernel.power_off()


def test_what_a_tree_has_no_place_for() -> None:
    kernel = halfway("v13", name="signals/nested")
    with pytest.raises(Refused, match="v13 has no place for signal handlers") as refused:
        kernel.checkpoint(pure=True)
    assert refused.value.errno == ENOSYS.errno
    kernel.checkpoint()
    kernel.power_off()
    kernel = halfway("v18", "x86_64")
    with pytest.raises(Refused, match="v18 has no place for x86_64"):
        kernel.checkpoint(pure=True)
    kernel.power_off()


def test_uname_tells_the_tree() -> None:
    for abi, generation in GENERATIONS.items():
        kernel = halfway(abi)
        assert kernel.nsproxy.uts.release == generation.release.encode()
        assert kernel.reboot().generation == abi
    assert GENERATIONS["v13"].release.startswith("2.6.29")


def test_an_abi_that_is_none() -> None:
    with pytest.raises(ValueError, match="no abi is called 'v3'; there are v2, v13, v18, v20"):
        cr.boot("x86_32", abi="v3")
