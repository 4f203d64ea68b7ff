"""`cr verify` finds what was planted in one of the processes, and names it."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

import cr.testing.verify as verifying
from cr.cli.main import cr as command
from cr.testing.chain import make
from cr.testing.subject import Subject
from guests.stories import ARCHES
from guests.toolchain import build
from tests.harness.planted import REGISTERS

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = r"""
#include "guest.h"

int planted_here[4000];

int main(void)
{
    int there[2], number = 0;
    check(pipe(there) == 0);
    for (int child = 0; child < 3; child++)
        if (fork() == 0) {
            for (int i = 0; i < 4; i++) {
                planted_here[0]++;
                check(write(there[1], &i, sizeof i) == sizeof i);
            }
            _exit(0);
        }
    close(there[1]);
    while (read(there[0], &number, sizeof number) == sizeof number)
        planted_here[1] += number;
    say("sum %d\n", planted_here[1]);
    return 0;
}
"""

each_arch = pytest.mark.parametrize(
    "arch",
    ["x86_64", "ppc32", *(pytest.param(a, marks=pytest.mark.nightly) for a in ("x86_32", "ppc64"))],
)


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("verify")
    source = folder / "program.c"
    source.write_text(PROGRAM)
    return {
        arch: build(source, arch, folder / arch, True, story_only=False, stripped=False)
        for arch in ARCHES
    }


def verified(
    monkeypatch: pytest.MonkeyPatch, program: Path, plant: str | None
) -> tuple[int, list[str]]:
    if plant is not None:
        main = f"import sys; sys.path.insert(0, {str(ROOT)!r}); "
        main += f"from tests.harness.planted import run; run({plant!r})"
        monkeypatch.setattr(verifying, "_MAIN", main)
    done = CliRunner().invoke(command, ["verify", str(program)])
    assert done.exception is None or isinstance(done.exception, SystemExit)
    return done.exit_code, done.output.splitlines()


@pytest.mark.slow
@each_arch
def test_nothing_is_found_where_nothing_is(
    arch: str, programs: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    status, lines = verified(monkeypatch, programs[arch], None)
    assert status == 0, lines
    assert lines[-1].startswith("equal at every one of them")


PLANTED = {
    "register": (
        r"  task 3, at \d+ ns: write\(.*",
        r"  task 3: register {register}: expected 0x[0-9a-f]+, found 0x[0-9a-f]+",
        r"  task 3 is at 0x[0-9a-f]+ \w+\+0x[0-9a-f]+",
        r"    -> 0x[0-9a-f]+  \w+.*",
    ),
    "byte": (
        r"  task 3, at \d+ ns: exit_group\(.*",
        r"  in or after exit_group\(.*, system call \d+",
        r"  task 3: memory, byte 0x[0-9a-f]+ \(planted_here\+0x3\) of .*: expected 0x0.,"
        r" found 0x2[ab] \(1 bytes of the page\)",
        r"  task 3 is at 0x[0-9a-f]+ \w+(\+0x[0-9a-f]+)?",
    ),
    "order": (
        r"  task 5: event: expected wait4\(.*\(task 1, at \d+ ns\), found write\(.*\(task 5, .*",
        r"  machine: expected running \[1, 3, 4, 5\] .*, found running \[5, 4, 1, 3\] .*",
    ),
}


@pytest.mark.slow
@each_arch
@pytest.mark.parametrize("plant", PLANTED)
def test_what_is_planted_is_named(
    plant: str, arch: str, programs: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The task, the call, the register or the byte with its variable, and the code around it."""
    status, lines = verified(monkeypatch, programs[arch], plant)
    assert status == 1, lines
    assert not any(line.startswith("pure Python") for line in lines)
    assert any(line.startswith("accelerated, hash seed 2: another run") for line in lines)
    for wanted in PLANTED[plant]:
        pattern = wanted.replace("{register}", REGISTERS[arch][0])
        assert any(re.fullmatch(pattern, line) for line in lines), (pattern, lines)


def test_the_chain_is_of_all_that_came_before(programs: dict[str, Path]) -> None:
    """Where two runs part is found from the hashes of their links alone."""
    chain = make(Subject(str(programs["x86_64"])))
    assert len({link.chain for link in chain.links}) == len(chain.links) > 60
    assert chain.parts_from(chain) is None
    for position in (0, 17, len(chain.links) - 1):
        changed = [replace(link, chain="") for link in chain.links[position:]]
        other = replace(chain, links=(*chain.links[:position], *changed))
        assert chain.parts_from(other) == other.parts_from(chain) == position
    shorter = replace(chain, links=chain.links[:9])
    assert chain.parts_from(shorter) == shorter.parts_from(chain) == 9
    assert chain.parts_from(replace(chain, status=1)) == len(chain.links)
    assert chain.parts_from(replace(chain, console=())) == len(chain.links)


def test_a_link_far_on_has_its_call(programs: dict[str, Path]) -> None:
    chain = make(Subject(str(programs["ppc64"])), 20)
    assert len(chain.links) == 20 and chain.moment is not None
    call, number = chain.call_at(19)
    assert call.startswith("write(0x4") and number == sum(link.enters for link in chain.links)
