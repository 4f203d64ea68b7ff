"""The terminal of the host as the other side of the guest's: `cr run -t`.

While the guest runs, the host's terminal is raw: every key goes to the guest, whose line discipline
echoes, edits, and makes signals of ^C and ^Z. Its settings come back whenever the guest does not
run: at the end, on a failure, and when we are stopped or killed by a signal that can be caught.
"""

from __future__ import annotations

import os
import select
import signal
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from cr.cli.failure import Failure
from cr.cli.host_console import HostConsole
from kernel_model.tty.terminal import Tty, WindowSize

_READ_BYTES = 4096
_GLANCE_MS = 200
_NS_PER_MS = 1_000_000
_DEADLY = (signal.SIGHUP, signal.SIGTERM, signal.SIGQUIT)
_DEFAULT = WindowSize(24, 80)
_IFLAG, _OFLAG, _CFLAG, _LFLAG, _CC = 0, 1, 2, 3, 6


class HostTerminal(HostConsole):
    """Source, sink and person of a console whose other side is the guest's terminal."""

    def __init__(self, stdin: int = 0, stdout: int = 1, stderr: int = 2) -> None:
        super().__init__(stdin, stdout, stderr)
        self.is_person = os.isatty(stdin)
        """Whether somebody sits there; else input comes from a file or a pipe."""
        self._cooked: list[Any] = termios.tcgetattr(stdin) if self.is_person else []
        self._resized = True
        self._tty: Tty | None = None

    def serve(self, tty: Tty) -> None:
        """The guest's terminal is this."""
        self._tty = tty
        if self.is_person:
            self._resize()

    def person(self, ns: int | None) -> bytes | None:
        """What was typed within `ns` (None: for ever); None: nothing, b"": nobody is there."""
        if self._resized:
            self._resize()
        poll = select.poll()
        poll.register(self._stdin, select.POLLIN)
        wait_ms = _GLANCE_MS if ns is None else -(-ns // _NS_PER_MS)
        self.waiting = bool(wait_ms)
        try:
            while not poll.poll(wait_ms):
                if ns is not None or self._resized:
                    return None
            return os.read(self._stdin, _READ_BYTES)
        except OSError:
            return b""  # the line to our own terminal is gone
        finally:
            self.waiting = False

    def _resize(self) -> None:
        self._resized = False
        if self._tty is None:
            return
        try:
            size = os.get_terminal_size(self._stdin)
        except OSError:
            return
        window = WindowSize(size.lines, size.columns)
        self._tty.resize(window if window.rows and window.columns else _DEFAULT)

    # ---- raw and back

    @contextmanager
    def raw(self) -> Iterator[None]:
        """The host's terminal is raw inside."""
        if not self.is_person:
            yield
            return
        handlers = {
            signal.SIGWINCH: self._window_changed,
            signal.SIGTSTP: self._stopped,
            signal.SIGCONT: self._continued,
        } | dict.fromkeys(_DEADLY, self._killed)
        before = {signo: signal.signal(signo, handler) for signo, handler in handlers.items()}
        try:
            self._make_raw()
            yield
        finally:
            self._restore()
            for signo, handler in before.items():
                signal.signal(signo, handler)

    def _make_raw(self) -> None:
        settings = [*self._cooked[:_CC], list(self._cooked[_CC])]
        settings[_IFLAG] = 0
        settings[_OFLAG] &= ~termios.OPOST
        settings[_CFLAG] = settings[_CFLAG] & ~(termios.CSIZE | termios.PARENB) | termios.CS8
        settings[_LFLAG] &= ~(
            termios.ECHO | termios.ECHONL | termios.ICANON | termios.ISIG | termios.IEXTEN
        )
        settings[_CC][termios.VMIN], settings[_CC][termios.VTIME] = 1, 0
        try:
            termios.tcsetattr(self._stdin, termios.TCSADRAIN, settings)
        except termios.error as error:
            raise Failure(f"the terminal cannot be set: {error}") from None

    def _restore(self) -> None:
        try:
            termios.tcsetattr(self._stdin, termios.TCSADRAIN, self._cooked)
        except termios.error:
            pass  # it is gone: there is nothing to put right

    def _window_changed(self, signo: int, frame: FrameType | None) -> None:
        self._resized = True

    def _stopped(self, signo: int, frame: FrameType | None) -> None:
        self._restore()
        signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        signal.raise_signal(signal.SIGTSTP)

    def _continued(self, signo: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGTSTP, self._stopped)
        self._make_raw()
        self._resized = True

    def _killed(self, signo: int, frame: FrameType | None) -> None:
        self._restore()
        signal.signal(signo, signal.SIG_DFL)
        signal.raise_signal(signo)
