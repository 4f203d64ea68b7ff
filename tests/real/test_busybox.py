"""Debian's busybox-static, unmodified: what it prints under `cr run` is what the host's prints.

The same binary runs twice in the same folder: natively, and in a guest whose root the folder is.
"""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.harness.debian import busybox

pytestmark = [pytest.mark.real, pytest.mark.slow]
MACHINES = {"amd64": "x86_64", "i386": "i686"}
ENVIRONMENT = {"HOME": "/", "PATH": "/usr/bin:/bin"}
AWK_FORMATS = (
    'BEGIN { printf "%.6f %e %5s|%-5d|%x\\n", 3.14159265, 1/3, "ab", 42, 255; print log(2) }'
)
SHELL = "x=3; while [ $x -gt 0 ]; do echo $x; x=$((x-1)); done; exit 7"

COMMANDS = {
    "sha256sum": ["sha256sum", "fruit", "big"],
    "md5sum": ["md5sum", "big"],
    "cksum": ["cksum", "big"],
    "sort": ["sort", "fruit"],
    "sort by number": ["sort", "-k2", "-n", "fruit"],
    "sort backwards": ["sort", "-r", "numbers"],
    "awk matches": ["awk", "/7/ { c += length($0) } END { print c, NR }", "numbers"],
    "awk sums": ["awk", "{ s += $2; n[$1]++ } END { print s, sqrt(s), n[\"apple\"] }", "fruit"],
    "awk formats": ["awk", AWK_FORMATS],
    "cat": ["cat", "fruit", "numbers"],
    "cat nothing": ["cat", "nothing"],
    "cat stdin": ["cat", "-", "fruit"],
    "wc": ["wc", "fruit", "numbers", "big"],
    "wc stdin": ["wc"],
    "ls": ["ls", "-1"],
    "ls all": ["ls", "-a", "sub"],
    "ls types": ["ls", "-F", "-R", "sub"],
    "grep": ["grep", "apple", "fruit"],
    "grep counts": ["grep", "-c", "line 1", "numbers"],
    "grep numbers": ["grep", "-n", "-E", "^(fig|pear)", "fruit"],
    "grep nothing": ["grep", "nothing", "fruit"],
    "sed": ["sed", "s/apple/orange/;2d", "fruit"],
    "tr": ["tr", "a-z", "A-Z"],
    "gzip": ["gzip", "-c", "fruit"],
    "bc": ["bc"],
    "find": ["find", "sub", "-type", "f"],
    "stat": ["stat", "-c", "%s %F %a %n", "fruit", "sub"],
    "hexdump": ["hexdump", "-C", "fruit"],
    "sh": ["sh", "-c", SHELL],
    "expr": ["expr", "3", "*", "4"],
    "date": ["date", "-u", "-d", "@1300000000"],
}  # fmt: skip
STDIN = {"cat stdin": b"from stdin\n", "wc stdin": b"one two\nthree\n", "tr": b"words\n"}
STDIN["bc"] = b"2^100\nscale=20; 1/7\n"


@dataclass(frozen=True)
class Outcome:
    """What a program did, seen from outside."""

    status: int
    stdout: bytes
    stderr: bytes


@pytest.fixture(scope="module", params=MACHINES)
def root(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with files, and /bin/busybox in it."""
    program = busybox(request.param)
    if program is None:
        pytest.skip(f"busybox-static of {request.param} is not installed")
    folder = tmp_path_factory.mktemp(request.param)
    for name in ("bin", "dev", "proc", "sys", "tmp", "sub", "sub/deeper"):
        (folder / name).mkdir()
    shutil.copy(program, folder / "bin" / "busybox")
    (folder / "fruit").write_text("pear 3\napple 10\nfig 2\napple 2\n")
    (folder / "numbers").write_text("".join(f"{k} line {k * k}\n" for k in range(300)))
    (folder / "big").write_bytes(bytes(k * k % 251 for k in range(300_000)))
    (folder / "sub" / "a").write_text("a\n")
    (folder / "sub" / "b").symlink_to("a")
    return folder


def native(root: Path, arguments: list[str], stdin: bytes = b"") -> Outcome:
    """On the host."""
    return _run([str(root / "bin" / "busybox"), *arguments], root, stdin)


def ours(root: Path, arguments: list[str], stdin: bytes = b"") -> Outcome:
    """In a guest."""
    command = [sys.executable, "-m", "cr.cli.main", "run", "--root", str(root), "--max-time", "60s"]
    project = Path(__file__).resolve().parents[2]
    return _run([*command, "/bin/busybox", *arguments], project, stdin)


def _run(command: list[str], folder: Path, stdin: bytes) -> Outcome:
    env = ENVIRONMENT | {k: v for k, v in os.environ.items() if k.startswith("PYTHON")}
    done = subprocess.run(
        command, cwd=folder, input=stdin, env=env, capture_output=True, timeout=120, check=False
    )
    return Outcome(done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize("name", COMMANDS)
def test_as_on_the_host(root: Path, name: str) -> None:
    arguments, stdin = COMMANDS[name], STDIN.get(name, b"")
    assert ours(root, arguments, stdin) == native(root, arguments, stdin)


def test_uname(root: Path) -> None:
    done = ours(root, ["uname", "-a"])
    machine = next(m for name, m in MACHINES.items() if root.name.startswith(name))
    words = done.stdout.split()
    host = native(root, ["uname", "-a"]).stdout.split()
    assert (words[0], words[-1]) == (host[0], host[-1]) == (b"Linux", b"GNU/Linux")
    assert words[2] == b"3.2.0-ckpt-v23" and words[-2].decode() == machine
    assert done.stderr == b""
    for flag in ("-s", "-o"):
        assert ours(root, ["uname", flag]) == native(root, ["uname", flag])


def test_files_that_a_guest_writes_stay_in_the_guest(root: Path, tmp_path: Path) -> None:
    before = sorted(root.rglob("*"))
    script = ["sh", "-c", "echo one > /tmp/new; echo two >> fruit"]
    assert ours(root, script) == Outcome(0, b"", b"")
    assert sorted(root.rglob("*")) == before
    assert b"two" not in (root / "fruit").read_bytes()
