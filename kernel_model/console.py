"""The console: where fd 0, 1 and 2 of the first program lead.

What the guest writes is kept, and handed to whoever listens; input is what the host has given so
far, or is asked for when a task waits and nothing else can run.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from kernel_model.tty.terminal import Kind, Tty, WindowSize
from kernel_model.waitqueue import WaitQueue

if TYPE_CHECKING:
    from kernel_model.kernel import Kernel

STDIN, STDOUT, STDERR = 0, 1, 2
Source = Callable[[int], bytes]
Person = Callable[[int | None], bytes | None]
_TYPED_BYTES = 4096


class Console:
    """A plain character device, or (`tty`) the other side of a terminal.

    `source(count)` is called when everybody waits for input: it waits, and gives up to `count`
    bytes, b"" at the end. `source(0)` only waits until there is something, and takes nothing: so
    the host's input is never read further than the guest reads. `sink` is called with (stream,
    bytes) for each write. Both are the host's side, not the guest's state. `keep` False keeps no
    copy of the output. `stays_open`: without a source too `feed` may bring more, until `end_input`.

    Behind a terminal there may be a `person`, who types when it pleases him: `person(ns)` waits up
    to so many nanoseconds (None: for ever) for what he types; None: nothing came, b"": he is gone.
    """

    def __init__(
        self,
        source: Source | None = None,
        sink: Callable[[int, bytes], None] | None = None,
        *,
        keep: bool = True,
        person: Person | None = None,
        stays_open: bool = False,
    ) -> None:
        self._source = source
        self._sink = sink
        self._keep = keep
        self._person = person
        self.tty: Tty | None = None
        """The terminal that this is the other side of."""
        self._input = bytearray()
        self._ended = source is None and person is None and not stays_open
        self._wanted = 0
        """How much the reader asks for that waits; 0 when somebody only polls."""
        self._more = False
        """The host has said that there is more, and nobody has read it."""
        self.queue = WaitQueue()
        self._output: list[bytes] = []
        self._errors: list[bytes] = []

    def successor(self) -> Console:
        """The console of the next kernel: the same host, and what it typed in vain."""
        console = Console(self._source, self._sink, keep=self._keep, person=self._person)
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

    @property
    def ended(self) -> bool:
        """Whether nothing more will be typed."""
        return self._ended and not self._input

    @property
    def live(self) -> bool:
        """Whether a person sits at the terminal: time passes while he thinks."""
        return self._person is not None and self.tty is not None and not self._ended

    def new_terminal(self, kernel: Kernel) -> Tty:
        """Become the other side of a terminal; what was typed already goes there."""
        tty = Tty(kernel, Kind.CONSOLE, kernel.abis[0].structs.terminal.bits.standard(), 0)
        tty.window = WindowSize(24, 80)
        self.tty, tty.console = tty, self
        self.queue = tty.readable
        return tty

    def detach(self) -> None:
        """There is no terminal after all."""
        self.tty = None
        self.queue = WaitQueue()

    def begin(self) -> None:
        """The terminal is ready for what the host types."""
        self._type()

    def _type(self) -> None:
        if self.tty is not None:
            count = self.tty.ldisc.room()
            typed = bytes(self._input[:count])
            del self._input[:count]
            self.tty.ldisc.receive(typed)

    def attend(self, ns: int | None) -> bool:
        """Look for up to `ns` whether the person types; True when something has happened."""
        assert self._person is not None and self.tty is not None
        typed = self._person(ns)
        if typed is None:
            return False
        if typed:
            self.feed(typed)
        else:
            self.end_input()
            self.tty.hang_up()
        return True

    def feed(self, data: bytes) -> None:
        """Type something in."""
        self._input += data
        self._type()
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
        if self.tty is not None:
            self._take(_TYPED_BYTES)
            self._type()
        elif self._wanted:
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
