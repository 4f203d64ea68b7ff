"""Sockets in September 2009: messages are their bytes, and an internet socket is its address.

A SOCKET_BUFFER had 16 bytes, and a BUFFER behind it the message; offsets, fragments and the
credentials of the sender (the control block) came with v19. In which order its two fields lay, and
that a message of no bytes has an empty BUFFER, is UNVERIFIED.

SOCKET_INET had 48 bytes, as many as the frame and the end of the later record have: the two names
and their lengths. (Connections came with v19.) So a socket is carried if its name says all of it:
one that listens, or a datagram socket that is connected to nobody. UNVERIFIED but for the size.

Mirrors:  linux-cr v18, net/checkpoint.c -- sock_write_buffers, sock_read_buffers.
Deviates: sockets of IPv6, whose names do not fit, are refused.
"""

from __future__ import annotations

import struct

from cr.image import types as t
from cr.image.dialects.frames import Frame
from cr.image.dialects.records_2009 import SocketBuffer2009, SocketInet2009
from cr.image.dialects.sockets_2010 import Socket2010
from cr.image.dialects.step import Passage
from cr.image.header import Objref
from cr.image.sockets import AckState, SocketBuffer, SocketInet, TcpState

CONVERSATION = "an internet socket of which its own address does not say all"
SOURCE = "where a datagram has come from"
AF_UNIX, AF_INET = 1, 2
SENDERS = "who has sent a message (SCM_CREDENTIALS): process 0, root"
_PASSCRED = 1 << 3
_CB_BYTES = 48


def down(passage: Passage, frames: list[Frame]) -> list[Frame]:
    """Messages of 2010 -> those of 2009."""
    sockets: dict[int, Socket2010] = {}
    number = 0
    kept: list[Frame] = []
    for frame in frames:
        if frame.type_no == t.HDR_OBJREF:
            number = passage.unpack(Objref, frame).objref
        elif frame.type_no == t.HDR_SOCKET:
            sockets[number] = passage.unpack(Socket2010, frame)
        elif frame.type_no == t.HDR_SOCKET_INET:
            frame = _inet_down(passage, frame)
        elif frame.type_no == t.HDR_SOCKET_BUFFER:
            kept += _message_down(passage, frame, sockets.get(_holder(passage, frame)))
            continue
        kept.append(frame)
    return kept


def _holder(passage: Passage, frame: Frame) -> int:
    return passage.unpack(SocketBuffer, frame).pr_objref


def _message_down(passage: Passage, frame: Frame, socket: Socket2010 | None) -> list[Frame]:
    buffer = passage.unpack(SocketBuffer, frame)
    if buffer.nr_frags or buffer.data_offset or buffer.lin_len != buffer.skb_len:
        passage.no(frame, "a message in fragments, or with headers")
    if any(buffer.cb):
        if socket is None or socket.sock_common.family != AF_UNIX:
            passage.no(frame, SOURCE)
        if socket.socket_flags & _PASSCRED:
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
        if frame.type_no == t.HDR_SOCKET_INET:
            frame = _inet_up(passage, frame)
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


def _inet_down(passage: Passage, frame: Frame) -> Frame:
    record = passage.unpack(SocketInet, frame)
    older = SocketInet2009(
        laddr_len=record.laddr_len,
        raddr_len=record.raddr_len,
        laddr=record.laddr,
        raddr=record.raddr,
    )
    if record.raddr_len or _inet_of(passage, frame, older) != record:
        passage.no(frame, CONVERSATION)
    return passage.packed(t.HDR_SOCKET_INET, older, frame)


def _inet_up(passage: Passage, frame: Frame) -> Frame:
    older = passage.unpack(SocketInet2009, frame)
    return passage.packed(t.HDR_SOCKET_INET, _inet_of(passage, frame, older), frame)


def _inet_of(passage: Passage, frame: Frame, older: SocketInet2009) -> SocketInet:
    """What a name alone says of a socket."""
    family, port, address = struct.unpack_from(f"{passage.order}HHI", older.laddr)
    if older.laddr_len not in (0, len(older.laddr)) or family != AF_INET * bool(older.laddr_len):
        passage.no(frame, "a name that is no address of IPv4")
    each = AckState.__annotations__, TcpState.__annotations__
    ack, tcp = (dict.fromkeys(set(names) - {"pad"}, 0) for names in each)
    return SocketInet(
        daddr=0,
        rcv_saddr=address,
        saddr=address,
        dport=0,
        num=int.from_bytes(older.laddr[2:4], "big"),
        sport=port,
        uc_ttl=-1,
        cmsg_flags=0,
        icsk_ack=AckState(**ack),
        tcp=TcpState(**tcp),  # type: ignore[arg-type]
        inet6_saddr=bytes(16),
        inet6_rcv_saddr=bytes(16),
        inet6_daddr=bytes(16),
        laddr_len=older.laddr_len,
        raddr_len=older.raddr_len,
        laddr=older.laddr,
        raddr=older.raddr,
    )
