"""Our own records on the way down: which of them a restarted program can do without.

Linux-cr had none of them. Whatever would change what a program does next is refused by name; what
every version of the original lost as well (the clock, pids behind a socket, the owner of a name in
/dev/pts) is left out and told.

Mirrors:  nothing; what the original lost in silence is in the docstrings of `cr.image.extensions`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from cr.image import types as t
from cr.image.dialects.frames import Frame
from cr.image.dialects.step import Passage
from cr.image.extensions import Machine, TtyExtra
from cr.image.network import InetOptions, NetState, SocketExtra
from cr.image.sockets import Socket

CLOCK = "the virtual clock, the random source and the order of the run queue: a new machine's"
PEERS = "which process is at the other end of a socket: SO_PEERCRED tells pid 0"
PORTS = "which port or name the kernel chooses next, and ports that wait (TIME_WAIT)"
CHOSEN = "that bind() chose the port of a socket"
TTYS = "the owner and the times of a name in /dev/pts, and when the last byte of input came"
SEQUENCE = "the sequence numbers of the next System V objects: they begin again"
INODES = "number, owner, rights and times of pipes and sockets: they are made anew"
READY = "in which order an epoll set tells its news"
_FIN_RECEIVED = 2
_TCP_CLOSE_WAIT = 8
_IN_THE_RECORD = {(0, 2), (6, 1), (6, 3)}
"""(level, name) of IP_TTL, TCP_NODELAY, TCP_CORK: SOCKET_INET has them too."""


def byteorder(passage: Passage) -> Literal["little", "big"]:
    """The order of the image's bytes, as int.from_bytes wants it."""
    return "little" if passage.order == "<" else "big"


def _nothing(passage: Passage, frame: Frame) -> None:
    """Times of a task, choices by chance: they come with the clock."""


def _machine(passage: Passage, frame: Frame) -> None:
    passage.unpack(Machine, frame)
    passage.lose(CLOCK)


def _socket_extra(passage: Passage, frame: Frame) -> None:
    if passage.unpack(SocketExtra, frame).pending:
        passage.no(frame, "a connection that was not accepted yet")
    passage.lose(PEERS)


def _net_state(passage: Passage, frame: Frame) -> None:
    if not passage.unpack(NetState, frame).loopback_up:
        passage.no(frame, "a loopback device that is down")
    passage.lose(PORTS)


def _inet_options(passage: Passage, frame: Frame, state: int) -> None:
    """`state`: of the socket that they belong to."""
    record = passage.unpack(InetOptions, frame)
    others = [one for one in record.options if (one.level, one.name) not in _IN_THE_RECORD]
    if others:
        names = " ".join(f"{one.level}/{one.name}" for one in others)
        passage.no(frame, f"options of an internet socket (level/name {names})")
    if record.flags & _FIN_RECEIVED and state != _TCP_CLOSE_WAIT:
        passage.no(frame, "a TCP connection that both ends have closed")
    if record.flags & ~_FIN_RECEIVED:
        passage.lose(CHOSEN)


def _tty_extra(passage: Passage, frame: Frame) -> None:
    record = passage.unpack(TtyExtra, frame)
    if record.device:
        passage.no(frame, "an open console: only ptys were terminals")
    if record.content:
        passage.no(frame, "echoes or input on their way through a terminal")
    passage.lose(TTYS)


def _ipc_sequence(passage: Passage, frame: Frame) -> None:
    passage.lose(SEQUENCE)


def _nameless(passage: Passage, frame: Frame) -> None:
    passage.lose(INODES)


def _epoll_ready(passage: Passage, frame: Frame) -> None:
    passage.lose(READY)


_LEFT_OUT: dict[int, Callable[[Passage, Frame], None]] = {
    t.HDR_MACHINE: _machine,
    t.HDR_TASK_TIMES: _nothing,
    t.HDR_CHAOS: _nothing,
    t.HDR_GENERATION: _nothing,
    t.HDR_SOCKET_EXTRA: _socket_extra,
    t.HDR_NET_STATE: _net_state,
    t.HDR_TTY_EXTRA: _tty_extra,
    t.HDR_IPC_SEQUENCE: _ipc_sequence,
    t.HDR_EPOLL_READY: _epoll_ready,
    t.HDR_NAMELESS: _nameless,
    t.HDR_NAMELESS_NUMBERS: _nothing,
}


def without_ours(passage: Passage, frames: list[Frame]) -> list[Frame]:
    """Records of ours are left out or refused; so are kinds of open files that are ours."""
    kept: list[Frame] = []
    skip, state = False, 0
    for frame in frames:
        if skip:
            skip = False
            continue
        if frame.type_no == t.HDR_SOCKET:
            state = passage.unpack(Socket, frame).sock.state
        if frame.type_no == t.HDR_INET_OPTIONS:
            _inet_options(passage, frame, state)
            continue
        if frame.type_no in t.EXTENSION_TYPES:
            if frame.type_no not in _LEFT_OUT:
                passage.no(frame, f"what linux-cr never had: {t.record_name(frame.type_no)}")
            _LEFT_OUT[frame.type_no](passage, frame)
            skip = frame.type_no == t.HDR_MACHINE  # the state of its random source
            continue
        if frame.type_no == t.HDR_FILE:
            f_type = int.from_bytes(frame.payload[:4], byteorder(passage))
            if f_type >= t.FILE_MAX:
                passage.no(frame, f"open files of type {t.file_name(f_type)}")
        kept.append(frame)
    return kept
