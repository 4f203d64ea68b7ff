"""Open files on their way in messages (SCM_RIGHTS), and sockets that keep only each other alive.

A socket that is in a message of its own queue, or two in each other's, would never be closed.
Whenever a socket loses a user and has no others than messages, those that nobody can reach any
more are found and their messages thrown away.

Mirrors:  Linux net/unix/garbage.c.
Deviates: at once; Linux waits until some socket is closed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING

from kernel_model.net.message import Message
from kernel_model.net.socket import Socket

if TYPE_CHECKING:
    from kernel_model.vfs.openfile import OpenFile


class InFlight:
    """How often each open file is on its way."""

    def __init__(self) -> None:
        self.counts: dict[OpenFile, int] = {}
        self._collecting = False
        self._landing: deque[OpenFile] = deque()

    def launched(self, file: OpenFile) -> None:
        """A message holds it."""
        self.counts[file] = self.counts.get(file, 0) + 1

    def landed(self, file: OpenFile) -> None:
        """A message holds it no longer."""
        self.counts[file] -= 1
        if not self.counts[file]:
            del self.counts[file]

    def drop(self, files: list[OpenFile]) -> None:
        """Close files that a message held.

        One after the other, however deep they lie in messages of sockets in messages.
        """
        busy = bool(self._landing)
        self._landing += files
        while self._landing and not busy:
            self.landed(self._landing[0])
            self._landing[0].drop()
            self._landing.popleft()  # only now: what it held lands behind the others
        if not busy:
            self.collect_garbage()

    def collect_garbage(self) -> None:
        """Throw away messages that nobody can ever receive."""
        if self._collecting or self._landing or not self.counts:
            return
        self._collecting = True
        try:
            for message in [each for file in self._garbage() for each in _messages(file)]:
                files, message.files = message.files, []
                self.drop(files)
        finally:
            self._collecting = False

    def _garbage(self) -> list[OpenFile]:
        suspects = [file for file, count in self.counts.items() if file.users == count]
        outside = {file: self.counts[file] for file in suspects}
        for file in suspects:
            for held in _held(file):
                if held in outside:
                    outside[held] -= 1
        to_come = [file for file, count in outside.items() if count]
        alive = set(to_come)
        for file in to_come:  # it grows while it is walked
            reached = [held for held in _held(file) if held in outside and held not in alive]
            alive.update(reached)
            to_come += reached
        return [file for file in suspects if file not in alive]


def _messages(file: OpenFile) -> Iterator[Message]:
    socket = getattr(file, "socket", None)
    if isinstance(socket, Socket):
        yield from socket.queue
        for child in socket.pending:
            yield from child.queue


def _held(file: OpenFile) -> list[OpenFile]:
    return [held for message in _messages(file) for held in message.files]
