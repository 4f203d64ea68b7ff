"""Debian's bash at a terminal: job control, straight and restarted in the middle."""

from __future__ import annotations

import os
import platform
from contextlib import closing
from pathlib import Path

import pytest

from tests.harness.host_pty import CR, HostPty

pytestmark = [pytest.mark.real, pytest.mark.slow]

BASH = ["--root", "/", "--env", "PS1=ready> ", "/bin/bash", "--norc", "--noprofile", "-i"]

# It says when it runs: a key that comes too early is the shell's. And it is no dash: that uses
# vfork, and who stops a child of vfork before it has a program leaves its parent waiting.
LONG = b'bash -c "echo on; sleep 200"'


@pytest.fixture(autouse=True)
def needs_bash() -> None:
    if platform.machine() != "x86_64" or not os.access("/bin/bash", os.X_OK):
        pytest.skip("the host's bash is no x86-64 program")


def test_job_control() -> None:
    with closing(HostPty([*CR, "run", "-t", *BASH])) as host:
        host.expect(b"ready> ")
        host.type(b"stty size; tty\r")
        host.expect(b"33 101\r\n/dev/console\r\nready> ")
        host.type(b"sleep 100 &\r")
        host.expect(b"[1] ")
        host.expect(b"ready> ")
        host.type(LONG + b"\r")
        host.expect(b"on\r\n")
        host.resize(40, 90)
        host.type(b"\x1a")
        host.expect(b"[2]+  Stopped                 " + LONG + b"\r\n")
        host.type(b"jobs; stty size\r")
        host.expect(b"[1]-  Running                 sleep 100 &\r\n")
        host.expect(b"[2]+  Stopped                 " + LONG + b"\r\n40 90\r\nready> ")
        host.type(b"bg\r")
        host.expect(b"[2]+ " + LONG + b" &\r\nready> ")
        host.type(b"fg %2\r")
        host.expect(LONG + b"\r\n")
        host.type(b"\x03")
        host.expect(b"^C")
        host.expect(b"ready> ")
        host.type(b"echo $?; kill %1; wait; exit 5\r")
        host.expect(b"130\r\n")
        assert host.end() == 5
        assert host.settings() == host.before


def test_restarted_in_the_middle(tmp_path: Path) -> None:
    image = tmp_path / "image"
    place = ["--checkpoint-after", "2s", "-o", str(image), "--stop"]
    with closing(HostPty([*CR, "run", "-t", *place, *BASH])) as host:
        host.expect(b"ready> ")
        host.type(b"word=kept; cat\r")
        host.expect(b"cat\r\n")
        host.type(b"one\r")
        host.expect(b"one\r\none\r\n")
        host.type(b"\x1a")
        host.expect(b"Stopped                 cat\r\n")
        host.type(b"sleep 1000\r")
        host.expect(b"sleep 1000\r\n")
        assert host.end() == 0, host.output
    with closing(HostPty([*CR, "restart", "-t", "--root", "/", image], 20, 70)) as host:
        host.wait_raw()
        host.type(b"\x1a")
        host.expect(b"Stopped                 sleep 1000\r\n")
        host.type(b"jobs; echo $word; stty size\r")
        host.expect(b"[1]-  Stopped                 cat\r\n")
        host.expect(b"[2]+  Stopped                 sleep 1000\r\nkept\r\n20 70\r\n")
        host.type(b"fg %1\r")
        host.expect(b"fg %1\r\ncat\r\n")
        host.type(b"two\r")
        host.expect(b"two\r\ntwo\r\n")
        host.type(b"\x04")
        host.expect(b"ready> ")
        host.type(b"kill %2; exit 6\r")
        assert host.end() == 6
