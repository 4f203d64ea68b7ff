"""The host's end of the guest's console: descriptors 0, 1 and 2 of our own process.

Input is taken only when a guest waits for it, and never more than it asks for, so that what the
guest did not read is still there for whoever reads next. Output goes out at once.
"""

from __future__ import annotations

import os
import select
from collections.abc import Iterator
from contextlib import contextmanager

from cr.cli.failure import BROKEN_PIPE, Failure


class HostConsole:
    """Source and sink of a `kernel_model.console.Console`."""

    def __init__(self, stdin: int = 0, stdout: int = 1, stderr: int = 2) -> None:
        self._stdin = stdin
        self._streams = {1: stdout, 2: stderr}
        self.waiting = False
        """Inside a read that may last: only an exception of a signal handler ends it."""

    def source(self, count: int) -> bytes:
        """Up to `count` bytes; 0 only waits until there is something or the end."""
        self.waiting = True
        try:
            if not count or not os.get_blocking(self._stdin):
                self._poll(select.POLLIN, self._stdin)
            return os.read(self._stdin, count) if count else b""
        except OSError as error:
            raise Failure(f"the standard input cannot be read: {error.strerror}") from None
        finally:
            self.waiting = False

    @contextmanager
    def raw(self) -> Iterator[None]:
        """While the guest runs; a console that is no terminal needs nothing."""
        yield

    def sink(self, stream: int, data: bytes) -> None:
        """All of `data`, to our stdout or stderr."""
        target = self._streams[stream]
        view = memoryview(data)
        while view:
            try:
                view = view[os.write(target, view) :]
            except BlockingIOError:
                self._poll(select.POLLOUT, target)
            except BrokenPipeError:
                # As the guest would have ended, had it been a program of the host.
                raise Failure("nobody reads the output any more", BROKEN_PIPE) from None
            except OSError as error:
                name = "output" if stream == 1 else "error output"
                sentence = f"the standard {name} cannot be written: {error.strerror}"
                raise Failure(sentence) from None

    @staticmethod
    def _poll(event: int, descriptor: int) -> None:
        poll = select.poll()
        poll.register(descriptor, event)
        poll.poll()


def occupy_standard_descriptors() -> None:
    """Make sure that no file of ours gets the number 0, 1 or 2, if we were started without."""
    while True:
        descriptor = os.open(os.devnull, os.O_RDONLY)
        if descriptor > 2:
            os.close(descriptor)
            return
