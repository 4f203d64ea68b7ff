"""Terminals: pseudo terminal pairs and what waits in their line discipline.

Image grammar:

    tty  =  TTY  [ TTY_LDISC  [ BUFFER bytes ] ]  [ TTY_EXTRA ]    ; masters before slaves

Mirrors:  linux-cr checkpoint_hdr.h: ckpt_hdr_tty, ckpt_hdr_ldisc_n_tty.
"""

from typing import Annotated

from cr.image.types import (
    HDR_TTY,
    HDR_TTY_LDISC,
    N_TTY_BUFFER_BYTES,
    TERMIOS_CHARACTERS,
    Framed,
)
from emu.layout import Record, at, hex32, hex64, raw, record, s32, u8, u16, u32

# Spelled here because LdiscNTty has a field named raw.
ThreeBytes = Annotated[bytes, raw(3)]
ReadFlags = Annotated[bytes, raw(N_TTY_BUFFER_BYTES // 8)]


@record(size=44)
class Termios(Record):
    """Terminal settings, as wide as any architecture needs them."""

    c_iflag: hex32 = at("input modes")
    c_oflag: hex32 = at("output modes")
    c_cflag: hex32 = at("control modes")
    c_lflag: hex32 = at("local modes")
    c_ispeed: u32 = at("input speed")
    c_ospeed: u32 = at("output speed")
    c_line: u8 = at("line discipline")
    c_cc: Annotated[bytes, raw(TERMIOS_CHARACTERS)] = at("control characters")


@record(size=8)
class Winsize(Record):
    """Window size."""

    ws_row: u16 = at("rows")
    ws_col: u16 = at("columns")
    ws_xpixel: u16 = at("pixels across")
    ws_ypixel: u16 = at("pixels down")


@record(size=96)
class Tty(Framed):
    """One end of a pseudo terminal."""

    TYPE = HDR_TTY

    driver_type: u16 = at("TTY_DRIVER_TYPE_*")
    driver_subtype: u16 = at("master or slave")
    link_objref: s32 = at("slave: object number of its master; master: 0")
    file_objref: s32 = at("master: object number of its open file")
    pad: u32 = at("zero", default=0, must_be=0)
    index: u32 = at("the number in /dev/pts")
    ldisc: u32 = at("line discipline; only N_TTY")
    flags: hex64 = at("TTY_*")
    termios: Termios = at("settings")
    pad_termios: u32 = at("zero", default=0, must_be=0)
    winsize: Winsize = at("window")

    def invalid(self) -> str | None:
        if self.link_objref < 0 or self.file_objref < 0:
            return "object numbers must not be negative"
        return None


@record(size=560)
class LdiscNTty(Framed):
    """State of the N_TTY line discipline; a BUFFER of datalen bytes follows unless it is 0."""

    TYPE = HDR_TTY_LDISC

    column: u32 = at("cursor column")
    datalen: u32 = at("bytes waiting to be read")
    canon_column: u32 = at("column where the current line began")
    canon_datalen: u32 = at("bytes waiting that belong to complete lines")
    canon_data: u32 = at("number of complete lines")
    minimum_to_wake: u16 = at("bytes that wake a reader")
    stopped: u8 = at("output is stopped")
    hw_stopped: u8 = at("output is stopped by the line")
    flow_stopped: u8 = at("output is stopped by TIOCPKT flow control")
    packet: u8 = at("packet mode")
    ctrl_status: u8 = at("packet mode: what to report")
    lnext: u8 = at("the next character is literal")
    erasing: u8 = at("an erase is being echoed")
    raw: u8 = at("no input processing")
    real_raw: u8 = at("raw, and the driver too")
    icanon: u8 = at("canonical mode")
    closing: u8 = at("closing")
    pad: ThreeBytes = at("zero", default=bytes(3), must_be=bytes(3))
    read_flags: ReadFlags = at("where lines end, as bits")
    pad_tail: u32 = at("zero", default=0, must_be=0)

    def invalid(self) -> str | None:
        if self.datalen > N_TTY_BUFFER_BYTES:
            return f"{self.datalen} bytes do not fit the buffer of {N_TTY_BUFFER_BYTES}"
        return "canon_datalen exceeds datalen" if self.canon_datalen > self.datalen else None
