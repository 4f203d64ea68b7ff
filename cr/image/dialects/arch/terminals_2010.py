"""Terminals before 10 January 2011: settings as struct termio of System V has them.

A TTY record had 72 bytes, and HEADER's constants said how many control characters there are: 8, as
many as struct termio has on x86. So the flags were 16 bits wide and there were no speeds; the rest
of the settings are those of a new terminal. The order of the fields inside the 72 bytes follows
from the later record and from struct termio, and is UNVERIFIED.

Mirrors:  linux-cr v18 to v23-rc1, ckpt_hdr_tty (72 bytes); asm/termios.h struct termio.
Deviates: PowerPC's terminals are refused: its struct termio has ten control characters, in an
          order of its own, and the record had room for eight.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from cr.image import types as t
from cr.image.dialects.frames import Frame
from cr.image.dialects.step import Passage
from cr.image.header import Header
from cr.image.terminals import Termios, Tty, Winsize
from cr.image.types import HDR_TTY, Framed
from emu.layout import Record, at, hex16, hex64, raw, record, s32, u8, u16, u32

NCC = 8
"""Control characters of struct termio."""
HIGH = 0xFFFF0000
_SLOW = (0, 50, 75, 110, 134, 150, 200, 300, 600, 1200, 1800, 2400, 4800, 9600, 19200, 38400)
_FAST = (57600, 115200, 230400, 460800, 500000, 576000, 921600, 1000000, 1152000, 1500000)
_SPEEDS = dict(enumerate(_SLOW)) | dict(enumerate(_FAST, 0x1001))
"""By the bits of c_cflag that say it (CBAUD)."""


@record(size=24)
class Termio(Record):
    """Terminal settings: what fits struct termio."""

    c_iflag: hex16 = at("input modes")
    c_oflag: hex16 = at("output modes")
    c_cflag: hex16 = at("control modes")
    c_lflag: hex16 = at("local modes")
    c_line: u8 = at("line discipline")
    c_cc: Annotated[bytes, raw(NCC)] = at("the first control characters")
    pad: Annotated[bytes, raw(7)] = at("alignment", default=bytes(7))


@record(size=72)
class Tty2010(Framed):
    """One end of a pseudo terminal."""

    TYPE = HDR_TTY

    driver_type: u16 = at("TTY_DRIVER_TYPE_*")
    driver_subtype: u16 = at("master or slave")
    link_objref: s32 = at("slave: object number of its master; master: 0")
    file_objref: s32 = at("master: object number of its open file")
    pad: u32 = at("alignment", default=0)
    index: u32 = at("the number in /dev/pts")
    ldisc: u32 = at("line discipline; only N_TTY")
    flags: hex64 = at("TTY_*")
    termios: Termio = at("settings")
    winsize: Winsize = at("window")


@dataclass(frozen=True, slots=True)
class NewTerminal:
    """What an architecture's new terminal has where the record says nothing."""

    characters: bytes
    speed_bits: int
    """CBAUD."""


_X86 = NewTerminal(b"\x11\x13\x1a\x00\x12\x0f\x17\x16\x00\x00\x00", 0x100F)
"""VSTART VSTOP VSUSP VEOL VREPRINT VDISCARD VWERASE VLNEXT VEOL2."""
NEW_TERMINALS = {t.ARCH_X86_32: _X86, t.ARCH_X86_64: _X86}
NO_OTHERS = "terminals of PowerPC: it had room for eight control characters, there are ten"


def down(passage: Passage, frames: list[Frame]) -> list[Frame]:
    """Terminals as they are -> as they were."""
    new = NEW_TERMINALS.get(passage.unpack(Header, frames[0]).arch_id)
    return [
        _tty_down(passage, frame, new) if frame.type_no == t.HDR_TTY else frame for frame in frames
    ]


def _tty_down(passage: Passage, frame: Frame, new: NewTerminal | None) -> Frame:
    tty = passage.unpack(Tty, frame)
    if new is None:
        passage.no(frame, NO_OTHERS)
    given = tty.termios
    flags = (given.c_iflag, given.c_oflag, given.c_cflag, given.c_lflag)
    if any(flag & HIGH for flag in flags):
        passage.no(frame, "modes of a terminal above the sixteenth bit")
    if given.c_cc[NCC:] != new.characters:
        passage.no(frame, "control characters of a terminal after the eighth, unlike a new one's")
    speed = _SPEEDS.get(given.c_cflag & new.speed_bits)
    if (given.c_ispeed, given.c_ospeed) != (speed, speed):
        passage.no(frame, f"a terminal at {given.c_ispeed} and {given.c_ospeed} baud")
    iflag, oflag, cflag, lflag = flags
    older = Tty2010(
        driver_type=tty.driver_type,
        driver_subtype=tty.driver_subtype,
        link_objref=tty.link_objref,
        file_objref=tty.file_objref,
        index=tty.index,
        ldisc=tty.ldisc,
        flags=tty.flags,
        termios=Termio(
            c_iflag=iflag,
            c_oflag=oflag,
            c_cflag=cflag,
            c_lflag=lflag,
            c_line=given.c_line,
            c_cc=given.c_cc[:NCC],
        ),
        winsize=tty.winsize,
    )
    return passage.packed(t.HDR_TTY, older, frame)


def up(passage: Passage, frames: list[Frame]) -> list[Frame]:
    """Terminals as they were -> as they are; HEADER has its native arch_id already."""
    new = NEW_TERMINALS.get(passage.unpack(Header, frames[0]).arch_id)
    return [
        _tty_up(passage, frame, new) if frame.type_no == t.HDR_TTY else frame for frame in frames
    ]


def _tty_up(passage: Passage, frame: Frame, new: NewTerminal | None) -> Frame:
    tty = passage.unpack(Tty2010, frame)
    if new is None:
        passage.refuse(frame, f"{passage.dialect} has no place for {NO_OTHERS}")
    given = tty.termios
    speed = _SPEEDS.get(given.c_cflag & new.speed_bits)
    if speed is None:
        passage.refuse(frame, f"control modes {given.c_cflag:#x} have no speed of then")
    newer = Tty(
        driver_type=tty.driver_type,
        driver_subtype=tty.driver_subtype,
        link_objref=tty.link_objref,
        file_objref=tty.file_objref,
        index=tty.index,
        ldisc=tty.ldisc,
        flags=tty.flags,
        termios=Termios(
            c_iflag=given.c_iflag,
            c_oflag=given.c_oflag,
            c_cflag=given.c_cflag,
            c_lflag=given.c_lflag,
            c_ispeed=speed,
            c_ospeed=speed,
            c_line=given.c_line,
            c_cc=given.c_cc + new.characters,
        ),
        winsize=tty.winsize,
    )
    return passage.packed(t.HDR_TTY, newer, frame)


RECORDS: tuple[type[Record], ...] = (Termio, Tty2010)
