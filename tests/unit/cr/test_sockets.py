"""Sockets that cannot be restored as they were, and those that must not be written."""

from __future__ import annotations

import pytest

from cr.collect import check_contained
from cr.context import Checkpoint, Refused, Restart
from cr.image import types as t
from cr.image.errors import ImageError
from cr.restart import read_image
from kernel_model.abi import socket as abi
from kernel_model.abi.errno import EAGAIN, EINPROGRESS, EPIPE, LinuxError
from kernel_model.boot import bare_task
from kernel_model.dump import dump
from kernel_model.net.families import create
from kernel_model.net.message import Outgoing
from kernel_model.net.socket import LEAST_RCVBUF, LEAST_SNDBUF, Socket
from kernel_model.net.sockfs import SocketFile, open_socket
from kernel_model.net.tcp import TcpSocket
from kernel_model.net.unix_stream import UnixStream
from kernel_model.task import Task
from tests.harness.tiny_tasks import pausing, restarted

PORT = (4242).to_bytes(2, "big")
QUIET = abi.MSG_DONTWAIT | abi.MSG_NOSIGNAL


def at(task: Task, fd: int, socket: Socket) -> Socket:
    task.files.install_at(fd, open_socket(task, socket, 0))
    return socket


def socket_at(task: Task, fd: int) -> Socket:
    file = task.files.get(fd)
    assert isinstance(file, SocketFile)
    return file.socket


def unix_pair(task: Task, fd: int) -> tuple[UnixStream, UnixStream]:
    """Connected streams; only the first has a descriptor."""
    net = task.nsproxy.net
    one, other = UnixStream(net), UnixStream(net)
    one.join(other)
    at(task, fd, one)
    open_socket(task, other, 0)
    return one, other


def tcp_pair(task: Task) -> tuple[Socket, Socket]:
    """A listener at descriptor 3, a client at 4; the accepted end has no descriptor."""
    address = abi.AF_INET.to_bytes(2, task.abi.byte_order) + PORT + bytes((127, 0, 0, 1)) + bytes(8)
    server = at(task, 3, create(task, abi.AF_INET, abi.SOCK_STREAM, 0))
    server.bind(task, address)
    server.listen(task, 5)
    client = at(task, 4, create(task, abi.AF_INET, abi.SOCK_STREAM, 0))
    with pytest.raises(EINPROGRESS):
        client.connect(task, address, dont_wait=True)
    client.connect(task, address, dont_wait=True)
    return client, server.accept(task, dont_wait=True)


def send(task: Task, socket: Socket, data: bytes) -> int:
    return socket.send_some(task, Outgoing(data, None, QUIET, None), 0)


def receive(task: Task, socket: Socket) -> bytes | str:
    try:
        return socket.recv(task, 16, QUIET).data
    except LinuxError as error:
        return error.name


def test_unix_end_without_the_other_reads_what_came_and_then_the_end() -> None:
    kernel, task = pausing("x86_64")
    _, other = unix_pair(task, 3)
    send(task, other, b"last words")
    kernel, task = restarted(kernel)
    socket = socket_at(task, 3)
    assert receive(task, socket) == b"last words"
    assert receive(task, socket) == b""
    with pytest.raises(EPIPE):
        send(task, socket, b"x")


def test_tcp_end_without_the_other_is_kept_and_reset_when_it_sends() -> None:
    kernel, task = pausing("ppc32")
    _, other = tcp_pair(task)
    open_socket(task, other, 0)
    send(task, other, b"last words")
    kernel, task = restarted(kernel)
    client = socket_at(task, 4)
    assert client.state == abi.TCP_ESTABLISHED
    assert receive(task, client) == b"last words"
    with pytest.raises(EAGAIN):
        client.recv(task, 1, QUIET)
    assert send(task, client, b"x") == 1
    assert receive(task, client) == "ECONNRESET"


def test_conn_reset_closes_connections_but_not_listeners() -> None:
    kernel, task = pausing("x86_32")
    _, other = tcp_pair(task)
    at(task, 5, other)
    image = kernel.checkpoint()
    kernel = kernel.reboot()
    opener = bare_task(kernel, 0)
    ctx = Restart(kernel, image, opener, t.RESTART_CONN_RESET)
    read_image(ctx)
    states = sorted(each.socket.state for each in ctx.sockets)
    assert states == [abi.TCP_CLOSE, abi.TCP_CLOSE, abi.TCP_LISTEN]
    ctx.end()
    assert not kernel.nsproxy.net.bound


