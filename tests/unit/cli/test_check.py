"""`cr check`: when a program could be checkpointed, and when not."""

import json
from pathlib import Path

import pytest

from guests.stories import GUESTS_FOLDER
from guests.toolchain import build
from tests.unit.cli.conftest import Run


def built(story: str, arch: str, folder: Path) -> Path:
    return build(GUESTS_FOLDER / f"{story}.c", arch, folder / "program", freestanding=True)


@pytest.mark.parametrize("arch", ["x86_32", "ppc64"])
def test_it_names_the_call_and_the_reason(command: Run, tmp_path: Path, arch: str) -> None:
    done = command("check", built("checkpoint/asks", arch, tmp_path))
    first, second, flag, _ = done.stderr.splitlines()
    assert "unlink of task 2: cannot be checkpointed" in first
    assert first.endswith("an open device was unlinked")
    assert "close of task 2: can be checkpointed again" in second
    assert flag.startswith("PF_NOCR would mark task 2 from call ") and flag.endswith("for ever")
    assert done.status == 3


def test_what_linux_cr_alone_could_not(command: Run, tmp_path: Path) -> None:
    program = built("time/posix_timer", "x86_64", tmp_path)
    assert command("check", program).status == 0
    done = command("check", "--pure", "--json", program)
    report = json.loads(done.stderr)
    assert report["changes"][0]["name"] == "timer_create"
    assert report["changes"][0]["reason"].endswith("and the image is to be pure")
    assert report["marked"] == {"2": report["changes"][0]["call"]}
    assert done.status == 3


def test_the_mark_is_inherited(command: Run, tmp_path: Path) -> None:
    source = tmp_path / "family.c"
    source.write_text(
        '/* A child of a process that once had a POSIX timer. */\n#include "guest.h"\n'
        "int main(void)\n{\n    int timer;\n"
        "    check(raw_syscall(NR_timer_create, 1, 0, (long)&timer, 0, 0, 0) == 0);\n"
        "    check(raw_syscall(NR_timer_delete, timer, 0, 0, 0, 0, 0) == 0);\n"
        "    pid_t child = fork();\n    if (child == 0) {\n        cr_point();\n"
        "        _exit(0);\n    }\n    waitpid(child, NULL, 0);\n    return 0;\n}\n"
    )
    program = build(source, "x86_64", tmp_path / "family", freestanding=True)
    report = json.loads(command("check", "--pure", "--json", program).stderr)
    assert [change["reason"] == "" for change in report["changes"]] == [False, True]
    assert set(report["marked"]) == {"2", "3"}


def test_the_mark_is_inherited_at_birth_only(command: Run, tmp_path: Path) -> None:
    source = tmp_path / "family.c"
    source.write_text(
        '/* Its child is older than its POSIX timer. */\n#include "guest.h"\n'
        "int main(void)\n{\n    int timer, ends[2];\n    check(pipe(ends) == 0);\n"
        "    pid_t child = fork();\n    if (child == 0) {\n        char byte;\n"
        "        read(ends[0], &byte, 1);\n        _exit(0);\n    }\n"
        "    check(raw_syscall(NR_timer_create, 1, 0, (long)&timer, 0, 0, 0) == 0);\n"
        '    write(ends[1], "x", 1);\n    waitpid(child, NULL, 0);\n    return 0;\n}\n'
    )
    program = build(source, "x86_64", tmp_path / "family", freestanding=True)
    report = json.loads(command("check", "--pure", "--json", program).stderr)
    assert set(report["marked"]) == {"2"}


def test_a_program_without_sin(command: Run, tmp_path: Path) -> None:
    done = command("check", built("basics/counter", "ppc32", tmp_path), 2)
    assert done.stderr.startswith("could be checkpointed after every call\n")
    assert done.status == 0
