"""N_TTY, the line discipline: from typed bytes to lines, and from written bytes to output.

Bytes come in through `receive`. As long as there is room they are taken one by one: they edit the
line, send signals, stop the output, are echoed, and end in `buffer`, where `marks` says behind
which bytes a line ends. What has no room waits in `flip`. A raw reader finds all of `buffer`, a
canonical one complete lines.

Mirrors:  Linux drivers/tty/n_tty.c.
Deviates: echoes become output when they are typed, and wait as output (`echoes`) while it is
          stopped; Linux keeps what is to be echoed. FLIP_BYTES is one limit, not one per page.
Not modelled: IXOFF (the other side is never asked to stop), FLUSHO, PENDIN, EXTPROC, parity.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel_model.abi.termios import DISABLED, PKT_FLUSHREAD, Termios
from kernel_model.signals import SIGINT, SIGQUIT, SIGTSTP

if TYPE_CHECKING:
    from kernel_model.tty.terminal import Tty

BUFFER_BYTES = 4096
FLIP_BYTES = 65536
_NL, _CR, _TAB, _BS, _BELL = 10, 13, 9, 8, 7
_DEL, _MARK = 0x7F, 0xFF


def _is_control(byte: int) -> bool:
    return byte < 0x20 or byte == _DEL


def _is_word(byte: int) -> bool:
    return (chr(byte).isalnum() and byte < 0x80) or byte == 0x5F


class LineDiscipline:
    """The state of one terminal's line discipline."""

    def __init__(self, tty: Tty) -> None:
        self.tty = tty
        self.buffer = bytearray()
        self.marks: list[int] = []
        """Positions in `buffer` of the last bytes of complete lines, ascending."""
        self.canon = 0
        """How much of `buffer` belongs to complete lines."""
        self.flip = bytearray()
        self.echoes = bytearray()
        self.column = 0
        self.canon_column = 0
        self.lnext = False
        self.erasing = False
        self.arrived_ns = 0
        """When the last byte came: for the timer between bytes (VTIME)."""

    # ---- flags and characters by name

    def _local(self, bits: int) -> bool:
        return bool(self.tty.termios.lflag & bits)

    def _input(self, bits: int) -> bool:
        return bool(self.tty.termios.iflag & bits)

    def _is(self, byte: int, place: int) -> bool:
        return byte == self.tty.termios.cc[place] != DISABLED

    @property
    def canonical(self) -> bool:
        """Whether readers get lines."""
        return self._local(self.tty.bits.ICANON)

    @property
    def raw(self) -> bool:
        """Whether input goes to the buffer untouched."""
        b = self.tty.bits
        special = b.ISTRIP | b.IUCLC | b.IGNCR | b.ICRNL | b.INLCR | b.IXON | b.PARMRK
        return not self._input(special) and not self._local(b.ICANON | b.ISIG | b.ECHO)

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

    def _take(self, byte: int) -> None:
        b, tty = self.tty.bits, self.tty
        if self._input(b.ISTRIP):
            byte &= 0x7F
        if self._input(b.IUCLC) and self._local(b.IEXTEN) and 0x41 <= byte <= 0x5A:
            byte += 0x20
        if self._restarts_output(byte):
            tty.start()
        if self.lnext:
            self.lnext = False
            self._ordinary(byte, plain=True)
            return
        if self._input(b.IXON):
            if self._is(byte, b.VSTART):
                tty.start()
                return
            if self._is(byte, b.VSTOP):
                tty.stop()
                return
        if self._local(b.ISIG) and self._signal(byte):
            return
        translated = byte
        if byte == _CR:
            if self._input(b.IGNCR):
                return
            if self._input(b.ICRNL):
                translated = _NL
        elif byte == _NL and self._input(b.INLCR):
            translated = _CR
        if self.canonical and self._edit(translated):
            return
        self._ordinary(translated, plain=translated == byte and not self.canonical)

    def _restarts_output(self, byte: int) -> bool:
        b, tty = self.tty.bits, self.tty
        special = (b.VSTART, b.VSTOP, b.VINTR, b.VQUIT, b.VSUSP)
        return (
            tty.stopped
            and not tty.flow_stopped
            and self._input(b.IXON)
            and self._input(b.IXANY)
            and byte not in {tty.termios.cc[place] for place in special}
        )

    def _signal(self, byte: int) -> bool:
        b, tty = self.tty.bits, self.tty
        keys = ((b.VINTR, SIGINT), (b.VQUIT, SIGQUIT), (b.VSUSP, SIGTSTP))
        signo = next((signo for place, signo in keys if self._is(byte, place)), 0)
        if not signo:
            return False
        if not self._local(b.NOFLSH):
            self.flush()
            tty.flush_output()
        if self._input(b.IXON):
            tty.start()
        if self._local(b.ECHO):
            self._echo(byte)
        tty.signal_group(signo)
        return True

    def _ordinary(self, byte: int, *, plain: bool) -> None:
        """A byte for the buffer; `plain`: a newline is echoed as any control character."""
        b = self.tty.bits
        doubled = byte == _MARK and self._input(b.PARMRK)
        if len(self.buffer) >= BUFFER_BYTES - 1 - doubled:
            if self._local(b.ECHO):
                self._out(_BELL)
            return
        if self._local(b.ECHO):
            self._finish_erasing()
            if byte == _NL and not plain:
                self._out(_NL)
            else:
                if self.canon == len(self.buffer):
                    self.canon_column = self.column
                self._echo(byte)
        self.buffer += bytes([byte] * (1 + doubled))

    # ---- editing

    def _edit(self, byte: int) -> bool:
        """A byte of canonical input that is not just stored; False if it is."""
        b = self.tty.bits
        extended = self._local(b.IEXTEN)
        if self._is(byte, b.VERASE) or self._is(byte, b.VKILL):
            self._erase(byte)
        elif extended and self._is(byte, b.VWERASE):
            self._erase(byte)
        elif extended and self._is(byte, b.VLNEXT):
            self.lnext = True
            if self._local(b.ECHO):
                self._finish_erasing()
                if self._local(b.ECHOCTL):
                    self._out(0x5E)
                    self._out(_BS)
        elif extended and self._local(b.ECHO) and self._is(byte, b.VREPRINT):
            self._finish_erasing()
            self._echo(byte)
            self._out(_NL)
            for each in self.buffer[self.canon :]:
                self._echo(each)
        elif byte == _NL:
            self._newline()
        elif self._is(byte, b.VEOF):
            if len(self.buffer) < BUFFER_BYTES:
                self._end_line(DISABLED)
        elif self._is(byte, b.VEOL) or (extended and self._is(byte, b.VEOL2)):
            if self._local(b.ECHO):
                if self.canon == len(self.buffer):
                    self.canon_column = self.column
                self._echo(byte)
            self._end_line(byte)
        else:
            return False
        return True

    def _newline(self) -> None:
        b = self.tty.bits
        if len(self.buffer) >= BUFFER_BYTES:
            if self._local(b.ECHO):
                self._out(_BELL)
            return
        if self._local(b.ECHO | b.ECHONL):
            self._out(_NL)
        self._end_line(_NL)

    def _end_line(self, byte: int) -> None:
        self.marks.append(len(self.buffer))
        self.buffer.append(byte)
        self.canon = len(self.buffer)

    def _erase(self, byte: int) -> None:
        b = self.tty.bits
        if self.canon == len(self.buffer):
            return
        word = self._is(byte, b.VWERASE) and not self._is(byte, b.VERASE)
        whole = self._is(byte, b.VKILL) and not self._is(byte, b.VERASE) and not word
        if whole and not self._local(b.ECHO):
            del self.buffer[self.canon :]
            return
        fancy = all(self._local(each) for each in (b.ECHOK, b.ECHOKE, b.ECHOE))
        if whole and not fancy:
            del self.buffer[self.canon :]
            self._finish_erasing()
            self._echo(byte)
            if self._local(b.ECHOK):
                self._out(_NL)
            return
        seen_word = False
        while len(self.buffer) > self.canon:
            start = self._last_character()
            first = self.buffer[start]
            if self._continues(first):
                break
            if word:
                if _is_word(first):
                    seen_word = True
                elif seen_word:
                    break
            gone = bytes(self.buffer[start:])
            del self.buffer[start:]
            if self._local(b.ECHO):
                self._echo_erasure(gone, byte, single=not (word or whole))
            if not (word or whole):
                break
        if len(self.buffer) == self.canon and self._local(b.ECHO):
            self._finish_erasing()

    def _last_character(self) -> int:
        start = len(self.buffer) - 1
        while self._continues(self.buffer[start]) and start > self.canon:
            start -= 1
        return start

    def _continues(self, byte: int) -> bool:
        return self._input(self.tty.bits.IUTF8) and byte & 0xC0 == 0x80

    def _echo_erasure(self, gone: bytes, eraser: int, *, single: bool) -> None:
        b, first = self.tty.bits, gone[0]
        if self._local(b.ECHOPRT):
            if not self.erasing:
                self._out(0x5C)
                self.erasing = True
            self._echo(first)
            for byte in gone[1:]:
                self._out(byte)
        elif single and not self._local(b.ECHOE):
            self._echo(eraser)
        elif first == _TAB:
            self._erase_tab()
        else:
            shown = 1
            if _is_control(first):
                shown = 2 if self._local(b.ECHOCTL) else 0
            for byte in (_BS, 0x20, _BS) * shown:
                self._out(byte)

    def _erase_tab(self) -> None:
        """Go back over a tab: how far depends on what is before it."""
        columns, after_tab = 0, False
        for byte in reversed(self.buffer[self.canon :]):
            if byte == _TAB:
                after_tab = True
                break
            if _is_control(byte):
                columns += 2 if self._local(self.tty.bits.ECHOCTL) else 0
            elif not self._continues(byte):
                columns += 1
        if not after_tab:
            columns += self.canon_column
        for _ in range(8 - (columns & 7)):
            self._send(bytes([_BS]))
            self.column = max(0, self.column - 1)

    def _finish_erasing(self) -> None:
        if self.erasing:
            self._out(0x2F)
            self.erasing = False

    # ---- echo

    def _echo(self, byte: int) -> None:
        """One byte as it is shown: control characters as ^X with ECHOCTL."""
        if self._local(self.tty.bits.ECHOCTL) and _is_control(byte) and byte != _TAB:
            self._send(bytes([0x5E, byte ^ 0x40]))
            self.column += 2
        else:
            self._out(byte)

    def _out(self, byte: int) -> None:
        shown = self.processed(byte) if self.tty.termios.oflag & self.tty.bits.OPOST else None
        self._send(bytes([byte]) if shown is None else shown)

    def _send(self, data: bytes) -> None:
        self.echoes += data
        self.flush_echoes()

    def flush_echoes(self) -> None:
        """Send echoes that had to wait, as far as the other side takes them."""
        if self.echoes and not self.tty.stopped:
            count = self.tty.send(bytes(self.echoes))
            del self.echoes[:count]
            # Nobody reads them: Linux forgets the oldest, too.
            del self.echoes[:-BUFFER_BYTES]

    # ---- output

    def processed(self, byte: int) -> bytes | None:
        """OPOST: what a written byte becomes; None: itself. Keeps the column."""
        oflag, b = self.tty.termios.oflag, self.tty.bits
        if byte == _NL:
            if oflag & b.ONLRET:
                self.column = 0
            if oflag & b.ONLCR:
                self.canon_column = self.column = 0
                return b"\r\n"
            self.canon_column = self.column
        elif byte == _CR:
            if oflag & b.ONOCR and not self.column:
                return b""
            if oflag & b.OCRNL:
                if oflag & b.ONLRET:
                    self.canon_column = self.column = 0
                return b"\n"
            self.canon_column = self.column = 0
        elif byte == _TAB:
            spaces = 8 - (self.column & 7)
            self.column += spaces
            if oflag & b.TABDLY == b.TABDLY:
                return b" " * spaces
        elif byte == _BS:
            self.column = max(0, self.column - 1)
        elif not _is_control(byte):
            if not self._continues(byte):
                self.column += 1
            if oflag & b.OLCUC and 0x61 <= byte <= 0x7A:
                return bytes([byte - 0x20])
        return None

    def write(self, data: bytes) -> int:
        """Send as much of `data` as the other side takes now; how many bytes of it."""
        tty = self.tty
        self.flush_echoes()
        if tty.stopped or self.echoes:
            return 0
        if not tty.termios.oflag & tty.bits.OPOST:
            return tty.send(data)
        room = tty.send_room()
        done, shown = 0, bytearray()
        for byte in data:
            # A tab is the longest that one byte can become.
            if len(shown) + 8 > room:
                break
            better = self.processed(byte)
            shown += bytes([byte]) if better is None else better
            done += 1
        tty.send(bytes(shown))
        return done

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
