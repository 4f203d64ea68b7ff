"""The console: where fd 0, 1 and 2 of the first program lead.

What the guest writes is kept, and handed to whoever listens; input is what the host has given so
far, or is asked for when a task waits and nothing else can run.
"""

from __future__ import annotations

from collections.abc import Callable

from kernel_model.waitqueue import WaitQueue

STDIN, STDOUT, STDERR = 0, 1, 2


class Console:
    """A plain character device, not a terminal.

    `source` is called for more input when everybody waits: bytes, or b"" at the end. `sink` is
    called with (stream, bytes) for each write. Both are the host's side, not the guest's state.
    """

    def __init__(
        self,
        source: Callable[[], bytes] | None = None,
        sink: Callable[[int, bytes], None] | None = None,
    ) -> None:
        self._source = source
        self._sink = sink
        self._input = bytearray()
        self._ended = source is None
        self.queue = WaitQueue()
        self._output: list[bytes] = []
        self._errors: list[bytes] = []

    @property
    def output(self) -> bytes:
        """Everything written to stdout so far."""
        return b"".join(self._output)

    @property
    def errors(self) -> bytes:
        """Everything written to stderr so far."""
        return b"".join(self._errors)

    def feed(self, data: bytes) -> None:
        """Type something in."""
        self._input += data
        self.queue.wake_all()

    def end_input(self) -> None:
        """Nothing more will be typed."""
        self._ended = True
        self.queue.wake_all()

    def ready(self) -> bool:
        """Whether a read would return at once."""
        return bool(self._input) or self._ended

    def read(self, count: int, /) -> bytes | None:
        """Input; b"" at its end, None when there is none yet."""
        if self._input:
            data = bytes(self._input[:count])
            del self._input[:count]
            return data
        return b"" if self._ended else None

    def write(self, stream: int, data: bytes, /) -> None:
        """Output of the guest."""
        (self._errors if stream == STDERR else self._output).append(bytes(data))
        if self._sink is not None:
            self._sink(stream, data)

    def ask(self) -> bool:
        """Get more input from the host; False when there is none to be had."""
        if self._ended or self._source is None:
            return False
        data = self._source()
        if data:
            self.feed(data)
        else:
            self.end_input()
        return True
