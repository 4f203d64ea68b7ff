"""`cr run`: exit statuses, options, and where everything goes."""

import io
import os
import re
import tarfile
from pathlib import Path

import pytest

from guests.toolchain import build
from tests.harness import tiny_elf as tiny
from tests.unit.cli.conftest import Program, Run


def test_status_and_output_are_the_guests(command: Run, program: Program) -> None:
    done = command("run", program(tiny.say(b"hello 3\n") + tiny.EXIT_3))
    assert (done.status, done.stdout, done.stderr) == (3, b"hello 3\n", "")


def test_status_of_a_signal(command: Run, program: Program) -> None:
    done = command("run", program(tiny.CRASH))
    assert (done.status, done.stdout) == (139, b"")
    assert done.stderr == "cr: the program was ended by SIGSEGV\n"


def test_what_was_asked_for_in_vain_is_said_after_a_crash(command: Run, program: Program) -> None:
    done = command("run", program(tiny.NOT_MODELLED + tiny.CRASH))
    assert done.status == 139
    assert "in vain, 1 times: system call ptrace is not modelled" in done.stderr
    assert command("run", program(tiny.NOT_MODELLED + tiny.EXIT_3)).stderr == ""


def test_most_time(command: Run, program: Program) -> None:
    done = command("run", "--max-time", "3us", program(tiny.SPIN))
    assert done.status == 124
    assert done.stderr.startswith("cr: --max-time reached at 300")


def test_waiting_for_ever(command: Run, program: Program) -> None:
    done = command("run", program(tiny.PAUSE))
    assert done.status == 124
    assert "waits in pause" in done.stderr and done.stderr.count("\n") == 1


def test_input(command: Run, program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = os.pipe()
    os.write(writer, b"some words")
    os.close(writer)
    saved = os.dup(0)
    os.dup2(reader, 0)
    try:
        done = command("run", program(tiny.echo(4)))
    finally:
        os.dup2(saved, 0)
        os.close(saved)
        os.close(reader)
    assert (done.status, done.stdout) == (0, b"some words")


def test_trace_on_stderr_and_in_a_file(command: Run, program: Program, tmp_path: Path) -> None:
    path = program(tiny.say(b"hello 3\n") + tiny.EXIT_3)
    lines = r"write\(1, 0x[0-9a-f]+, 8\) = 8\nexit\(3\) = \?\n"
    done = command("run", "--trace", path)
    assert done.status == 3
    assert re.fullmatch(lines, done.stderr)
    done = command("run", f"--trace={tmp_path}/log", path)
    assert done.stderr == ""
    assert re.fullmatch(lines, (tmp_path / "log").read_text())


def test_trace_behind_the_program_is_the_programs(command: Run, program: Program) -> None:
    done = command("run", program(tiny.EXIT_3), "--trace", "-x", "--help")
    assert (done.status, done.stderr) == (3, "")
    last = bytes.fromhex("488b742410 0fb67e07") + tiny.EXIT_0[2:]  # exit(argv[1][7])
    assert command("run", program(last), "--trace").status == 0


def test_disk_is_written_at_exit_and_read_at_boot(
    command: Run, program: Program, tmp_path: Path
) -> None:
    disk = tmp_path / "disk.tar"
    assert command("run", "--disk", disk, program(tiny.EXIT_3)).status == 3
    first = disk.read_bytes()
    with tarfile.open(fileobj=io.BytesIO(first)) as tar:
        assert {"bin", "bin/p", "dev", "proc", "tmp"} <= {
            name.lstrip("./") for name in tar.getnames()
        }
    (tmp_path / "p").unlink()
    assert command("run", "--disk", disk, "/bin/p").status == 3
    assert disk.read_bytes() == first
    assert [path.name for path in tmp_path.iterdir()] == ["disk.tar"]


def test_root_is_read_and_not_written(command: Run, program: Program, tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "sbin").mkdir(parents=True)
    Path(program(tiny.EXIT_3)).rename(root / "sbin" / "three")
    (root / "sbin" / "three").chmod(0o755)
    before = sorted(root.rglob("*"))
    done = command("run", "--root", root, "--disk", tmp_path / "d.tar", "/sbin/three")
    assert done.status == 3
    assert sorted(root.rglob("*")) == before
    with tarfile.open(tmp_path / "d.tar") as tar:
        assert not any("three" in name for name in tar.getnames())


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--stop"], "--stop is for --checkpoint-after"),
        (["--checkpoint-after", "3syscalls"], "need one another"),
        (["-o", "image"], "need one another"),
        (["--checkpoint-after", "0syscalls", "-o", "i"], "nothing to checkpoint after 0"),
        (["--checkpoint-after", "3", "-o", "i"], "no place such as"),
        (["--max-time", "soon"], "no time such as"),
        (["--max-time", "0s"], "too short"),
        (["--max-time", "99999999999s"], "too long"),
        (["--date", "yesterday"], "no date such as"),
        (["--date", "1969-12-31"], "before 1970"),
        (["--env", "NAME"], "not NAME=VALUE"),
        (["--env", "=x"], "not NAME=VALUE"),
        (["--memory", "0"], "not in the range"),
        (["--seed", "-1"], "not in the range"),
        (["--disk", "/no/such/folder/d.tar"], "no folder /no/such/folder"),
        (["--disk", "/"], "it is a directory"),
        (["--root", "/no/such/folder"], "No such file or directory"),
        (["--trace=/no/such/folder/x"], "cannot be written: No such file"),
    ],
)
def test_options_that_make_no_sense(
    command: Run, program: Program, options: list[str], words: str
) -> None:
    done = command("run", *options, program(tiny.EXIT_3))
    assert done.status == 2
    assert words in " ".join(done.stderr.split())


