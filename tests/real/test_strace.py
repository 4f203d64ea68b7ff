"""`cr run --trace` of a program, against strace of the same on the host: call by call, result by
result. What may differ is named here, and nothing else differs.

Addresses are taken out, and numbers of processes.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.harness.debian import busybox
from tests.harness.real import ENVIRONMENT, make_root

pytestmark = [pytest.mark.real, pytest.mark.slow]
COMMANDS = {
    "cat": ["cat", "fruit", "nothing"],
    "sort": ["sort", "-r", "fruit"],
    "sed": ["sed", "-i", "s/pear/plum/", "fruit"],
    "mkdir": ["mkdir", "-p", "tmp/a/b"],
    "mv": ["mv", "fruit", "tmp/moved"],
    "cp": ["cp", "fruit", "tmp/copied"],
    "find": ["find", "tmp"],
    "wc": ["wc", "-c", "bin/busybox"],
}
YOUNGER = {"rseq"}
"""Calls that Linux 3.2 does not have: refused with ENOSYS, as docs/SYSCALLS.md says."""
VDSO = {"clock_gettime", "clock_gettime64", "gettimeofday", "time"}
"""The host answers these without a trap; here there is no vDSO that could."""
FALLBACKS = {"statx": "fstatat64"}
"""Such calls, and what the C library tries next: the second one's result is compared."""
OWN_RESULT = {"set_tid_address", "getpid", "readlink", "getuid", "brk", "mmap", "mmap2"}
"""What they answer is the machine's: a pid, an address, the length of a path, who runs the test."""
CREATES_NAME, DRAWN = "O_EXCL", ("getrandom", "8")
"""mkstemp of glibc 2.36 makes its name from the clock, and asks getrandom besides when that number
is among the 4.4% that would not spread evenly over 62 letters (2^64 modulo 62^10): 25 of 400 runs
on the host. A getrandom right before such an open is a matter of the nanosecond, on either side."""
_LINE = re.compile(r"^(?:\[\d+\] |\d+ +)?(\w+)\(.* *= (-?\w+|\?)(?: (E\w+))?")


def calls(text: str) -> list[tuple[str, str]]:
    """(name, errno or result) of each call of a trace."""
    found = []
    for line in text.splitlines():
        match = _LINE.match(line.split(" (")[0] if " = -1 " in line else line)
        if match is None or match[1] in VDSO | {"execve", "exit_group"}:
            continue
        name, result, errno = match.groups()
        if name in YOUNGER:
            result, errno = "younger", None
        elif name in OWN_RESULT and not errno:
            result = "own"
        elif result.startswith("0x"):
            result = str(int(result, 16))
        elif name == "umask":
            result = str(int(result, 8 if result.startswith("0") else 10))
        if found and FALLBACKS.get(found[-1][0]) == name and found[-1][1] == "ENOSYS":
            name = found.pop()[0]
        if name.startswith("open") and CREATES_NAME in line and found[-1:] == [DRAWN]:
            found.pop()
        found.append((name, errno or result))
    return found


def _root(architecture: str, folder: Path) -> Path:
    program = busybox(architecture)
    if program is None or shutil.which("strace") is None:
        pytest.skip("busybox-static or strace is not installed")
    folder.mkdir()
    shutil.copy(program, make_root(folder) / "bin" / "busybox")
    (folder / "fruit").write_text("pear 3\napple 10\nfig 2\n")
    return folder


@pytest.mark.parametrize("architecture", ["amd64", "i386"])
@pytest.mark.parametrize("name", COMMANDS)
def test_same_calls(architecture: str, name: str, tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    # stdout is no pipe: the guest's is a device, and libc asks devices whether they are terminals.
    # The model's root is never written: the host's turn, which changes its folder, is last.
    root = _root(architecture, tmp_path / "root")
    project = Path(__file__).resolve().parents[2]
    command = [sys.executable, "-m", "cr.cli.main", "run", "--root", str(root), f"--trace={ours}"]
    subprocess.run(
        [*command, "/bin/busybox", *COMMANDS[name]],
        cwd=project,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=60,
        check=False,
    )
    subprocess.run(
        ["strace", "-o", str(theirs), str(root / "bin" / "busybox"), *COMMANDS[name]],
        cwd=root,
        env=ENVIRONMENT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=60,
        check=False,
    )
    expected = calls(theirs.read_text())
    assert len(expected) > 10
    assert calls(ours.read_text()) == expected


def test_a_name_from_the_clock() -> None:
    """glibc's two ways to a temporary name are one; a getrandom elsewhere counts."""
    opened = 'openat(AT_FDCWD, "fruitGSiAlj", O_RDWR|O_CREAT|O_EXCL, 0600) = 3'
    drawn = 'getrandom("\\x68\\x0e\\x31\\x03\\x94\\xd9\\x14\\x30", 8, GRND_NONBLOCK) = 8'
    read = 'openat(AT_FDCWD, "fruit", O_RDONLY) = 4'
    assert calls(f"{drawn}\n{opened}\n") == calls(f"{opened}\n") == [("openat", "3")]
    assert calls(f"{drawn}\n{read}\n") == [("getrandom", "8"), ("openat", "4")]
