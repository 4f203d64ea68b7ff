"""Terminal settings and the requests of terminals, as the ABIs have them.

Flag bits, the places of control characters and the numbers of requests are of two kinds: those of
asm-generic (x86) and those of PowerPC. A terminal keeps the bits of its kernel's native ABI, as
Linux does, and the line discipline asks for them by name.

Mirrors: Linux include/asm-generic/termbits.h, ioctls.h; arch/powerpc/include/asm/ the same.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace

CHARACTERS = 19
SPEED_38400 = 38400
DISABLED = 0
"""The control character that nothing is."""

PKT_DATA, PKT_FLUSHREAD, PKT_FLUSHWRITE, PKT_STOP, PKT_START = 0, 1, 2, 4, 8
PKT_NOSTOP, PKT_DOSTOP = 16, 32
TCIFLUSH, TCOFLUSH, TCIOFLUSH = 0, 1, 2
TCOOFF, TCOON, TCIOFF, TCION = 0, 1, 2, 3


@dataclass(frozen=True)
class Termios:
    """struct ktermios."""

    iflag: int = 0
    oflag: int = 0
    cflag: int = 0
    lflag: int = 0
    line: int = 0
    cc: bytes = bytes(CHARACTERS)
    ispeed: int = SPEED_38400
    ospeed: int = SPEED_38400


@dataclass(frozen=True, kw_only=True)
class TermiosBits:
    """The bits and places that are not the same everywhere; the rest is below."""

    IXON: int
    IXOFF: int
    IUCLC: int
    ONLCR: int
    OLCUC: int
    TABDLY: int
    CBAUD: int
    CSIZE: int
    CS8: int
    CREAD: int
    HUPCL: int
    ISIG: int
    ICANON: int
    ECHO: int
    ECHOE: int
    ECHOK: int
    ECHONL: int
    NOFLSH: int
    TOSTOP: int
    ECHOCTL: int
    ECHOPRT: int
    ECHOKE: int
    IEXTEN: int
    # places in c_cc
    VINTR: int = 0
    VQUIT: int = 1
    VERASE: int = 2
    VKILL: int = 3
    VEOF: int = 4
    VTIME: int
    VMIN: int
    VSTART: int
    VSTOP: int
    VSUSP: int
    VEOL: int
    VREPRINT: int
    VWERASE: int
    VLNEXT: int
    VEOL2: int
    initial_cc: bytes
    # the same everywhere
    IGNBRK: int = 0x1
    BRKINT: int = 0x2
    PARMRK: int = 0x8
    ISTRIP: int = 0x20
    INLCR: int = 0x40
    IGNCR: int = 0x80
    ICRNL: int = 0x100
    IXANY: int = 0x800
    IMAXBEL: int = 0x2000
    IUTF8: int = 0x4000
    OPOST: int = 0x1
    OCRNL: int = 0x8
    ONOCR: int = 0x10
    ONLRET: int = 0x20
    B38400: int = 0xF

    def standard(self) -> Termios:
        """tty_std_termios: what a new terminal has."""
        return Termios(
            iflag=self.ICRNL | self.IXON,
            oflag=self.OPOST | self.ONLCR,
            cflag=self.B38400 | self.CS8 | self.CREAD | self.HUPCL,
            lflag=self.ISIG
            | self.ICANON
            | self.ECHO
            | self.ECHOE
            | self.ECHOK
            | self.ECHOCTL
            | self.ECHOKE
            | self.IEXTEN,
            cc=self.initial_cc,
        )

    def slave(self) -> Termios:
        """What a new pty's slave has."""
        return replace(self.standard(), cflag=self.B38400 | self.CS8 | self.CREAD)

    def master(self) -> Termios:
        """What a new pty's master has: nothing is done to its bytes."""
        cflag = self.B38400 | self.CS8 | self.CREAD
        return Termios(cflag=cflag, cc=self.initial_cc)


