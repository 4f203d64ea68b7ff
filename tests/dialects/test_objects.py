"""Sockets, terminals and System V objects from v18 to v23-rc1: carried, or refused by name."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from cr.image import types as t
from cr.image.dialects import ipc_2009, ours, sockets_2009, sockets_2010
from cr.image.dialects.arch import terminals_2010
from cr.image.dialects.frames import Frame, cut, join
from cr.image.dialects.step import Passage
from cr.image.errors import ImageError
from cr.image.extensions import TtyExtra
from cr.image.header import Header
from cr.image.ipc import IpcMsgMsg, IpcPerms, IpcSem
from cr.image.network import InetOption, InetOptions, NetState, SocketExtra
from cr.image.security import Cred
from cr.image.sockets import Socket, SocketBuffer, SocketInet, SocketUnix
from cr.image.stream import byte_order
from cr.image.terminals import Termios, Tty
from cr.image.walk import walk
from cr.tools.convert import convert, upgrade
from emu.layout import BIG, LITTLE
from tests.dialects.old_images import STORIES, changed, ended, halfway

PTY = ("x86_32", "terminals/canonical", 25)
FULL = ("x86_32", "sockets/full", 12)


def refused(image: bytes, name: str, words: str) -> None:
    with pytest.raises(ImageError, match=re.escape(f"{name} has no place for {words}")):
        convert(image, name)


@pytest.mark.parametrize(("name", "arch", "story", "calls"), STORIES)
def test_a_story_goes_on(name: str, arch: str, story: str, calls: int) -> None:
    half = halfway(arch, story, calls)
    old = convert(half.native, name).image
    upgraded = upgrade(old)
    assert upgraded.dialect == name
    assert convert(upgraded.image, name).image == old, "written again, it is another image"
    assert half.said + ended(arch, old, half.disk) == half.straight


def test_a_socket_without_messages_has_empty_queues() -> None:
    """Until v22 nothing said whether they follow; natively they are left out."""
    native = halfway("x86_64", "sockets/listen_accept", 26).native
    marks = [item.value.has_buffers for item in walk(native) if isinstance(item.value, Socket)]
    frames = cut(convert(native, "v21").image, LITTLE)
    sockets = [
        sockets_2010.Socket2010.unpack(frame.payload, LITTLE)
        for frame in frames
        if frame.type_no == t.HDR_SOCKET
    ]
    due = [sockets_2010.has_queues(one.sock) for one in sockets]
    assert 0 < sum(due) < len(due) and sum(marks) < sum(due)
    queues = [frame for frame in frames if frame.type_no == t.HDR_SOCKET_QUEUE]
    assert len(queues) == 2 * sum(due)
    newer = [item.value for item in walk(upgrade(join(frames, LITTLE)).image)]
    found = [one for one in newer if isinstance(one, Socket)]
    assert [one.has_buffers for one in found] == due


def test_a_queue_keeps_its_place_between_empty_ones() -> None:
    """Two of three sockets have nothing: their queues come before and after the full one."""
    native = halfway(*FULL).native
    order = byte_order(native)
    passage = Passage("v21", order)
    frames = sockets_2010.down(passage, ours.without_ours(passage, cut(native, order)))
    counts = [
        int.from_bytes(frame.payload[:4], "little")
        for frame in frames
        if frame.type_no == t.HDR_SOCKET_QUEUE
    ]
    places = [item.value.has_buffers for item in walk(native) if isinstance(item.value, Socket)]
    full = places.index(1)
    assert [bool(count) for count in counts[::2]] == [place == full for place in range(len(places))]


def test_the_other_end_is_known_by_its_numbers() -> None:
    native = halfway(*FULL).native
    old = convert(native, "v21").image
    frames = cut(old, LITTLE)
    place = next(k for k, frame in enumerate(frames) if frame.type_no == t.HDR_SOCKET_UNIX)
    unix = sockets_2010.SocketUnix2010.unpack(frames[place].payload, LITTLE)
    assert (unix.peercred_uid, unix.peercred_gid) == (0, 0)
    stranger = replace(unix, peercred_uid=1000, peercred_gid=100)
    frames[place] = Frame(t.HDR_SOCKET_UNIX, stranger.pack(LITTLE))
    newer = upgrade(join(frames, LITTLE)).image
    creds = [item for item in walk(newer) if isinstance(item.value, Cred)]
    made = [item for item in creds if item.value.euid == 1000]  # type: ignore[union-attr]
    assert len(made) == 1 and made[0].value.egid == 100  # type: ignore[union-attr]
    sockets = [item.value for item in walk(newer) if isinstance(item.value, SocketUnix)]
    assert sockets[0].peercred == made[0].objref
    again = cut(convert(newer, "v21").image, LITTLE)
    kept = [frame.payload for frame in again if frame.type_no == t.HDR_SOCKET_UNIX]
    assert bytes(kept[0]) == stranger.pack(LITTLE)


def test_nobody_at_the_other_end() -> None:
    half = halfway("ppc64", "sockets/datagram", 35)
    frames = cut(convert(half.native, "v21").image, BIG)
    found = [
        sockets_2010.SocketUnix2010.unpack(frame.payload, BIG)
        for frame in frames
        if frame.type_no == t.HDR_SOCKET_UNIX
    ]
    assert {one.peercred_uid for one in found} == {sockets_2010.NOBODY}


def test_what_is_ours_is_told_or_refused() -> None:
    lost = convert(halfway(*FULL).native, "v23-rc1").lost
    assert ours.PEERS in lost and ours.CLOCK in lost
    pending = changed(
        halfway(*FULL).native, t.HDR_SOCKET_EXTRA, SocketExtra, walkable=False, pending=(1,)
    )
    refused(pending, "v23-rc1", "a connection that was not accepted yet")
    net = halfway("x86_64", "sockets/udp", 12).native
    assert ours.PORTS in convert(net, "v20").lost
    down = changed(net, t.HDR_NET_STATE, NetState, loopback_up=0)
    refused(down, "v20", "a loopback device that is down")
    tty = halfway(*PTY).native
    assert ours.TTYS in convert(tty, "v18").lost
    echoes = changed(tty, t.HDR_TTY_EXTRA, TtyExtra, echo_bytes=1, content=b"x")
    refused(echoes, "v18", "echoes or input on their way through a terminal")
    refused(changed(tty, t.HDR_TTY_EXTRA, TtyExtra, device=1), "v18", "an open console")


def test_options_and_ends_of_a_conversation() -> None:
    talk = halfway("x86_64", "sockets/tcp_talk", 24).native
    assert any(item.type_no == t.HDR_INET_OPTIONS for item in walk(talk))
    half = halfway("x86_64", "sockets/tcp_talk", 24)
    assert half.said + ended("x86_64", convert(talk, "v20").image, half.disk) == half.straight
    frames = cut(talk, LITTLE)
    for place, frame in enumerate(frames):
        if frame.type_no == t.HDR_SOCKET:
            socket = Socket.unpack(frame.payload, LITTLE)
            closed = replace(socket.sock, state=9)  # TCP_LAST_ACK
            frames[place] = Frame(t.HDR_SOCKET, replace(socket, sock=closed).pack(LITTLE))
    refused(join(frames, LITTLE), "v20", "a TCP connection that both ends have closed")
    nodelay = InetOption(level=6, name=1, value=1)
    interval = InetOption(level=6, name=5, value=30)
    both = changed(talk, t.HDR_INET_OPTIONS, InetOptions, flags=0, options=(nodelay, interval))
    refused(both, "v20", "options of an internet socket (level/name 6/5)")
    one = changed(talk, t.HDR_INET_OPTIONS, InetOptions, flags=0, options=(nodelay,))
    assert ours.CHOSEN not in convert(one, "v20").lost
    bound = changed(talk, t.HDR_INET_OPTIONS, InetOptions, flags=1, options=())
    assert ours.CHOSEN in convert(bound, "v20").lost


def test_who_has_queues() -> None:
    native = halfway("x86_64", "sockets/listen_accept", 26).native
    frames = cut(native, LITTLE)
    sockets = [
        (place, Socket.unpack(frame.payload, LITTLE))
        for place, frame in enumerate(frames)
        if frame.type_no == t.HDR_SOCKET
    ]
    listening = [one for one in sockets if one[1].sock.state == sockets_2010.TCP_LISTEN]
    (place, socket), *_ = listening
    dead = replace(socket.sock, state=1, flags=socket.sock.flags | sockets_2010.SOCK_DEAD)
    assert not sockets_2010.has_queues(dead) and not sockets_2010.has_queues(socket.sock)
    assert sockets_2010.has_queues(replace(socket.sock, state=7))
    frames[place] = Frame(t.HDR_SOCKET, replace(socket, has_buffers=1).pack(LITTLE))
    with pytest.raises(ImageError, match="messages for a socket that listens or is closed"):
        sockets_2010.down(Passage("v21", LITTLE), frames)


def test_a_message_of_no_bytes() -> None:
    """A datagram may be empty: its BUFFER was, until v18; natively there is none."""
    passage = Passage("v18", LITTLE)
    blank = dict.fromkeys(SocketBuffer.__dataclass_fields__, 0)  # type: ignore[attr-defined]
    for content in (b"", b"hello"):
        size = len(content)
        record = SocketBuffer(**blank | {"lin_len": size, "skb_len": size, "cb": bytes(48)})  # type: ignore[arg-type]
        frames = [Frame(t.HDR_SOCKET_BUFFER, record.pack(LITTLE))]
        frames += [Frame(t.HDR_BUFFER, content)] if content else []
        older = sockets_2009.down(passage, frames)
        assert [frame.type_no for frame in older] == [t.HDR_SOCKET_BUFFER, t.HDR_BUFFER]
        newer = sockets_2009.up(passage, older)
        assert [bytes(frame.payload) for frame in newer] == [
            bytes(frame.payload) for frame in frames
        ]
    with pytest.raises(ImageError, match="no BUFFER with the message follows"):
        sockets_2009.up(passage, older[:1])


def termios(**values: object) -> bytes:
    native = halfway(*PTY).native
    tty = [item.value for item in walk(native) if isinstance(item.value, Tty)][-1]
    return changed(native, t.HDR_TTY, Tty, termios=replace(tty.termios, **values))  # type: ignore[arg-type]


def test_settings_that_termio_cannot_hold() -> None:
    refused(termios(c_cflag=0x800004BF), "v20", "modes of a terminal above the sixteenth bit")
    refused(termios(c_cc=bytes(19)), "v20", "control characters of a terminal after the eighth")
    refused(termios(c_ispeed=9600), "v20", "a terminal at 9600 and 38400 baud")
    slow = termios(c_cflag=0xBD, c_ispeed=9600, c_ospeed=9600)
    fast = termios(c_cflag=0x10B2, c_ispeed=115200, c_ospeed=115200)
    for image in (slow, fast):
        given = [item.value for item in walk(image) if isinstance(item.value, Tty)]
        back = upgrade(convert(image, "v20").image).image
        assert [item.value for item in walk(back) if isinstance(item.value, Tty)] == given


def test_a_speed_of_nobody_is_refused() -> None:
    old = cut(convert(halfway(*PTY).native, "v20").image, LITTLE)
    place = next(k for k, frame in enumerate(old) if frame.type_no == t.HDR_TTY)
    tty = terminals_2010.Tty2010.unpack(old[place].payload, LITTLE)
    strange = replace(tty, termios=replace(tty.termios, c_cflag=0x1000))
    old[place] = Frame(t.HDR_TTY, strange.pack(LITTLE))
    with pytest.raises(ImageError, match="have no speed of then"):
        upgrade(join(old, LITTLE))


def test_powerpc_has_other_terminals() -> None:
    native = halfway("ppc32", "terminals/canonical", 25).native
    refused(native, "v23-rc1", "terminals of PowerPC")
    frames = cut(convert(halfway("ppc32").native, "v23-rc1").image, BIG)
    header = Header.unpack(frames[0].payload, BIG)
    terminal = Frame(t.HDR_TTY, bytes(64))
    passage = Passage("v23-rc1", BIG)
    first = passage.packed(t.HDR_HEADER, replace(header, arch_id=t.ARCH_PPC32), frames[0])
    with pytest.raises(ImageError, match="terminals of PowerPC"):
        terminals_2010.up(passage, [first, terminal])


def test_v18_lacks_what_came_with_v19() -> None:
    talk = halfway("ppc64", "sockets/tcp_talk", 18).native
    refused(talk, "v18", sockets_2009.CONVERSATION)
    refused(halfway("x86_32", "sockets/udp", 10).native, "v18", sockets_2009.SOURCE)
    six = changed(
        halfway("x86_32", "sockets/udp", 4).native,
        t.HDR_SOCKET_INET,
        SocketInet,
        inet6_daddr=b"6" * 16,
    )
    refused(six, "v18", sockets_2009.CONVERSATION)
    native = halfway(*FULL).native
    assert sockets_2009.SENDERS in convert(native, "v18").lost
    order = byte_order(native)
    frames = cut(native, order)
    for place, frame in enumerate(frames):
        if frame.type_no == t.HDR_SOCKET:
            asking = replace(Socket.unpack(frame.payload, order), socket_flags=8)
            frames[place] = Frame(t.HDR_SOCKET, asking.pack(order))
    asked = join(frames, order)
    refused(asked, "v18", "the credentials that a message brings (SO_PASSCRED)")
    assert convert(asked, "v21").image


def test_labels_and_wide_types_of_messages() -> None:
    queue = halfway("x86_32", "ipc/messages", 13).native
    wide = changed(queue, t.HDR_IPC_MSG_MSG, IpcMsgMsg, m_type=1 << 40)
    with pytest.raises(ImageError, match="m_type"):
        convert(wide, "v18")
    assert convert(wide, "v20").image
    semaphores = halfway("x86_32", "ipc/semaphores", 8).native
    sem = next(item.value for item in walk(semaphores) if isinstance(item.value, IpcSem))
    perms: IpcPerms = replace(sem.perms, sec_ref=3)
    labelled = changed(semaphores, t.HDR_IPC_SEM, IpcSem, walkable=False, perms=perms)
    refused(labelled, "v18", ipc_2009.LABEL)


def test_standard_settings_are_those_of_the_kernel() -> None:
    """What the records of 2010 leave out is what a new terminal of our kernel has."""
    from kernel_model.abi.termios import GENERIC

    for new in terminals_2010.NEW_TERMINALS.values():
        assert new.characters == GENERIC.initial_cc[terminals_2010.NCC :]
        assert new.speed_bits == GENERIC.CBAUD
    assert len(Termios.__dataclass_fields__) == 8  # type: ignore[attr-defined]
