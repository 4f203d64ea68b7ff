"""What can be given as PROGRAM, and what cannot: one sentence each."""

from pathlib import Path

import pytest

from cr.cli.failure import Failure
from cr.cli.program import arch_of, find, find_program, install
from guests.stories import GUESTS_FOLDER
from guests.toolchain import build
from kernel_model.vfs.disk import Disk
from tests.harness import tiny_elf as tiny
from tests.unit.cli.conftest import Done, Program, Run


def refused(done: Done, words: str) -> None:
    assert done.status == 2
    assert words in done.stderr
    assert done.stderr.startswith("cr: ") and done.stderr.count("\n") == 1
    assert done.stdout == done.guest_stderr == b""


def test_no_file(command: Run) -> None:
    refused(command("run", "/no/such/program"), "neither in the guest nor here")
    refused(command("run", "x" * 5000), "File name too long")
    refused(command("run", ""), "no regular file")


def test_directory(command: Run, tmp_path: Path) -> None:
    refused(command("run", tmp_path), "no regular file")


@pytest.mark.parametrize(
    "content",
    [b"", b"\x7f", b"\x7fELF", b"#include <stdio.h>\n", b"MZ" + bytes(100)],
    ids=["empty", "one byte", "magic alone", "text", "another format"],
)
def test_not_an_elf(command: Run, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    refused(command("run", path), "ELF file")


def test_every_cut_of_an_elf_is_refused_or_runs(command: Run, tmp_path: Path) -> None:
    whole = tiny.elf(tiny.EXIT_3)
    path = tmp_path / "cut"
    for length in range(0, len(whole), 3):
        path.write_bytes(whole[:length])
        done = command("run", "--max-time", "10us", path)
        if done.status == 2:
            refused(done, "")
        else:
            assert done.status in (124, 132, 135, 139), length


def test_script_with_a_missing_interpreter(command: Run, tmp_path: Path) -> None:
    path = tmp_path / "script"
    path.write_bytes(b"#!/bin/interpreter -x\n")
    refused(command("run", path), "needs /bin/interpreter, which the guest does not have")
    path.write_bytes(b"#!/bin/script\n")
    refused(command("run", path), "too many scripts")


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"machine": tiny.EM_ARM, "bits": 32}, "is for EM_ARM, 32 bits, little-endian"),
        ({"machine": tiny.EM_PPC, "bits": 32}, "is for EM_PPC, 32 bits, little-endian"),
        ({"machine": tiny.EM_X86_64, "bits": 32}, "is for EM_X86_64, 32 bits"),
        ({"interpreter": b"/lib/ld.so"}, "its interpreter /lib/ld.so is missing"),
    ],
)
def test_arches_that_we_do_not_run(
    command: Run, program: Program, how: dict[str, object], words: str
) -> None:
    refused(command("run", program(tiny.EXIT_3, **how)), words)


def test_names_do_not_reach_the_terminal(command: Run, tmp_path: Path) -> None:
    path = tmp_path / "a\n\x1b[2Jb"
    path.write_bytes(b"text")
    refused(command("run", path), r"a\n\x1b[2Jb")


def test_guest_path_comes_first(program: Program) -> None:
    disk = Disk.empty()
    host = program(tiny.EXIT_3, "three")
    assert find_program(disk, host) == b"/bin/three"
    assert find_program(disk, "/bin/three") == b"/bin/three"
    assert arch_of(disk, b"/bin/three") == "x86_64"
    with pytest.raises(Failure, match="neither"):
        find_program(disk, "/bin/four")


@pytest.mark.parametrize(
    ("machine", "bits", "order", "arch"),
    [
        (tiny.EM_386, 32, "<", "x86_32"),
        (tiny.EM_X86_64, 64, "<", "x86_64"),
        (tiny.EM_PPC, 32, ">", "ppc32"),
        (21, 64, ">", "ppc64"),
    ],
)
def test_header_decides_the_arch(
    program: Program, machine: int, bits: int, order: str, arch: str
) -> None:
    disk = Disk.empty()
    host = program(b"", machine=machine, bits=bits, order=order)
    assert arch_of(disk, install(disk, Path(host))) == arch


def test_find_follows_links_and_stays_inside(program: Program) -> None:
    disk = Disk.empty()
    install(disk, Path(program(tiny.EXIT_3, "three")))
    node = find(disk, b"/bin/three")
    assert node is not None

    def link(name: bytes, target: bytes) -> None:
        link = disk.new_node(0o120777)
        link.target = target
        disk.root.entries()[name] = link

    link(b"here", b"bin/../bin")
    link(b"there", b"/../here/three")
    link(b"round", b"round")
    inner = disk.new_node(0o120777)
    inner.target = b"/bin/three"
    disk.root.entries()[b"bin"].entries()[b"absolute"] = inner
    assert find(disk, b"bin/absolute") is node
    assert find(disk, b"here/./three") is node
    assert find(disk, b"/../there") is node
    assert find(disk, b"/round") is None
    assert find(disk, b"/bin/three/x") is None


@pytest.mark.parametrize(("arch", "kernel"), [("x86_32", "x86_64"), ("ppc32", "ppc64")])
def test_a_kernel_with_two_abis(command: Run, tmp_path: Path, arch: str, kernel: str) -> None:
    counter = build(GUESTS_FOLDER / "basics/counter.c", arch, tmp_path / "counter")
    done = command("run", "--kernel", kernel, counter, 2)
    assert (done.status, done.stdout) == (0, b"1\n2\nsum 3\n")
    other = "ppc64" if kernel == "x86_64" else "x86_32"
    refused(command("run", "--kernel", other, counter), f"runs on a kernel for {arch} or {kernel}")