GENERIC = TermiosBits(
    IXON=0x400,
    IXOFF=0x1000,
    IUCLC=0x200,
    ONLCR=0x4,
    OLCUC=0x2,
    TABDLY=0x1800,
    CBAUD=0x100F,
    CSIZE=0x30,
    CS8=0x30,
    CREAD=0x80,
    HUPCL=0x400,
    ISIG=0x1,
    ICANON=0x2,
    ECHO=0x8,
    ECHOE=0x10,
    ECHOK=0x20,
    ECHONL=0x40,
    NOFLSH=0x80,
    TOSTOP=0x100,
    ECHOCTL=0x200,
    ECHOPRT=0x400,
    ECHOKE=0x800,
    IEXTEN=0x8000,
    VTIME=5,
    VMIN=6,
    VSTART=8,
    VSTOP=9,
    VSUSP=10,
    VEOL=11,
    VREPRINT=12,
    VWERASE=14,
    VLNEXT=15,
    VEOL2=16,
    initial_cc=b"\x03\x1c\x7f\x15\x04\x00\x01\x00\x11\x13\x1a\x00\x12\x0f\x17\x16\x00\x00\x00",
)
POWERPC = TermiosBits(
    IXON=0x200,
    IXOFF=0x400,
    IUCLC=0x1000,
    ONLCR=0x2,
    OLCUC=0x4,
    TABDLY=0xC00,
    CBAUD=0xFF,
    CSIZE=0x300,
    CS8=0x300,
    CREAD=0x800,
    HUPCL=0x4000,
    ISIG=0x80,
    ICANON=0x100,
    ECHO=0x8,
    ECHOE=0x2,
    ECHOK=0x4,
    ECHONL=0x10,
    NOFLSH=0x80000000,
    TOSTOP=0x400000,
    ECHOCTL=0x40,
    ECHOPRT=0x20,
    ECHOKE=0x1,
    IEXTEN=0x400,
    VTIME=7,
    VMIN=5,
    VSTART=13,
    VSTOP=14,
    VSUSP=12,
    VEOL=6,
    VREPRINT=11,
    VWERASE=10,
    VLNEXT=15,
    VEOL2=8,
    initial_cc=b"\x03\x1c\x7f\x15\x04\x01\x00\x00\x00\x00\x17\x12\x1a\x11\x13\x16\x15\x00\x00",
)


@dataclass(frozen=True, kw_only=True)
class TerminalAbi:
    """How an ABI asks terminals: structs and numbers."""

    bits: TermiosBits
    line_first: bool
    """In struct termios c_line comes before the control characters."""
    speeds: bool
    """struct termios ends with the two speeds."""
    termio_characters: int
    requests: dict[int, str]
    """Names of requests by their numbers."""

    def pack(self, order: str, termios: Termios, *, speeds: bool) -> bytes:
        """struct termios (or termios2: with speeds)."""
        rest = (
            bytes([termios.line]) + termios.cc
            if self.line_first
            else termios.cc + bytes([termios.line])
        )
        flags = (termios.iflag, termios.oflag, termios.cflag, termios.lflag)
        data = struct.pack(f"{order}4I20s", *flags, rest)
        if speeds or self.speeds:
            data += struct.pack(f"{order}2I", termios.ispeed, termios.ospeed)
        return data

    def size(self, *, speeds: bool) -> int:
        """How long that is."""
        return 44 if speeds or self.speeds else 36

    def unpack(self, order: str, data: bytes, old: Termios, *, speeds: bool) -> Termios:
        """The opposite of `pack`."""
        iflag, oflag, cflag, lflag, rest = struct.unpack_from(f"{order}4I20s", data)
        line, cc = (rest[0], rest[1:]) if self.line_first else (rest[19], rest[:19])
        ispeed, ospeed = old.ispeed, old.ospeed
        if speeds or self.speeds:
            ispeed, ospeed = struct.unpack_from(f"{order}2I", data, 36)
        return Termios(iflag, oflag, cflag, lflag, line, cc, ispeed, ospeed)

    @property
    def termio_size(self) -> int:
        """sizeof(struct termio)."""
        return 18 if self.termio_characters == 8 else 20

    def pack_termio(self, order: str, termios: Termios) -> bytes:
        """struct termio of System V: the low halves, and the first characters."""
        flags = (termios.iflag, termios.oflag, termios.cflag, termios.lflag)
        data = struct.pack(f"{order}4HB", *(flag & 0xFFFF for flag in flags), termios.line)
        return (data + termios.cc[: self.termio_characters]).ljust(self.termio_size, b"\0")

    def unpack_termio(self, order: str, data: bytes, old: Termios) -> Termios:
        """The opposite: the high halves stay as they were."""
        *low, line = struct.unpack_from(f"{order}4HB", data)
        high = (old.iflag, old.oflag, old.cflag, old.lflag)
        flags = [above & 0xFFFF0000 | below for above, below in zip(high, low)]
        count = self.termio_characters
        cc = data[9 : 9 + count] + old.cc[count:]
        iflag, oflag, cflag, lflag = flags
        return Termios(iflag, oflag, cflag, lflag, line, cc, old.ispeed, old.ospeed)


