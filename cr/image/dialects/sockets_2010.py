"""Sockets of 2009 and 2010: no mark whether queues follow, and the other end by its numbers.

Until v22 a SOCKET had 112 bytes: has_buffers came with v23-rc1. Which sockets have their queues
behind the file table is told by their state: all but those that listen or are closed (SOCK_DEAD).
That rule is UNVERIFIED; the sizes are not. SOCKET_UNIX had uid and gid of the other end where an
object number is now, -1 and -1 where there was none; on the way up, credentials with these numbers
are looked for in the image, and made if there are none.

Mirrors:  linux-cr v18 to v22, net/checkpoint.c and net/unix/checkpoint.c.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from cr.image import types as t
from cr.image.dialects.frames import Frame
from cr.image.dialects.objects import last_object
from cr.image.dialects.step import Passage
from cr.image.files import FileTable
from cr.image.header import Objref
from cr.image.security import Capabilities, Cred, Groupinfo, User
from cr.image.sockets import (
    SOCKADDR_UN_BYTES,
    Sock,
    SockCommon,
    Socket,
    SocketQueue,
    SocketUnix,
)
from cr.image.types import HDR_SOCKET, HDR_SOCKET_UNIX, Framed
from emu.layout import Record, at, hex32, hex64, raw, record, s32, u8, u32

NOBODY = 0xFFFFFFFF
SOCK_DEAD = 0x1
TCP_LISTEN = 10
_QUEUES = (t.HDR_SOCKET_QUEUE, t.HDR_EPOLL_ITEMS, t.HDR_BUFFER)
"""What stands behind a file table, outside of a queue."""
_IN_QUEUES = (t.OBJ_SOCK, t.OBJ_CRED, t.OBJ_USER, t.OBJ_GROUPINFO, t.OBJ_FILE)


@record(size=112)
class Socket2010(Framed):
    """A socket of any family."""

    TYPE = HDR_SOCKET

    socket_flags: hex64 = at("struct socket: flags")
    socket_state: u8 = at("struct socket: SS_*")
    pad_state: Annotated[bytes, raw(7)] = at("alignment", default=bytes(7))
    sock_common: SockCommon = at("common part")
    pad_common: u32 = at("alignment", default=0)
    sock: Sock = at("options and state")


@record(size=256)
class SocketUnix2010(Framed):
    """A UNIX socket: whom it talks to, under what names."""

    TYPE = HDR_SOCKET_UNIX

    this: s32 = at("its own object number")
    peer: s32 = at("object number of the other end; 0: none")
    peercred_uid: u32 = at("user at the other end; -1: none")
    peercred_gid: u32 = at("group at the other end")
    flags: hex32 = at("UNIX_LINKED: its name is still in the file system")
    laddr_len: u32 = at("length of laddr; 0: it has no name")
    raddr_len: u32 = at("length of raddr")
    laddr: Annotated[bytes, raw(SOCKADDR_UN_BYTES)] = at("its name: sockaddr_un")
    raddr: Annotated[bytes, raw(SOCKADDR_UN_BYTES)] = at("the name of the other end")


RECORDS: tuple[type[Record], ...] = (Socket2010, SocketUnix2010)


class _Credentials:
    """Which credentials there have been so far, by their numbers."""

    def __init__(self, passage: Passage) -> None:
        self._passage = passage
        self._open: list[int] = []
        self.ids: dict[int, tuple[int, int]] = {}

    def see(self, frame: Frame) -> None:
        """One frame after the other."""
        if frame.type_no == t.HDR_OBJREF:
            objref = self._passage.unpack(Objref, frame)
            if objref.objtype == t.OBJ_CRED:
                self._open.append(objref.objref)
        elif frame.type_no == t.HDR_CRED and self._open:
            cred = self._passage.unpack(Cred, frame)
            self.ids[self._open.pop()] = (cred.euid, cred.egid)

    def find(self, ids: tuple[int, int]) -> int:
        """The first that has them; 0: none."""
        return next((number for number, each in self.ids.items() if each == ids), 0)


def has_queues(sock: Sock) -> bool:
    """Do the queues of a socket in this state follow the file table?"""
    return sock.state != TCP_LISTEN and not sock.flags & SOCK_DEAD


def down(passage: Passage, frames: list[Frame]) -> list[Frame]:
    """Sockets of 2011 -> those of 2010, with empty queues where a queue was left out."""
    if not any(frame.type_no == t.HDR_SOCKET for frame in frames):
        return frames
    return _Down(passage).frames(frames)


class _Down:
    """Goes through the frames once; keeps which queues are due behind the file table."""

    def __init__(self, passage: Passage) -> None:
        self._passage = passage
        self._credentials = _Credentials(passage)
        self._due: list[bool] = []
        """Of each socket met, in order: is its queue among the frames?"""
        self._descriptors = -1
        """How many are still to come of the table that is being read; -1: none is."""
        self._out: list[Frame] = []

    def frames(self, frames: list[Frame]) -> list[Frame]:
        """All of them."""
        place = 0
        while place < len(frames):
            frame = frames[place]
            place += 1
            self._take(frame)
            if frame.type_no == t.HDR_FILE_TABLE:
                self._descriptors = self._passage.unpack(FileTable, frame).fdt_nfds
            elif frame.type_no == t.HDR_FILE_DESC:
                self._descriptors -= 1
            if not self._descriptors:
                place = self._behind_table(frames, place)
                self._descriptors = -1
        return self._out

    def _take(self, frame: Frame) -> None:
        passage = self._passage
        self._credentials.see(frame)
        if frame.type_no == t.HDR_SOCKET:
            socket = passage.unpack(Socket, frame)
            if has_queues(socket.sock):
                self._due.append(bool(socket.has_buffers))
            elif socket.has_buffers:
                passage.no(frame, "messages for a socket that listens or is closed")
            older = Socket2010(
                socket_flags=socket.socket_flags,
                socket_state=socket.socket_state,
                sock_common=socket.sock_common,
                sock=socket.sock,
            )
            frame = passage.packed(t.HDR_SOCKET, older, frame)
        elif frame.type_no == t.HDR_SOCKET_UNIX:
            frame = self._unix(frame)
        self._out.append(frame)

    def _unix(self, frame: Frame) -> Frame:
        unix = self._passage.unpack(SocketUnix, frame)
        uid, gid = NOBODY, NOBODY
        if unix.peercred:
            if unix.peercred not in self._credentials.ids:
                self._passage.refuse(frame, f"there are no credentials {unix.peercred}")
            uid, gid = self._credentials.ids[unix.peercred]
        older = SocketUnix2010(
            this=unix.this,
            peer=unix.peer,
            peercred_uid=uid,
            peercred_gid=gid,
            flags=unix.flags,
            laddr_len=unix.laddr_len,
            raddr_len=unix.raddr_len,
            laddr=unix.laddr,
            raddr=unix.raddr,
        )
        return self._passage.packed(t.HDR_SOCKET_UNIX, older, frame)

    def _behind_table(self, frames: list[Frame], place: int) -> int:
        """The queues of the sockets that were met; where they end."""
        while place < len(frames) and self._is_behind(frames[place]):
            frame = frames[place]
            if frame.type_no != t.HDR_SOCKET_QUEUE:
                self._take(frame)
                place += 1
                continue
            self._empty_queues(frame)
            if not self._due:
                self._passage.refuse(frame, "a queue of no socket")
            self._due.pop(0)
            place = self._queue(frames, place)
        self._empty_queues(self._out[-1], all_of_them=True)
        return place

    def _is_behind(self, frame: Frame) -> bool:
        if frame.type_no == t.HDR_OBJREF:
            return self._passage.unpack(Objref, frame).objtype in _IN_QUEUES
        return frame.type_no in _QUEUES

    def _empty_queues(self, like: Frame, *, all_of_them: bool = False) -> None:
        """Those that are due before the next one that is there."""
        while self._due and not self._due[0]:
            self._due.pop(0)
            empty = SocketQueue(skb_count=0, total_bytes=0)
            self._out += [self._passage.packed(t.HDR_SOCKET_QUEUE, empty, like)] * 2
        if all_of_them and self._due:
            self._passage.refuse(like, "the queue of a socket is missing")

    def _queue(self, frames: list[Frame], place: int) -> int:
        """Both directions of one socket, and whatever is met in them."""
        ends = 0
        while place < len(frames) and ends < 2:
            ends += frames[place].type_no == t.HDR_SOCKET_QUEUE
            self._take(frames[place])
            place += 1
        return place


def up(passage: Passage, frames: list[Frame]) -> list[Frame]:
    """Sockets of 2010 -> those of 2011."""
    credentials = _Credentials(passage)
    last = last_object(passage, frames)
    found: list[Frame] = []
    for frame in frames:
        credentials.see(frame)
        if frame.type_no == t.HDR_SOCKET:
            socket = passage.unpack(Socket2010, frame)
            newer = Socket(
                has_buffers=int(has_queues(socket.sock)),
                socket_flags=socket.socket_flags,
                socket_state=socket.socket_state,
                sock_common=socket.sock_common,
                sock=socket.sock,
            )
            frame = passage.packed(t.HDR_SOCKET, newer, frame)
        elif frame.type_no == t.HDR_SOCKET_UNIX:
            unix = passage.unpack(SocketUnix2010, frame)
            peercred, ids = 0, (unix.peercred_uid, unix.peercred_gid)
            if ids != (NOBODY, NOBODY):
                peercred = credentials.find(ids)
                if not peercred:
                    made = list(_made(passage, frame, ids, last))
                    for one in made:
                        credentials.see(one)
                    found += made
                    peercred, last = last + 1, last + 3
            frame = _unix_up(passage, frame, unix, peercred)
        found.append(frame)
    return found


def _unix_up(passage: Passage, frame: Frame, unix: SocketUnix2010, peercred: int) -> Frame:
    newer = SocketUnix(
        this=unix.this,
        peer=unix.peer,
        peercred=peercred,
        flags=unix.flags,
        laddr_len=unix.laddr_len,
        raddr_len=unix.raddr_len,
        laddr=unix.laddr,
        raddr=unix.raddr,
    )
    return passage.packed(t.HDR_SOCKET_UNIX, newer, frame)


def _made(passage: Passage, frame: Frame, ids: tuple[int, int], last: int) -> Iterator[Frame]:
    """Credentials that nobody acts with: only their numbers are ever looked at."""
    uid, gid = ids
    names = "cap_i_0 cap_i_1 cap_p_0 cap_p_1 cap_e_0 cap_e_1 cap_b_0 cap_b_1 securebits"
    none = Capabilities(**dict.fromkeys(names.split(), 0))
    cred = Cred(
        uid=uid,
        suid=uid,
        euid=uid,
        fsuid=uid,
        gid=gid,
        sgid=gid,
        egid=gid,
        fsgid=gid,
        user_ref=last + 2,
        groupinfo_ref=last + 3,
        sec_ref=0,
        cap_s=none,
    )
    records: tuple[Framed, ...] = (
        Objref(objtype=t.OBJ_CRED, objref=last + 1),
        Objref(objtype=t.OBJ_USER, objref=last + 2),
        User(uid=uid, userns_ref=0),
        Objref(objtype=t.OBJ_GROUPINFO, objref=last + 3),
        Groupinfo(ngroups=0, groups=()),
        cred,
    )
    for one in records:
        yield passage.packed(one.TYPE, one, frame)
