"""The tool chain: same bytes everywhere, a cache, and the compiler's own words."""

import re
import shutil
from importlib.util import find_spec
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from guests import toolchain
from guests.stories import ARCHES, find_story
from guests.toolchain import LIB_FOLDER, TARGETS, BuildError, build, plan

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_spec("ziglang") is None, reason="ziglang is not installed"),
]
COUNTER = find_story("basics/counter").path
HEADERS = {
    "x86_32": "x86-linux-any/asm/unistd_32.h",
    "x86_64": "x86-linux-any/asm/unistd_64.h",
    "ppc32": "powerpc-linux-any/asm/unistd_32.h",
    "ppc64": "powerpc-linux-any/asm/unistd_64.h",
}


@pytest.mark.parametrize("arch", ARCHES)
def test_programs_are_plain_static_elf(arch: str, tmp_path: Path) -> None:
    program = build(COUNTER, arch, tmp_path / "out" / "counter")
    with program.open("rb") as stream:
        elf = ELFFile(stream)
        machine = {"x86_32": "EM_386", "x86_64": "EM_X86_64", "ppc32": "EM_PPC"}
        assert elf["e_machine"] == machine.get(arch, "EM_PPC64")
        assert elf["e_type"] == "ET_EXEC"
        assert not any(segment["p_type"] == "PT_INTERP" for segment in elf.iter_segments())
        assert elf.get_section_by_name(".note.gnu.build-id") is None


@pytest.mark.parametrize("arch", ARCHES)
def test_same_bytes_in_another_place(arch: str, tmp_path: Path) -> None:
    programs = []
    for place in ("here", "quite/another/place"):
        folder = tmp_path / place
        folder.mkdir(parents=True)
        shutil.copy(COUNTER, folder / "counter.c")
        built = build(folder / "counter.c", arch, folder / "counter", cache=folder / "cache")
        programs.append(built.read_bytes())
    assert programs[0] == programs[1]
    assert str(tmp_path).encode() not in programs[0]
    assert b"/lib/" not in programs[0]


def test_the_runtime_is_compiled_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZIG_GLOBAL_CACHE_DIR", str(tmp_path / "zig"))
    for place in ("here", "there"):
        (tmp_path / place).mkdir()
        story = Path(shutil.copy(COUNTER, tmp_path / place / f"-{place}.c"))
        build(story, "x86_64", tmp_path / place / "program", cache=tmp_path / place)
    objects = [path.name for path in (tmp_path / "zig" / "o").glob("*/*.o")]
    assert [objects.count(name) for name in ("-here.o", "-there.o", "runtime.o")] == [1, 1, 1]


def test_second_build_comes_from_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = build(COUNTER, "x86_64", tmp_path / "a", cache=tmp_path / "cache").read_bytes()

    def no_compiler(*_: object) -> None:
        raise AssertionError("the compiler ran although the program is in the cache")

    monkeypatch.setattr(toolchain, "_compile", no_compiler)
    assert build(COUNTER, "x86_64", tmp_path / "b", cache=tmp_path / "cache").read_bytes() == first
    with pytest.raises(AssertionError, match="the compiler ran"):
        build(COUNTER, "x86_64", tmp_path / "c", True, cache=tmp_path / "other")


def test_cache_folder_of_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert toolchain.default_cache() == tmp_path / "linux-cr" / "guests"


def test_compilers_words(tmp_path: Path) -> None:
    source = tmp_path / "bad.c"
    source.write_text("/* Does not compile. */\nint main(void) { return missing; }\n")
    with pytest.raises(BuildError, match="undeclared identifier 'missing'"):
        build(source, "x86_64", tmp_path / "bad", cache=tmp_path / "cache")
    assert not (tmp_path / "bad").exists()
    assert list((tmp_path / "cache").iterdir()) == []


def test_bad_requests(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="no mode is called 'vax'"):
        build(COUNTER, "vax", tmp_path / "x")
    with pytest.raises(BuildError, match="cannot read the story"):
        build(tmp_path / "absent.c", "x86_64", tmp_path / "x")
    with pytest.raises(BuildError, match="x86_64 cannot have what the story needs: vsx"):
        build(find_story("cpu/vsx").path, "x86_64", tmp_path / "x")


def test_story_chooses_libc_and_instruction_set() -> None:
    flags, sources = plan(find_story("libc/setjmp").path, "ppc64", None)
    assert "-DGUEST_HOSTED" in flags and [path.name for path in sources] == ["setjmp.c", "say.c"]
    flags, _ = plan(find_story("cpu/altivec").path, "ppc32", None)
    assert "-mcpu=7400" in flags and "-nostdlib" in flags
    flags, _ = plan(COUNTER, "ppc32", None)
    assert f"-mcpu={TARGETS['ppc32'].cpu}" in flags and "-nostdlib" in flags


def test_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "counter"
    assert toolchain.main([str(COUNTER), "-a", "x86_64", "-o", str(output)]) == 0
    assert output.stat().st_mode & 0o111
    assert toolchain.main([str(tmp_path / "no.c"), "-a", "x86_64", "-o", str(output)]) == 1
    assert "cannot read the story" in capsys.readouterr().err


LINUX_CR = ("eclone", "checkpoint", "restart")
"""Calls of linux-cr's tree: no header of Linux has them."""


@pytest.mark.parametrize("arch", ARCHES)
def test_system_call_numbers_are_linux_s(arch: str) -> None:
    spec = find_spec("ziglang")
    assert spec is not None and spec.origin is not None
    header = Path(spec.origin).parent / "lib" / "libc" / "include" / HEADERS[arch]
    pairs = re.findall(r"^#define __NR_(\w+)\s+(\d+)$", header.read_text(), re.MULTILINE)
    linux = {name: int(number) for name, number in pairs}
    column = ARCHES.index(arch)
    table = (LIB_FOLDER / "syscall_numbers.h").read_text()
    rows = re.findall(r"^ +N\((\w+), ([-0-9, ]+)\) \\$", table, re.MULTILINE)
    assert len(rows) > 150
    for name, numbers in rows:
        if name in LINUX_CR:
            continue
        assert int(numbers.split(", ")[column]) == linux.get(name, -1), name