def test_port_that_somebody_has_is_refused() -> None:
    kernel, task = pausing("x86_64")
    tcp_pair(task)
    image = kernel.checkpoint()
    kernel = kernel.reboot()
    opener = bare_task(kernel, 0)
    holder = TcpSocket(kernel.nsproxy.net, abi.AF_INET)
    open_socket(opener, holder, 0)
    address = abi.AF_INET.to_bytes(2, "little") + PORT + bytes((127, 0, 0, 1)) + bytes(8)
    holder.bind(opener, address)
    before = dump(kernel)
    with pytest.raises(ImageError, match="in use"):
        ctx = Restart(kernel, image, opener)
        try:
            read_image(ctx)
        finally:
            ctx.end()
    assert dump(kernel) == before and kernel.nsproxy.net.bound == [holder]


def bound(task: Task, fd: int, name: bytes) -> None:
    socket = at(task, fd, create(task, abi.AF_UNIX, abi.SOCK_STREAM, 0))
    socket.bind(task, abi.AF_UNIX.to_bytes(2, task.abi.byte_order) + name)


@pytest.mark.parametrize("name", [b"/name", b"name", b"bin/../name"])
def test_name_that_is_gone_from_the_disk_is_made_again(name: bytes) -> None:
    kernel, task = pausing("ppc64")
    bound(task, 3, name)
    image = kernel.checkpoint()
    kernel = kernel.reboot()
    kernel.vfs.rootfs.root.unlink(b"name")
    task = kernel.restart(image)
    inode = kernel.vfs.rootfs.root.lookup(b"name")
    assert inode is not None and inode.socket is socket_at(task, 3)


def test_name_of_another_file_is_refused_and_nothing_is_left() -> None:
    kernel, task = pausing("x86_64")
    bound(task, 3, b"/gone")
    bound(task, 4, b"/other")
    image = kernel.checkpoint()
    kernel = kernel.reboot()
    root = kernel.vfs.rootfs.root
    root.unlink(b"gone")
    root.unlink(b"other")
    root.create(b"other", 0o100644, 0, 0, 0, b"")
    before = dump(kernel)
    with pytest.raises(ImageError, match="no socket any more"):
        kernel.restart(image)
    assert dump(kernel) == before


def test_pure_image_refuses_what_the_original_refused() -> None:
    kernel, task = pausing("x86_64")
    one, _ = unix_pair(task, 3)
    out = Outgoing(b"f", None, QUIET, None, (task.files.get(1),))
    one.send_some(task, out, 0)
    with pytest.raises(Refused, match="SCM_RIGHTS") as refused:
        kernel.checkpoint(pure=True)
    assert refused.value.errno == 16


def test_other_end_outside_of_the_container_is_a_leak() -> None:
    kernel, task = pausing("x86_64")
    unix_pair(task, 3)
    ctx = Checkpoint(kernel, [], kernel.vfs.root, pure=False, caller=None)
    with pytest.raises(Refused, match="other end of a UNIX socket") as refused:
        check_contained(ctx, [task])
    assert refused.value.errno == 16


def test_files_on_their_way_are_users() -> None:
    kernel, task = pausing("x86_64")
    one, other = unix_pair(task, 3)
    assert other.file is not None
    task.files.install_at(4, other.file)
    one.send_some(task, Outgoing(b"f", None, QUIET, None, (task.files.get(1),)), 0)
    check_contained(Checkpoint(kernel, [], kernel.vfs.root, pure=False, caller=None), [task])


def test_connections_are_accepted_in_the_order_in_which_they_came() -> None:
    kernel, task = pausing("x86_64")
    name = abi.AF_UNIX.to_bytes(2, "little") + b"\0server"
    server = at(task, 3, create(task, abi.AF_UNIX, abi.SOCK_STREAM, 0))
    server.bind(task, name)
    server.listen(task, 5)
    for fd, text in ((4, b"first"), (5, b"second"), (6, b"third")):
        client = at(task, fd, create(task, abi.AF_UNIX, abi.SOCK_STREAM, 0))
        client.connect(task, name, dont_wait=True)
        send(task, client, text)
    kernel, task = restarted(kernel)
    server = socket_at(task, 3)
    accepted = [server.accept(task, dont_wait=True) for _ in range(3)]
    assert [receive(task, each) for each in accepted] == [b"first", b"second", b"third"]


def test_buffers_smaller_than_any_are_the_smallest_there_are() -> None:
    """As setsockopt does; with an sndbuf of 6 bytes a stream went byte by byte, for minutes."""
    kernel, task = pausing("x86_32")
    one, _ = unix_pair(task, 3)
    one.options.sndbuf, one.options.rcvbuf = 6, 2
    found = socket_at(restarted(kernel)[1], 3).options
    assert (found.sndbuf, found.rcvbuf) == (LEAST_SNDBUF, LEAST_RCVBUF)
