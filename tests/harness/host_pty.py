"""A command of the host's in a pty of the host's: type when something is seen."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

CR = (sys.executable, "-m", "cr.cli.main")
LIMIT_S = 60.0


class HostPty:
    """A running command, and the terminal that it has."""

    def __init__(self, command: Sequence[str | Path], rows: int = 33, columns: int = 101) -> None:
        self.master, self.slave = pty.openpty()
        self.resize(rows, columns)
        self.before = self.settings()
        self.output = b""
        self._seen = 0
        self.process = subprocess.Popen(
            list(map(str, command)),
            stdin=self.slave,
            stdout=self.slave,
            stderr=self.slave,
            preexec_fn=self._lead,
        )

    @staticmethod
    def _lead() -> None:
        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    def settings(self) -> list[Any]:
        """How the terminal is set now."""
        return termios.tcgetattr(self.slave)

    def resize(self, rows: int, columns: int) -> None:
        """Another window size; the command gets SIGWINCH."""
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("4H", rows, columns, 0, 0))

    def type(self, keys: bytes) -> None:
        """Press keys."""
        os.write(self.master, keys)

    def expect(self, text: bytes) -> None:
        """Wait until `text` is shown, behind what was expected before."""
        end = time.monotonic() + LIMIT_S
        while text not in self.output[self._seen :]:
            ready, _, _ = select.select([self.master], [], [], 0.1)
            if ready:
                self.output += os.read(self.master, 65536)
            assert time.monotonic() < end, (text, self.output)
        self._seen = self.output.index(text, self._seen) + len(text)

    def until(self, condition: Callable[[], bool]) -> None:
        """Wait for something that is not shown."""
        end = time.monotonic() + LIMIT_S
        while not condition():
            assert time.monotonic() < end, self.output
            time.sleep(0.01)

    def wait_raw(self) -> None:
        """Wait until the command has made the terminal raw."""
        self.until(lambda: not self.settings()[3] & termios.ICANON)

    def end(self) -> int:
        """Wait for the command's end; its status, negative for a signal."""
        stop = time.monotonic() + LIMIT_S
        while self.process.poll() is None:
            ready, _, _ = select.select([self.master], [], [], 0.05)
            if ready:
                self.output += os.read(self.master, 65536)
            assert time.monotonic() < stop, self.output
        while select.select([self.master], [], [], 0)[0]:
            self.output += os.read(self.master, 65536)
        return self.process.returncode

    def close(self) -> None:
        """Give everything back."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
        os.close(self.master)
        os.close(self.slave)