_SAME = {
    0x540C: "TIOCEXCL",
    0x540D: "TIOCNXCL",
    0x540E: "TIOCSCTTY",
    0x5412: "TIOCSTI",
    0x5420: "TIOCPKT",
    0x5422: "TIOCNOTTY",
    0x5423: "TIOCSETD",
    0x5424: "TIOCGETD",
    0x5425: "TCSBRKP",
    0x5427: "TIOCSBRK",
    0x5428: "TIOCCBRK",
    0x5429: "TIOCGSID",
    0x5437: "TIOCVHANGUP",
}
X86 = TerminalAbi(
    bits=GENERIC,
    line_first=True,
    speeds=False,
    termio_characters=8,
    requests=_SAME
    | {
        0x5401: "TCGETS",
        0x5402: "TCSETS",
        0x5403: "TCSETSW",
        0x5404: "TCSETSF",
        0x5405: "TCGETA",
        0x5406: "TCSETA",
        0x5407: "TCSETAW",
        0x5408: "TCSETAF",
        0x5409: "TCSBRK",
        0x540A: "TCXONC",
        0x540B: "TCFLSH",
        0x540F: "TIOCGPGRP",
        0x5410: "TIOCSPGRP",
        0x5411: "TIOCOUTQ",
        0x5413: "TIOCGWINSZ",
        0x5414: "TIOCSWINSZ",
        0x541B: "TIOCINQ",
        0x802C542A: "TCGETS2",
        0x402C542B: "TCSETS2",
        0x402C542C: "TCSETSW2",
        0x402C542D: "TCSETSF2",
        0x80045430: "TIOCGPTN",
        0x40045431: "TIOCSPTLCK",
        0x40045436: "TIOCSIG",
    },
)
PPC = TerminalAbi(
    bits=POWERPC,
    line_first=False,
    speeds=True,
    termio_characters=10,
    requests=_SAME
    | {
        0x402C7413: "TCGETS",
        0x802C7414: "TCSETS",
        0x802C7415: "TCSETSW",
        0x802C7416: "TCSETSF",
        0x40147417: "TCGETA",
        0x80147418: "TCSETA",
        0x80147419: "TCSETAW",
        0x8014741C: "TCSETAF",
        0x2000741D: "TCSBRK",
        0x2000741E: "TCXONC",
        0x2000741F: "TCFLSH",
        0x40047477: "TIOCGPGRP",
        0x80047476: "TIOCSPGRP",
        0x40047473: "TIOCOUTQ",
        0x40087468: "TIOCGWINSZ",
        0x80087467: "TIOCSWINSZ",
        0x4004667F: "TIOCINQ",
        0x40045430: "TIOCGPTN",
        0x80045431: "TIOCSPTLCK",
        0x80045436: "TIOCSIG",
    },
)
