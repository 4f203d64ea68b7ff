"""The host's end of the console: exact reads, whole writes, and their failures."""

import os
import socket
import threading
from collections.abc import Iterator

import pytest

from cr.cli.failure import Failure
from cr.cli.host_console import HostConsole


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reader, writer = os.pipe()
    yield reader, writer
    for descriptor in (reader, writer):
        try:
            os.close(descriptor)
        except OSError:
            pass


def test_reads_no_more_than_wanted(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    os.write(writer, b"abcdef")
    host = HostConsole(stdin=reader)
    assert host.source(0) == b""
    assert host.source(2) == b"ab"
    assert os.read(reader, 99) == b"cdef"
    os.close(writer)
    assert host.source(0) == b"" and host.source(5) == b""
    assert not host.waiting


def test_a_descriptor_that_does_not_block() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        theirs.send(b"x")
        assert HostConsole(stdin=ours.fileno()).source(5) == b"x"
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        theirs.close()
        with pytest.raises(Failure) as caught:
            HostConsole(stdout=ours.fileno()).sink(1, b"x")
        assert caught.value.status == 141


def test_waits_for_the_first_byte(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    sent = threading.Event()

    def send() -> None:
        sent.set()
        os.write(writer, b"x")

    for count, expected in ((0, b""), (5, b"x")):
        os.set_blocking(reader, not count)
        sent.clear()
        timer = threading.Timer(0.02, send)
        timer.start()
        assert HostConsole(stdin=reader).source(count) == expected
        assert sent.is_set()
        timer.join()
        if not count:
            assert os.read(reader, 9) == b"x"


def test_standard_input_that_cannot_be_read(tmp_path: object) -> None:
    folder = os.open(str(tmp_path), os.O_RDONLY)
    with pytest.raises(Failure, match="standard input cannot be read: Is a directory"):
        HostConsole(stdin=folder).source(5)
    os.close(folder)


def test_streams(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    HostConsole(stdout=writer).sink(1, b"one")
    HostConsole(stderr=writer).sink(2, b"two")
    assert os.read(reader, 99) == b"onetwo"


def test_no_room() -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    with pytest.raises(Failure, match="standard output cannot be written: No space") as caught:
        HostConsole(stdout=full).sink(1, b"x")
    assert caught.value.status == 2
    with pytest.raises(Failure, match="standard error output cannot be written"):
        HostConsole(stderr=full).sink(2, b"x")
    os.close(full)


def test_nobody_reads(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    os.close(reader)
    with pytest.raises(Failure) as caught:
        HostConsole(stdout=writer).sink(1, b"x")
    assert caught.value.status == 141
