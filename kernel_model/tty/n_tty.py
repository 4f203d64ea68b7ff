"""N_TTY, the line discipline: from typed bytes to lines. (Written bytes: `output`.)

Bytes come in through `receive`. As long as there is room they are taken one by one: they edit the
line, send signals, stop the output, are echoed, and end in `buffer`, where `marks` says behind
which bytes a line ends. What has no room waits in `flip`. A raw reader finds all of `buffer`, a
canonical one complete lines.

Mirrors:  Linux drivers/tty/n_tty.c.
Deviates: FLIP_BYTES is one limit, not one per page.
Not modelled: IXOFF (the other side is never asked to stop), FLUSHO, PENDIN, EXTPROC, parity.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel_model.abi.termios import DISABLED, PKT_FLUSHREAD, Termios
from kernel_model.signals import SIGINT, SIGQUIT, SIGTSTP
from kernel_model.tty.output import BS, BUFFER_BYTES, CR, NL, TAB, OutputSide, is_control
from kernel_model.vfs.owner import POLL_IN

if TYPE_CHECKING:
    from kernel_model.tty.terminal import Tty

FLIP_BYTES = 65536
_BELL, _MARK = 7, 0xFF


def _is_word(byte: int) -> bool:
    return (chr(byte).isalnum() and byte < 0x80) or byte == 0x5F


class LineDiscipline(OutputSide):
    """The state of one terminal's line discipline."""

    def __init__(self, tty: Tty) -> None:
        super().__init__(tty)
        self.buffer = bytearray()
        self.marks: list[int] = []
        """Positions in `buffer` of the last bytes of complete lines, ascending."""
        self.canon = 0
        """How much of `buffer` belongs to complete lines."""
        self.flip = bytearray()
        self.lnext = False
        self.erasing = False
        self.arrived_ns = 0
        """When the last byte came: for the timer between bytes (VTIME)."""

    @property
    def canonical(self) -> bool:
        """Whether readers get lines."""
        return self.local(self.tty.bits.ICANON)

    @property
    def raw(self) -> bool:
        """Whether input goes to the buffer untouched."""
        b = self.tty.bits
        special = b.ISTRIP | b.IUCLC | b.IGNCR | b.ICRNL | b.INLCR | b.IXON | b.PARMRK
        return not self.input(special) and not self.local(b.ICANON | b.ISIG | b.ECHO)

    # ---- input

    def room(self) -> int:
        """How many bytes `receive` takes."""
        return FLIP_BYTES - len(self.flip)

    def receive(self, data: bytes) -> None:
        """Bytes from the other side, at most as many as there is `room`."""
        self.flip += data
        if data:
            self.arrived_ns = self.tty.kernel.clock.now_ns()
        self.advance()

    def advance(self) -> None:
        """Take what waits in `flip` while the buffer has room."""
        before = len(self.buffer)
        while self.flip:
            left = BUFFER_BYTES - 1 - len(self.buffer)
            if left <= 0 and not (self.canonical and not self.marks):
                break
            if self.raw:
                self.buffer += self.flip[:left]
                del self.flip[:left]
            else:
                self._take(self.flip.pop(0))
        if len(self.buffer) != before or self.marks:
            self.tty.readable.wake_all()
        if len(self.buffer) != before:
            self.tty.tell(POLL_IN)

    def _take(self, byte: int) -> None:
        b, tty = self.tty.bits, self.tty
        if self.input(b.ISTRIP):
            byte &= 0x7F
        if self.input(b.IUCLC) and self.local(b.IEXTEN) and 0x41 <= byte <= 0x5A:
            byte += 0x20
        if self._restarts_output(byte):
            tty.start()
        if self.lnext:
            self.lnext = False
            self._ordinary(byte, plain=True)
            return
        if self.input(b.IXON):
            if self.matches(byte, b.VSTART):
                tty.start()
                return
            if self.matches(byte, b.VSTOP):
                tty.stop()
                return
        if self.local(b.ISIG) and self._signal(byte):
            return
        translated = byte
        if byte == CR:
            if self.input(b.IGNCR):
                return
            if self.input(b.ICRNL):
                translated = NL
        elif byte == NL and self.input(b.INLCR):
            translated = CR
        if self.canonical and self._edit(translated):
            return
        self._ordinary(translated, plain=translated == byte and not self.canonical)

    def _restarts_output(self, byte: int) -> bool:
        b, tty = self.tty.bits, self.tty
        special = (b.VSTART, b.VSTOP, b.VINTR, b.VQUIT, b.VSUSP)
        return (
            tty.stopped
            and not tty.flow_stopped
            and self.input(b.IXON)
            and self.input(b.IXANY)
            and byte not in {tty.termios.cc[place] for place in special}
        )

    def _signal(self, byte: int) -> bool:
        b, tty = self.tty.bits, self.tty
        keys = ((b.VINTR, SIGINT), (b.VQUIT, SIGQUIT), (b.VSUSP, SIGTSTP))
        signo = next((signo for place, signo in keys if self.matches(byte, place)), 0)
        if not signo:
            return False
        if not self.local(b.NOFLSH):
            self.flush()
            tty.flush_output()
        if self.input(b.IXON):
            tty.start()
        if self.local(b.ECHO):
            self.echo(byte)
        tty.signal_group(signo)
        return True

    def _ordinary(self, byte: int, *, plain: bool) -> None:
        """A byte for the buffer; `plain`: a newline is echoed as any control character."""
        b = self.tty.bits
        doubled = byte == _MARK and self.input(b.PARMRK)
        if len(self.buffer) >= BUFFER_BYTES - 1 - doubled:
            if self.local(b.ECHO):
                self.out(_BELL)
            return
        if self.local(b.ECHO):
            self._finish_erasing()
            if byte == NL and not plain:
                self.out(NL)
            else:
                if self.canon == len(self.buffer):
                    self.canon_column = self.column
                self.echo(byte)
        self.buffer += bytes([byte] * (1 + doubled))

    # ---- editing

    def _edit(self, byte: int) -> bool:
        """A byte of canonical input that is not just stored; False if it is."""
        b = self.tty.bits
        extended = self.local(b.IEXTEN)
        if self.matches(byte, b.VERASE) or self.matches(byte, b.VKILL):
            self._erase(byte)
        elif extended and self.matches(byte, b.VWERASE):
            self._erase(byte)
        elif extended and self.matches(byte, b.VLNEXT):
            self.lnext = True
            if self.local(b.ECHO):
                self._finish_erasing()
                if self.local(b.ECHOCTL):
                    self.out(0x5E)
                    self.out(BS)
        elif extended and self.local(b.ECHO) and self.matches(byte, b.VREPRINT):
            self._finish_erasing()
            self.echo(byte)
            self.out(NL)
            for each in self.buffer[self.canon :]:
                self.echo(each)
        elif byte == NL:
            self._newline()
        elif self.matches(byte, b.VEOF):
            if len(self.buffer) < BUFFER_BYTES:
                self._end_line(DISABLED)
        elif self.matches(byte, b.VEOL) or (extended and self.matches(byte, b.VEOL2)):
            if self.local(b.ECHO):
                if self.canon == len(self.buffer):
                    self.canon_column = self.column
                self.echo(byte)
            self._end_line(byte)
        else:
            return False
        return True

    def _newline(self) -> None:
        b = self.tty.bits
        if len(self.buffer) >= BUFFER_BYTES:
            if self.local(b.ECHO):
                self.out(_BELL)
            return
        if self.local(b.ECHO | b.ECHONL):
            self.out(NL)
        self._end_line(NL)

    def _end_line(self, byte: int) -> None:
        self.marks.append(len(self.buffer))
        self.buffer.append(byte)
        self.canon = len(self.buffer)

    def _erase(self, byte: int) -> None:
        b = self.tty.bits
        if self.canon == len(self.buffer):
            return
        word = self.matches(byte, b.VWERASE) and not self.matches(byte, b.VERASE)
        whole = self.matches(byte, b.VKILL) and not self.matches(byte, b.VERASE) and not word
        if whole and not self.local(b.ECHO):
            del self.buffer[self.canon :]
            return
        fancy = all(self.local(each) for each in (b.ECHOK, b.ECHOKE, b.ECHOE))
        if whole and not fancy:
            del self.buffer[self.canon :]
            self._finish_erasing()
            self.echo(byte)
            if self.local(b.ECHOK):
                self.out(NL)
            return
        seen_word = False
        while len(self.buffer) > self.canon:
            start = self._last_character()
            first = self.buffer[start]
            if self.continues(first):
                break
            if word:
                if _is_word(first):
                    seen_word = True
                elif seen_word:
                    break
            gone = bytes(self.buffer[start:])
            del self.buffer[start:]
            if self.local(b.ECHO):
                self._echo_erasure(gone, byte, single=not (word or whole))
            if not (word or whole):
                break
        if len(self.buffer) == self.canon and self.local(b.ECHO):
            self._finish_erasing()

    def _last_character(self) -> int:
        start = len(self.buffer) - 1
        while self.continues(self.buffer[start]) and start > self.canon:
            start -= 1
        return start

    def _echo_erasure(self, gone: bytes, eraser: int, *, single: bool) -> None:
        b, first = self.tty.bits, gone[0]
        if self.local(b.ECHOPRT):
            if not self.erasing:
                self.out(0x5C)
                self.erasing = True
            self.echo(first)
            for byte in gone[1:]:
                self.out(byte)
        elif single and not self.local(b.ECHOE):
            self.echo(eraser)
        elif first == TAB:
            self._erase_tab()
        else:
            shown = 1
            if is_control(first):
                shown = 2 if self.local(b.ECHOCTL) else 0
            for byte in (BS, 0x20, BS) * shown:
                self.out(byte)

    def _erase_tab(self) -> None:
        """Go back over a tab: how far depends on what is before it."""
        columns, after_tab = 0, False
        for byte in reversed(self.buffer[self.canon :]):
            if byte == TAB:
                after_tab = True
                break
            if is_control(byte):
                columns += 2 if self.local(self.tty.bits.ECHOCTL) else 0
            elif not self.continues(byte):
                columns += 1
        if not after_tab:
            columns += self.canon_column
        for _ in range(8 - (columns & 7)):
            self.send(bytes([BS]))
            self.column = max(0, self.column - 1)

    def _finish_erasing(self) -> None:
        if self.erasing:
            self.out(0x2F)
            self.erasing = False

    # ---- reading

    def available(self, minimum: int = 1) -> bool:
        """Whether a reader who wants so many bytes finds enough."""
        return bool(self.marks) if self.canonical else len(self.buffer) >= max(1, minimum)

    def read(self, count: int) -> bytes:
        """Up to `count` bytes; in canonical mode of one line. An end-of-file mark gives none."""
        end = min(count, len(self.buffer))
        data = bytes(self.buffer[:end])
        if self.canonical:
            if self.marks and self.marks[0] < count:
                mark = self.marks[0]
                end = mark + 1
                is_eof = self.buffer[mark] == DISABLED
                data = bytes(self.buffer[: mark if is_eof else end])
            elif count and self.marks and self.marks[0] == count:
                data = bytes(self.buffer[:count])
        self._consume(end)
        return data

    def _consume(self, count: int) -> None:
        del self.buffer[:count]
        self.marks = [mark - count for mark in self.marks if mark >= count]
        self.canon = max(0, self.canon - count)
        self.advance()
        self.tty.taken()

    def waiting(self) -> int:
        """TIOCINQ: bytes to be read; in canonical mode of complete lines."""
        if not self.canonical:
            return len(self.buffer)
        eofs = sum(self.buffer[mark] == DISABLED for mark in self.marks)
        return self.canon - eofs

    def flush(self) -> None:
        """Forget all input."""
        self.buffer.clear()
        self.flip.clear()
        self.marks.clear()
        self.canon = 0
        self.erasing = False
        self.tty.packet_news(PKT_FLUSHREAD)
        self.tty.taken()

    def termios_changed(self, old: Termios) -> None:
        """Between lines and bytes: what is there becomes one line, or just bytes."""
        b = self.tty.bits
        if (old.lflag ^ self.tty.termios.lflag) & b.ICANON:
            self.marks.clear()
            self.canon = 0
            self.erasing = False
            if self.canonical and self.buffer:
                self.marks.append(len(self.buffer) - 1)
                self.canon = len(self.buffer)
        self.advance()
        self.tty.readable.wake_all()
