"""Every small world of UNIX sockets: a pair, and up to three things done to it.

A world is made in a tiny task, checkpointed, rebooted and restarted: the dumps are equal, a second
checkpoint is the same image, and whoever looks at the sockets (polls, receives all, receives what
was in received sockets, sends) sees the same as in the kernel that was never restarted.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import pytest

from cr.system import System
from guests.stories import ARCHES
from kernel_model.abi import socket as abi
from kernel_model.abi.errno import EBUSY, LinuxError
from kernel_model.dump import dump
from kernel_model.net.families import create
from kernel_model.net.message import Outgoing
from kernel_model.net.sockfs import SocketFile, open_socket
from kernel_model.net.unix_datagram import UnixDatagram
from kernel_model.net.unix_stream import ConnectedUnix
from kernel_model.task import Task
from tests.harness.tiny_tasks import pausing

A, B, EXTRA = 3, 4, 5
DONT_WAIT = abi.MSG_DONTWAIT | abi.MSG_NOSIGNAL


def _file(task: Task, fd: int) -> SocketFile:
    file = task.files.get(fd)
    assert isinstance(file, SocketFile)
    return file


def _address(task: Task, name: bytes) -> bytes:
    return abi.AF_UNIX.to_bytes(2, task.abi.byte_order) + name


def _send(task: Task, fd: int, text: bytes, *passed: int) -> None:
    files = tuple(task.files.get(each) for each in passed)
    _file(task, fd).socket.send_some(task, Outgoing(text, None, DONT_WAIT, None, files), 0)


def _receive(task: Task, fd: int) -> None:
    _file(task, fd).socket.recv(task, 2, DONT_WAIT).drop_files()


def _shut(task: Task, fd: int, how: int) -> None:
    _file(task, fd).socket.shutdown(task, how)


def _bind(task: Task, fd: int, name: bytes) -> None:
    _file(task, fd).socket.bind(task, _address(task, name))


def _connect(task: Task, fd: int, name: bytes) -> None:
    _file(task, fd).socket.connect(task, _address(task, name), dont_wait=True)


def _extra(task: Task, name: bytes) -> None:
    """A third socket, which listens (or only has a name)."""
    if EXTRA in dict(task.files.items()):
        raise EBUSY("there is a third socket")
    pair = [file for fd, file in task.files.items() if fd in (A, B)]
    kind = pair[0].socket.type if pair and isinstance(pair[0], SocketFile) else abi.SOCK_STREAM
    made = create(task, abi.AF_UNIX, kind, 0)
    task.files.install_at(EXTRA, open_socket(task, made, 0))
    made.bind(task, _address(task, name))
    if kind != abi.SOCK_DGRAM:
        made.listen(task, 1)


def _call(task: Task, name: bytes) -> None:
    """A fourth socket connects to the third, and says something."""
    made = create(task, abi.AF_UNIX, _file(task, EXTRA).socket.type, 0)
    file = open_socket(task, made, 0)
    try:
        made.connect(task, _address(task, name), dont_wait=True)
        made.send_some(task, Outgoing(b"call", None, DONT_WAIT, None), 0)
    finally:
        task.files.install(file, 64)


def _credentials(task: Task, fd: int) -> None:
    _file(task, fd).socket.options.passcred = True


Action = Callable[[Task], object]
ACTIONS: dict[str, Action] = {
    "a sends": lambda task: _send(task, A, b"abc"),
    "b sends": lambda task: _send(task, B, b"xyz"),
    "b receives": lambda task: _receive(task, B),
    "a sends a file": lambda task: _send(task, A, b"f", 1),
    "a sends b": lambda task: _send(task, A, b"s", B),
    "a sends itself and b": lambda task: _send(task, A, b"t", A, B),
    "a is half closed": lambda task: _shut(task, A, abi.SHUT_WR),
    "b reads no more": lambda task: _shut(task, B, abi.SHUT_RD),
    "a is closed": lambda task: task.files.close(A),
    "b is closed": lambda task: task.files.close(B),
    "a has a name": lambda task: _bind(task, A, b"\0name"),
    "b has a path": lambda task: _bind(task, B, b"/path"),
    "b gets credentials": lambda task: _credentials(task, B),
    "c listens": lambda task: _extra(task, b"\0server"),
    "c listens at a path": lambda task: _extra(task, b"/server"),
    "d connects": lambda task: _call(task, b"\0server"),
    "a connects to c": lambda task: _connect(task, A, b"\0server"),
    "c is closed": lambda task: task.files.close(EXTRA),
}
TYPES = {
    "stream": abi.SOCK_STREAM,
    "datagram": abi.SOCK_DGRAM,
    "packets": abi.SOCK_SEQPACKET,
}


def _world(task: Task, kind: int, names: tuple[str, ...]) -> list[str]:
    """Make the pair and do the things; the errors that there were."""
    pair = [create(task, abi.AF_UNIX, kind, 0) for _ in range(2)]
    one, other = pair
    if isinstance(one, ConnectedUnix) and isinstance(other, ConnectedUnix):
        one.join(other)
    elif isinstance(one, UnixDatagram) and isinstance(other, UnixDatagram):
        one.join(other)
    for fd, socket in zip((A, B), pair):
        task.files.install_at(fd, open_socket(task, socket, 0))
    return [_attempt(task, ACTIONS[name]) for name in names]


def _attempt(task: Task, action: Action) -> str:
    try:
        action(task)
    except LinuxError as error:
        return error.name
    except AssertionError:
        return "not a socket"
    return "done"


def _seen(task: Task) -> list[object]:
    """All that anybody can see of the sockets, found out in a fixed order."""
    seen: list[object] = []
    for fd, file in sorted(task.files.items()):
        if isinstance(file, SocketFile):
            seen += [(fd, *line) for line in _seen_of(task, file)]
    for fd, file in sorted(task.files.items()):
        if isinstance(file, SocketFile):
            seen.append((fd, _attempt(task, lambda task, fd=fd: _send(task, fd, b"z"))))  # type: ignore[misc]
    return seen


def _seen_of(task: Task, file: SocketFile) -> list[tuple[object, ...]]:
    socket = file.socket
    lines: list[tuple[object, ...]] = [(socket.poll(), socket.own_name(task))]
    if socket.state == abi.TCP_LISTEN:
        return [*lines, (len(socket.pending),)]
    lines.append((socket.unread(),))
    for _ in range(8):
        try:
            received = socket.recv(task, 16, DONT_WAIT)
        except LinuxError as error:
            lines.append((error.name,))
            break
        lines.append((received.data, received.address, received.cred, received.flags))
        for inner in received.files:
            name = type(inner).__name__
            known = isinstance(inner, SocketFile) and inner.socket is not socket
            lines.append((name, inner.socket.poll() if known else None))
        received.drop_files()
    return lines


def _check(kernel: System, task: Task, what: str) -> System:
    image = kernel.checkpoint()
    before = dump(kernel)
    seen = _seen(task)
    kernel = kernel.reboot()
    task = kernel.restart(image)
    assert dump(kernel) == before, what
    assert kernel.checkpoint() == image, what
    assert _seen(task) == seen, what
    for fd, _ in list(task.files.items()):
        if fd >= A:
            task.files.close(fd)
    net = kernel.nsproxy.net
    assert not net.abstract and not net.in_flight.counts, what
    for name in (b"path", b"server"):
        inode = kernel.vfs.rootfs.root.lookup(name)
        if inode is not None:
            assert inode.socket is None, what
            kernel.vfs.rootfs.root.unlink(name)
            kernel.vfs.root.dentry.drop(name)
    return kernel


def _run(arch: str, kind: str, length: int, step: int, start: int = 0) -> int:
    kernel, task = pausing(arch)
    worlds = list(product(ACTIONS, repeat=length))[start::step]
    for names in worlds:
        errors = _world(task, TYPES[kind], names)
        kernel = _check(kernel, task, f"{kind} on {arch}: {names}: {errors}")
        task = kernel.tasks[min(kernel.tasks)]
    kernel.power_off()
    return len(worlds)


@pytest.mark.slow
@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("arch", ARCHES)
def test_two_things_done(arch: str, kind: str) -> None:
    assert _run(arch, kind, 2, 1) == len(ACTIONS) ** 2


@pytest.mark.slow
@pytest.mark.parametrize("kind", TYPES)
def test_three_things_done_here_and_there(kind: str, law_seed: int) -> None:
    assert _run("x86_64", kind, 3, 29, law_seed % 29) > 190


@pytest.mark.nightly
@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("arch", ARCHES)
def test_three_things_done(arch: str, kind: str) -> None:
    assert _run(arch, kind, 3, 1) == len(ACTIONS) ** 3
