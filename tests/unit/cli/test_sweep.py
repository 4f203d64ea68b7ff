"""`cr sweep` and `cr verify` as commands: what they print, what they write, how they end."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree

import pytest

import cr.cli.sweep as sweep_command
import cr.restart
from cr.context import Refused
from cr.system import System
from kernel_model.task import Task
from tests.harness import tiny_elf as tiny
from tests.harness.native import as_usual
from tests.unit.cli.conftest import Program, Run

LINES = b"".join(tiny.say(b"line %d\n\n" % k) for k in range(5)) + tiny.EXIT_3
FOREVER = b"\xeb\xfe"


def test_all_equal(command: Run, program: Program, tmp_path: Path) -> None:
    files = [tmp_path / f"report{end}" for end in (".txt", ".json", ".xml", ".html")]
    options = [word for file in files for word in ("--report", file)]
    done = command("sweep", *options, program(LINES))
    assert done.status == 0, done.stderr
    assert "6 places, 6 restarted, 0 divergences, 0 refused" in done.stderr
    text, told, junit, html = (file.read_text() for file in files)
    assert text == done.stderr
    assert json.loads(told)["places"] == 6 and json.loads(told)["divergences"] == []
    suite = ElementTree.fromstring(junit)
    assert (suite.get("tests"), suite.get("failures")) == ("1", "0")
    assert "6 places, 6 restarted" in html


@pytest.mark.parametrize(
    ("options", "places"),
    [
        (("--every", "syscall:2"), 3),
        (("--every", "block:1"), 10),
        (("--every", "time:20ns"), 5),
        (("--only", "3"), 1),
        (("--shard", "1/2"), 3),
        (("--shard", "2/2"), 3),
    ],
)
def test_which_places(
    command: Run, program: Program, options: tuple[str, ...], places: int
) -> None:
    done = command("sweep", *options, program(LINES))
    assert done.status == 0, done.stderr
    found = int(done.stderr.split(" places,")[0].split()[-1])
    assert found == places or (options[1] == "block:1" and found >= 5)


@pytest.mark.slow
def test_several_processes(command: Run, program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep_command, "_PLACES_AT_ONCE", 2)
    done = command("sweep", "--jobs", "2", program(LINES))
    assert done.status == 0, done.stderr
    assert "6 places, 6 restarted, 0 divergences" in done.stderr


@pytest.fixture
def planted(monkeypatch: pytest.MonkeyPatch) -> None:
    install = cr.restart.install

    def wrong(task: Task, parts: object) -> None:
        install(task, parts)  # type: ignore[arg-type]
        task.regs.words[task.abi.arguments[5]] += 1

    monkeypatch.setattr(cr.restart, "install", wrong)


@pytest.mark.usefixtures("planted")
def test_a_divergence(
    command: Run, program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    kept, report = tmp_path / "kept", tmp_path / "r.xml"
    path = program(LINES)
    done = command("sweep", "--keep", kept, "--report", report, path)
    assert done.status == 1
    assert "6 divergences" in done.stderr
    assert "place 2, the restarted kernel is another one" in done.stderr
    assert "register " in done.stderr and "expected 0x0, found 0x1" in done.stderr
    repeat = (kept / "place-000002" / "repeat.txt").read_text().split()
    assert repeat == ["cr", "sweep", "--every", "syscall:1", "--only", "2", str(path)]
    assert command(*repeat[1:]).status == 1
    folder = kept / "place-000002"
    assert sorted(file.name for file in folder.iterdir()) == [
        "divergence.txt",
        "image",
        "image.disk.tar",
        "repeat.txt",
        "trace.txt",
    ]
    assert "restarted run" in (folder / "trace.txt").read_text()
    suite = ElementTree.fromstring(report.read_text())
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("7", "6", "0")
    assert {case.get("classname") for case in suite} == {"cr.sweep.x86_64.p"}
    assert command("info", folder / "image").status == 0


@pytest.mark.usefixtures("planted")
def test_what_was_found_is_told_even_if_it_cannot_be_kept(
    command: Run, program: Program, tmp_path: Path
) -> None:
    report = tmp_path / "r.json"
    done = command("sweep", "--keep", "/dev/null/kept", "--report", report, program(LINES))
    assert done.status == 2
    assert "6 divergences" in done.stderr and json.loads(report.read_text())["divergences"]
    assert done.stderr.endswith(
        "\ncr: /dev/null/kept: the evidence cannot be kept: Not a directory\n"
    )


def test_junit_has_no_place_for_control_characters(
    command: Run, program: Program, tmp_path: Path
) -> None:
    report = tmp_path / "r.xml"
    assert command("sweep", "--report", report, program(LINES), "\x01\x1b[1m").status == 0
    assert "??[1m" in (ElementTree.fromstring(report.read_text()).get("name") or "")


@pytest.mark.slow
def test_ctrl_c_reaches_the_caller_alone(program: Program, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "cr.cli.main", "sweep", "--jobs", "2", "--every", "block:1"]
    sweeping = subprocess.Popen(
        [*command, program(tiny.say(b"go on!\n\n") * 2000 + tiny.EXIT_3)],
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=as_usual,
    )
    stat = Path(f"/proc/{sweeping.pid}/task/{sweeping.pid}/children")
    while len(stat.read_text().split()) < 3:  # the tracker of semaphores, and two that work
        assert sweeping.poll() is None
        time.sleep(0.01)
    time.sleep(0.2)
    os.killpg(sweeping.pid, signal.SIGINT)
    _, told = sweeping.communicate(timeout=60)
    assert (sweeping.returncode, told) == (130, "cr: interrupted\n")
    with pytest.raises(ProcessLookupError):  # none of them is left
        for _ in range(1000):
            os.killpg(sweeping.pid, 0)
            time.sleep(0.01)


def test_refusals(command: Run, program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: System, *, pure: bool = False) -> bytes:
        raise Refused(16, "the test does not want it")

    monkeypatch.setattr(System, "checkpoint", refuse)
    done = command("sweep", program(LINES))
    assert done.status == 3
    assert "refused 6 times, first at place 1: the test does not want it" in done.stderr


def test_never_ends(command: Run, program: Program) -> None:
    done = command("sweep", "--max-time", "1ms", program(FOREVER))
    assert done.status == 124
    assert "does not end" in done.stderr


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--every", "now"), "none of syscall"),
        (("--every", "block:0"), "none of syscall"),
        (("--every", "syscall:-1"), "none of syscall"),
        (("--every", "time:0"), "no time such as"),
        (("--every", "time:1h"), "no time such as"),
        (("--every", "time:900s"), "there is no place of --every time:900000000000ns in this run"),
        (("--shard", "3/2"), "no shard"),
        (("--shard", "0/2"), "no shard"),
        (("--shard", "1"), "no shard"),
        (("--only", "99"), "there is no place 99 of --every syscall:1 in this run"),
        (("--only", "0"), "not in the range"),
        (("--jobs", "0"), "not in the range"),
        (("--bogus",), "No such option"),
        (("--only", "1", "--jobs", "2"), "make no sense"),
        (("--report", "x.pdf"), "a report ends in one of"),
        (("--report", "/dev/full/x.xml"), "there is no folder /dev/full"),
    ],
)
def test_bad_input(command: Run, program: Program, options: tuple[str, ...], sentence: str) -> None:
    done = command("sweep", *options, program(LINES))
    assert done.status == 2
    assert sentence in done.stderr
    assert done.stderr.count("\n") == 1 and done.stderr.startswith("cr: ")


@pytest.mark.slow
def test_verify(command: Run, program: Program) -> None:
    done = command("verify", program(LINES))
    assert done.status == 0, done.stderr
    assert "exit status 3" in done.stderr and "equal at every one" in done.stderr


@pytest.mark.slow
def test_nobody_reads(program: Program) -> None:
    there, here = os.pipe()
    os.close(there)
    command = [sys.executable, "-m", "cr.cli.main", "sweep", program(LINES)]
    done = subprocess.run(command, stdout=here, stderr=subprocess.PIPE, text=True, check=False)
    os.close(here)
    assert (done.returncode, done.stderr) == (141, "cr: nobody reads the output any more\n")


@pytest.mark.slow
def test_verify_of_what_never_ends(command: Run, program: Program) -> None:
    done = command("verify", "--max-time", "1us", program(FOREVER))
    assert done.status == 124
    assert "had not ended by then" in done.stderr and "equal at every one" in done.stderr
    assert "exit status" not in done.stderr