def test_a_disk_that_is_none(command: Run, program: Program, tmp_path: Path) -> None:
    path = program(tiny.EXIT_3)
    for number, content in enumerate((b"x" * 600, b"\0" * 100, tiny.elf(tiny.SPIN))):
        disk = tmp_path / f"{number}.tar"
        disk.write_bytes(content)
        done = command("run", "--disk", disk, path)
        assert done.status == 2 and done.stderr.count("\n") == 1, done
        assert disk.read_bytes() == content


def test_little_memory(command: Run, program: Program) -> None:
    done = command("run", "--memory", "1", program(tiny.EXIT_3))
    assert done.status == 3


def test_date_and_seed_reach_the_guest(command: Run, program: Program) -> None:
    code = bytes.fromhex("31ff b8c9000000 0f05 89c7") + tiny.EXIT_0[2:]  # exit(time(NULL))
    done = command("run", "--date", "1970-01-01T00:00:42Z", program(code))
    assert done.status == 42
    done = command("run", "--date", "1970-01-01T00:01:00+00:00", program(code))
    assert done.status == 60


def test_environment(command: Run, program: Program) -> None:
    # The third of the variables comes behind HOME and PATH; its first letter is the status.
    code = bytes.fromhex("488b742428 0fb63e") + tiny.EXIT_0[2:]  # rsi = [rsp+40]; exit(*rsi)
    path = program(code)
    assert command("run", "--env", "Zoo=1", path).status == ord("Z")
    assert command("run", "--env", "Zoo=1", "--env", "PATH=", path).status == ord("Z")


_EXEC_FROM_THREAD = """
#include <pthread.h>
#include <unistd.h>
static void *execute(void *unused) { execl("/proc/self/exe", "again", "4", NULL); return unused; }
int main(int argc, char **argv) {
    pthread_t thread;
    if (argc > 1)
        return 4;
    pthread_create(&thread, NULL, execute, NULL);
    return pthread_join(thread, NULL);
}
"""


def test_status_of_a_program_that_another_thread_executes(command: Run, tmp_path: Path) -> None:
    source = tmp_path / "threads.c"
    source.write_text(_EXEC_FROM_THREAD)
    path = build(source, "x86_64", tmp_path / "threads", False, story_only=False)
    done = command("run", path)
    assert (done.status, done.stderr) == (4, "")
