"""The output half of N_TTY: echoes, and what written bytes become on their way out (OPOST).

Mirrors:  Linux drivers/tty/n_tty.c (do_output_char, process_output_block, echo_char).
Deviates: echoes become output when they are typed, and wait as output (`echoes`) while it is
          stopped; Linux keeps what is to be echoed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel_model.abi.termios import DISABLED

if TYPE_CHECKING:
    from kernel_model.tty.terminal import Tty

BUFFER_BYTES = 4096
NL, CR, TAB, BS = 10, 13, 9, 8
_DEL = 0x7F


def is_control(byte: int) -> bool:
    """Whether a byte is a control character of ASCII."""
    return byte < 0x20 or byte == _DEL


class OutputSide:
    """What one terminal has shown, and what is still to be shown."""

    def __init__(self, tty: Tty) -> None:
        self.tty = tty
        self.echoes = bytearray()
        self.column = 0
        self.canon_column = 0
        """Where the line that is being typed began."""

    # ---- flags and characters by name

    def local(self, bits: int) -> bool:
        """Whether one of these local modes is on."""
        return bool(self.tty.termios.lflag & bits)

    def input(self, bits: int) -> bool:
        """Whether one of these input modes is on."""
        return bool(self.tty.termios.iflag & bits)

    def matches(self, byte: int, place: int) -> bool:
        """Whether a byte is the special character of that place, which is not disabled."""
        return byte == self.tty.termios.cc[place] != DISABLED

    def continues(self, byte: int) -> bool:
        """Whether a byte is the inside of a character of several bytes (IUTF8)."""
        return self.input(self.tty.bits.IUTF8) and byte & 0xC0 == 0x80

    # ---- echo

    def echo(self, byte: int) -> None:
        """One byte as it is shown: control characters as ^X with ECHOCTL."""
        if self.local(self.tty.bits.ECHOCTL) and is_control(byte) and byte != TAB:
            self.send(bytes([0x5E, byte ^ 0x40]))
            self.column += 2
        else:
            self.out(byte)

    def out(self, byte: int) -> None:
        """One byte, processed as written ones are."""
        shown = self.processed(byte) if self.tty.termios.oflag & self.tty.bits.OPOST else None
        self.send(bytes([byte]) if shown is None else shown)

    def send(self, data: bytes) -> None:
        """Bytes as they are, behind the echoes that wait."""
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
        if byte == NL:
            if oflag & b.ONLRET:
                self.column = 0
            if oflag & b.ONLCR:
                self.canon_column = self.column = 0
                return b"\r\n"
            self.canon_column = self.column
        elif byte == CR:
            if oflag & b.ONOCR and not self.column:
                return b""
            if oflag & b.OCRNL:
                if oflag & b.ONLRET:
                    self.canon_column = self.column = 0
                return b"\n"
            self.canon_column = self.column = 0
        elif byte == TAB:
            spaces = 8 - (self.column & 7)
            self.column += spaces
            if oflag & b.TABDLY == b.TABDLY:
                return b" " * spaces
        elif byte == BS:
            self.column = max(0, self.column - 1)
        elif not is_control(byte):
            if not self.continues(byte):
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
