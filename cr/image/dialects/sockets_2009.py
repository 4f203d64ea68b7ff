"""Messages of UNIX sockets in September 2009: who has them, and their bytes.

A SOCKET_BUFFER had 16 bytes, and a BUFFER behind it the message; offsets, fragments and the
credentials of the sender (the control block) came with v19. In which order its two fields lay, and
that a message of no bytes has an empty BUFFER, is UNVERIFIED.

Mirrors:  linux-cr v18, net/checkpoint.c -- sock_write_buffers, sock_read_buffers.
Deviates: internet sockets are refused: of their record only the length (48 bytes) is known.
"""

from __future__ import annotations

from cr.image import types as t
from cr.image.dialects.frames import Frame
from cr.image.dialects.records_2009 import SocketBuffer2009
from cr.image.dialects.sockets_2010 import Socket2010
from cr.image.dialects.step import Passage
from cr.image.header import Objref
from cr.image.sockets import SocketBuffer

INTERNET = "internet sockets, as this converter knows it"
SENDERS = "who has sent a message (SCM_CREDENTIALS): process 0, root"
_PASSCRED = 1 << 3
_CB_BYTES = 48


def down(passage: Passage, frames: list[Frame]) -> list[Frame]:
    """Messages of 2010 -> those of 2009."""
    flags: dict[int, int] = {}
    number = 0
    kept: list[Frame] = []
    for frame in frames:
        if frame.type_no == t.HDR_OBJREF:
            number = passage.unpack(Objref, frame).objref
        elif frame.type_no == t.HDR_SOCKET:
            flags[number] = passage.unpack(Socket2010, frame).socket_flags
        elif frame.type_no == t.HDR_SOCKET_BUFFER:
            kept += _message_down(passage, frame, flags)
            continue
        kept.append(frame)
    return kept


def _message_down(passage: Passage, frame: Frame, flags: dict[int, int]) -> list[Frame]:
    buffer = passage.unpack(SocketBuffer, frame)
    if buffer.nr_frags or buffer.data_offset or buffer.lin_len != buffer.skb_len:
        passage.no(frame, "a message in fragments, or with headers")
    if any(buffer.cb):
        if flags.get(buffer.pr_objref, 0) & _PASSCRED:
            passage.no(frame, "the credentials that a message brings (SO_PASSCRED)")
        passage.lose(SENDERS)
    older = SocketBuffer2009(sk_objref=buffer.sk_objref, pr_objref=buffer.pr_objref)
    made = [passage.packed(t.HDR_SOCKET_BUFFER, older, frame)]
    return made if buffer.lin_len else [*made, Frame(t.HDR_BUFFER, b"", frame.offset)]


def up(passage: Passage, frames: list[Frame]) -> list[Frame]:
    """Messages of 2009 -> those of 2010."""
    found: list[Frame] = []
    place = 0
    while place < len(frames):
        frame = frames[place]
        place += 1
        if frame.type_no != t.HDR_SOCKET_BUFFER:
            found.append(frame)
            continue
        older = passage.unpack(SocketBuffer2009, frame)
        if place == len(frames) or frames[place].type_no != t.HDR_BUFFER:
            passage.refuse(frame, "no BUFFER with the message follows")
        content = frames[place]
        place += 1
        names = "transport_header network_header mac_header frg_len hdr_len mac_len data_offset"
        newer = SocketBuffer(
            lin_len=len(content.payload),
            skb_len=len(content.payload),
            sk_objref=older.sk_objref,
            pr_objref=older.pr_objref,
            protocol=0,
            nr_frags=0,
            cb=bytes(_CB_BYTES),
            **dict.fromkeys(names.split(), 0),
        )
        found.append(passage.packed(t.HDR_SOCKET_BUFFER, newer, frame))
        if len(content.payload):
            found.append(content)
    return found
