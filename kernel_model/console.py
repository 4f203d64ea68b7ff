"""The console: where fd 0, 1 and 2 of the first program lead.

What the guest writes is kept, and handed to whoever listens; input is what the host has given so
far, or is asked for when a task waits and nothing else can run.
"""

from __future__ import annotations

from collections.abc import Callable

from kernel_model.waitqueue import WaitQueue

STDIN, STDOUT, STDERR = 0, 1, 2
Source = Callable[[int], bytes]


class Console:
    """A plain character device, not a terminal.

    `source(count)` is called when everybody waits for input: it waits, and gives up to `count`
    bytes, b"" at the end. `source(0)` only waits until there is something, and takes nothing: so
    the host's input is never read further than the guest reads. `sink` is called with (stream,
    bytes) for each write. Both are the host's side, not the guest's state. `keep` False keeps no
    copy of the output.
    """

    def __init__(
        self,
        source: Source | None = None,
        sink: Callable[[int, bytes], None] | None = None,
        *,
        keep: bool = True,
    ) -> None:
        self._source = source
        self._sink = sink
        self._keep = keep
        self._input = bytearray()
        self._ended = source is None
        self._wanted = 0
        """How much the reader asks for that waits; 0 when somebody only polls."""
        self._more = False
        """The host has said that there is more, and nobody has read it."""
        self.queue = WaitQueue()
        self._output: list[bytes] = []
        self._errors: list[bytes] = []

    def successor(self) -> Console:
        """The console of the next kernel: the same host, and what it typed in vain."""
        console = Console(self._source, self._sink, keep=self._keep)
        console._input = self._input
        console._ended, console._more = self._ended, self._more
        return console

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
        return bool(self._input) or self._ended or self._more

    def read(self, count: int, /) -> bytes | None:
        """Input; b"" at its end, None when there is none yet."""
        if not self._input and self._more:
            self._take(count)
        if self._input:
            data = bytes(self._input[:count])
            del self._input[:count]
            return data
        if self._ended:
            return b""
        self._wanted = count
        return None

    def write(self, stream: int, data: bytes, /) -> None:
        """Output of the guest."""
        if self._keep:
            (self._errors if stream == STDERR else self._output).append(bytes(data))
        if self._sink is not None:
            self._sink(stream, data)

    def ask(self) -> bool:
        """Get more input from the host; False when there is none to be had."""
        if self._ended or self._source is None:
            return False
        if self._wanted:
            self._take(self._wanted)
        else:
            self._source(0)
            self._more = True
        self.queue.wake_all()
        return True

    def _take(self, count: int) -> None:
        assert self._source is not None
        self._wanted = 0
        self._more = False
        data = self._source(count)
        self._input += data
        self._ended = not data
