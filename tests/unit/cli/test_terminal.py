"""cr run -t: keys, signals and sizes go to the guest, and the host's terminal is put right."""

from __future__ import annotations

import fcntl
import os
import pty
import signal
import struct
import subprocess
import termios
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from cr.cli.host_terminal import HostTerminal
from kernel_model.console import Console
from tests.harness.host_pty import CR, HostPty
from tests.harness.tiny_elf import PAUSE
from tests.harness.tiny_tasks import pausing
from tests.unit.cli.conftest import Program, Run

# Copy the input to the output in lines; at its end exit with 7.
CAT = bytes.fromhex(
    "4881ec80000000 31ff 4889e6 ba64000000 31c0 0f05 85c0 7e10"
    "89c2 bf01000000 b801000000 0f05 ebde bf07000000 b83c000000 0f05"
)
SPIN = bytes.fromhex("ebfe")


@pytest.fixture
def ends() -> Iterator[tuple[int, int]]:
    master, slave = pty.openpty()
    yield master, slave
    os.close(master)
    os.close(slave)


@pytest.mark.slow
def test_lines_and_the_end_of_file(program: Program) -> None:
    with closing(HostPty([*CR, "run", "-t", program(CAT)])) as host:
        host.wait_raw()
        host.type(b"hellp\x7fo\r")
        host.expect(b"hellp\b \bo\r\nhello\r\n")
        host.type(b"\x04")
        assert host.end() == 7
        assert host.settings() == host.before


@pytest.mark.slow
@pytest.mark.parametrize("code", [CAT, SPIN])
def test_ctrl_c_is_the_guests(program: Program, code: bytes) -> None:
    with closing(HostPty([*CR, "run", "-t", program(code)])) as host:
        host.wait_raw()
        host.type(b"\x03")
        assert host.end() == 130
        assert b"^C" in host.output and b"ended by SIGINT" in host.output
        assert host.settings() == host.before


@pytest.mark.slow
@pytest.mark.parametrize("signo", [signal.SIGTERM, signal.SIGHUP])
def test_settings_come_back_when_we_are_killed(program: Program, signo: int) -> None:
    with closing(HostPty([*CR, "run", "-t", program(PAUSE)])) as host:
        host.wait_raw()
        host.process.send_signal(signo)
        assert host.end() == -signo
        assert host.settings() == host.before


@pytest.mark.slow
def test_without_a_terminal_of_the_host(program: Program) -> None:
    done = subprocess.run(
        [*CR, "run", "-t", program(CAT)], input=b"one\ntwo\n", capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (7, b"")
    assert done.stdout == b"one\r\ntwo\r\none\r\ntwo\r\n"


@pytest.mark.slow
def test_restarted_with_the_terminal(program: Program, tmp_path: Path) -> None:
    image = tmp_path / "image"
    place = ["--checkpoint-after", "1syscalls", "-o", str(image), "--stop"]
    with closing(HostPty([*CR, "run", "-t", *place, program(CAT)])) as host:
        host.wait_raw()
        host.type(b"one\rtwo\rha")
        assert host.end() == 0
        assert host.settings() == host.before and b"taken after 1 system calls" in host.output
    with closing(HostPty([*CR, "restart", "-t", image])) as host:
        host.expect(b"one\r\n")
        host.expect(b"two\r\n")
        host.type(b"lf\r")
        host.expect(b"half\r\n")
        host.type(b"\x04")
        assert host.end() == 7


def test_an_image_without_a_terminal(command: Run, program: Program, tmp_path: Path) -> None:
    image = tmp_path / "image"
    place = ["--checkpoint-after", "1us", "-o", image, "--stop"]
    assert command("run", *place, program(SPIN)).status == 0
    done = command("restart", "-t", image)
    assert done.status == 2 and "no program of the image has a terminal" in done.stderr


def test_settings_come_back_after_a_failure(ends: tuple[int, int]) -> None:
    _, slave = ends
    before = termios.tcgetattr(slave)
    handlers = [signal.getsignal(signo) for signo in (signal.SIGTERM, signal.SIGWINCH)]
    host = HostTerminal(slave, slave, slave)
    with pytest.raises(ZeroDivisionError), host.raw():
        assert not termios.tcgetattr(slave)[3] & termios.ECHO
        raise ZeroDivisionError
    assert termios.tcgetattr(slave) == before
    assert [signal.getsignal(s) for s in (signal.SIGTERM, signal.SIGWINCH)] == handlers


def test_sizes_go_to_the_guest(ends: tuple[int, int]) -> None:
    _, slave = ends
    kernel, _ = pausing("x86_64")
    kernel.console = Console()
    tty = kernel.console.new_terminal(kernel)
    host = HostTerminal(slave, slave, slave)
    host.serve(tty)
    assert tty.window == (24, 80, 0, 0)  # a window of no size is no window
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("4H", 50, 132, 0, 0))
    with host.raw():
        signal.raise_signal(signal.SIGWINCH)
        assert host.person(0) is None
    assert tty.window == (50, 132, 0, 0)


def test_what_a_person_types(ends: tuple[int, int]) -> None:
    master, slave = ends
    host = HostTerminal(slave, slave, slave)
    with host.raw():
        assert host.person(1000) is None
        os.write(master, b"\x03")
        assert host.person(None) == b"\x03"
        assert not host.waiting
