"""Terminals after a restart, and what is refused."""

from __future__ import annotations

import pytest

import cr
from cr.checkpoint import checkpoint_container, checkpoint_tasks
from cr.collect import Collected
from cr.context import Checkpoint, Refused
from cr.image.errors import ImageError
from cr.image.walk import walk
from cr.system import System
from cr.until import Ended
from guests.stories import ARCHES
from kernel_model.clone import CloneArgs, copy_process
from kernel_model.dump import dump
from kernel_model.signals import SIGCHLD, SIGHUP, bit
from kernel_model.syscalls.readwrite import write_out
from kernel_model.task import Task
from kernel_model.tty.file import TtyFile
from kernel_model.tty.terminal import Kind
from kernel_model.vfs.open import open_path
from tests.harness.model import cycled
from tests.harness.tiny_tasks import opened, pausing, restarted

MASTER, SLAVE = 3, 4
O_RDWR = 2


def pty(kernel: System, task: Task, *, leads: bool = False) -> tuple[TtyFile, TtyFile]:
    master = opened(task, b"/dev/ptmx", O_RDWR, MASTER)
    assert isinstance(master, TtyFile) and master.tty.link is not None
    master.tty.link.locked = False
    name = b"/dev/pts/%d" % master.tty.index
    slave = opened(task, name, O_RDWR | (0 if leads else 0o400), SLAVE)
    assert isinstance(slave, TtyFile)
    return master, slave


def ends(task: Task) -> tuple[TtyFile, TtyFile]:
    master, slave = task.files.get(MASTER), task.files.get(SLAVE)
    assert isinstance(master, TtyFile) and isinstance(slave, TtyFile)
    return master, slave


@pytest.mark.parametrize("arch", ARCHES)
def test_bytes_on_their_way(arch: str) -> None:
    kernel, task = pausing(arch)
    master, slave = pty(kernel, task)
    assert master.write_for(task, b"one\ntwo\x04half") == 12
    slave.tty.stop()
    assert master.write_for(task, b"!") == 1
    assert bytes(slave.tty.ldisc.echoes) == b"!"
    kernel, task = restarted(kernel)
    master, slave = ends(task)
    assert master.tty.link is slave.tty
    assert [slave.read_for(task, 100) for _ in range(2)] == [b"one\n", b"two"]
    assert bytes(slave.tty.ldisc.buffer) == b"half!"
    assert master.read_for(task, 100) == b"one\r\ntwohalf"
    slave.tty.start()
    assert master.read_for(task, 100) == b"!"


def test_more_than_a_buffer() -> None:
    kernel, task = pausing("x86_64")
    master, slave = pty(kernel, task)
    text = bytes(range(32, 127)) * 100
    assert slave.write_for(task, text) == len(text)
    kernel, task = restarted(kernel)
    master, _ = ends(task)
    got = b""
    while len(got) < len(text):
        got += master.read_for(task, 1000)
    assert got == text


def test_a_number_in_the_middle() -> None:
    kernel, task = pausing("x86_64")
    first = opened(task, b"/dev/ptmx", O_RDWR, 5)
    assert isinstance(first, TtyFile)
    master, _ = pty(kernel, task)
    assert master.tty.index == 1
    task.files.close(5)
    kernel, task = restarted(kernel)
    assert sorted(kernel.vfs.devpts.slaves) == [1]
    again = opened(task, b"/dev/ptmx", O_RDWR, 5)
    assert isinstance(again, TtyFile) and again.tty.index == 0


def test_only_the_master() -> None:
    kernel, task = pausing("ppc32")
    master, slave = pty(kernel, task)
    slave.write_for(task, b"last words")
    task.files.close(SLAVE)
    kernel, task = restarted(kernel)
    master = task.files.get(MASTER)  # type: ignore[assignment]
    assert master.read_for(task, 100) == b"last words"
    assert master.tty.other_closed
    slave = opened(task, b"/dev/pts/0", O_RDWR | 0o400, SLAVE)  # type: ignore[assignment]
    assert not master.tty.other_closed


def test_only_the_slave() -> None:
    kernel, task = pausing("x86_32")
    _, slave = pty(kernel, task, leads=True)
    assert task.signal.tty is slave.tty
    task.files.close(MASTER)
    assert slave.hung_up and task.signal.tty is None
    kernel, task = restarted(kernel)
    slave = task.files.get(SLAVE)  # type: ignore[assignment]
    assert slave.hung_up and slave.read_for(task, 10) == b""
    assert kernel.vfs.devpts.slaves.keys() == {0}
    task.files.close(SLAVE)
    assert not kernel.vfs.devpts.slaves


def test_names_by_which_it_was_opened() -> None:
    kernel, task = pausing("x86_64")
    pty(kernel, task, leads=True)
    opened(task, b"/dev/tty", O_RDWR, 7)
    kernel, task = restarted(kernel)
    file = task.files.get(7)
    assert isinstance(file, TtyFile) and file.path is not None
    assert file.path.dentry.name == b"tty" and file.tty is ends(task)[1].tty
    assert task.signal.tty is file.tty and file.tty.session == file.tty.pgrp == 1


def test_a_terminal_of_which_the_master_is_outside() -> None:
    """A subtree: the line hangs up when the restart ends."""
    kernel, task = pausing("x86_64")
    child = copy_process(task, CloneArgs(SIGCHLD))
    child.files.drop()
    child.files = type(task.files)()
    child.signal.sid = child.signal.pgid = child.pid
    pty(kernel, task)
    child.files.install_at(0, open_path(child, b"/dev/pts/0", O_RDWR))
    task.files.close(SLAVE)
    assert child.signal.tty is not None
    assert kernel.run(cr.after_time(1000)) is Ended.REACHED
    ctx = Checkpoint(kernel, [], kernel.vfs.root, pure=False, caller=None)
    found = Collected()
    found.task(child)
    leaks = {end.tty.kind: end.users - count for end, count in found.terminals().items()}
    assert leaks == {Kind.MASTER: 1, Kind.SLAVE: 0}
    image = b"".join(checkpoint_tasks(ctx, [child], 1))
    kernel = kernel.reboot()
    child = kernel.restart(image)
    slave = child.files.get(0)
    assert isinstance(slave, TtyFile) and slave.hung_up and child.signal.tty is None
    assert child.signal.pending.signals & bit(SIGHUP)


def test_the_console() -> None:
    kernel, task = pausing("ppc64")
    tty = kernel.console.new_terminal(kernel)
    opened(task, b"/dev/console", O_RDWR, 0)
    assert task.signal.tty is tty
    kernel.console.feed(b"typed\nha")
    before = kernel.console.output
    assert before == b"typed\r\nha"
    kernel, task = restarted(kernel)
    file = task.files.get(0)
    assert isinstance(file, TtyFile) and kernel.console.tty is file.tty is task.signal.tty
    assert file.tty.window == (24, 80, 0, 0)
    assert file.read_for(task, 100) == b"typed\n"
    kernel.console.feed(b"\x7f!\n")
    assert file.read_for(task, 100) == b"h!\n"
    assert kernel.console.output == b"\b \b!\r\n"


def test_pure_images() -> None:
    kernel, task = pausing("x86_64")
    master, slave = pty(kernel, task, leads=True)
    master.write_for(task, b"line\n")
    image = kernel.checkpoint(pure=True)
    assert not any(item.type_no >= 0x8000 for item in walk(image))
    kernel = kernel.reboot()
    task = kernel.restart(image)
    master, slave = ends(task)
    assert slave.read_for(task, 100) == b"line\n"
    assert task.signal.tty is slave.tty and slave.tty.session == slave.tty.pgrp == 1


def test_a_pure_image_has_no_console() -> None:
    kernel, task = pausing("x86_64")
    kernel.console.new_terminal(kernel)
    opened(task, b"/dev/console", O_RDWR, 0)
    with pytest.raises(Refused, match="the console is a terminal") as caught:
        checkpoint_container(kernel, pure=True)
    assert caught.value.errno == 38


def test_a_number_that_is_taken() -> None:
    kernel, task = pausing("x86_64")
    pty(kernel, task)
    image = kernel.checkpoint()
    kernel = kernel.reboot()
    kernel.vfs.devpts.new_pair(kernel, 0, 0)
    before = dump(kernel)
    with pytest.raises(ImageError, match="pty 0 is taken") as caught:
        kernel.restart(image)
    assert caught.value.errno == 16 and dump(kernel) == before


def test_a_refused_image_leaves_no_terminal() -> None:
    kernel, task = pausing("x86_64")
    pty(kernel, task, leads=True)
    kernel.console.new_terminal(kernel)
    opened(task, b"/dev/console", O_RDWR, 0)
    image = kernel.checkpoint()
    kernel = kernel.reboot()
    for end in [item.offset for item in walk(image)]:
        with pytest.raises(ImageError):
            kernel.restart(image[:end])
        assert not kernel.vfs.devpts.slaves and kernel.console.tty is None
    kernel.restart(image)
    assert kernel.console.tty is not None


def test_cycles_are_equal() -> None:
    for arch in ARCHES:
        kernel, task = pausing(arch)
        master, _ = pty(kernel, task, leads=True)
        master.write_for(task, b"a\tb\x16")
        cycled(kernel).power_off()


def test_a_master_may_be_the_controlling_terminal() -> None:
    """As TIOCSCTTY allows on Linux 3.2."""
    kernel, task = pausing("x86_64")
    master, _ = pty(kernel, task)
    master.tty.control(task)
    kernel = cycled(kernel)
    task = kernel.tasks[task.pid]
    assert task.signal.tty is ends(task)[0].tty


def test_a_writer_goes_on_while_what_it_writes_is_dropped() -> None:
    """A line that is too long: there is always room for more of it."""
    _, task = pausing("x86_64")
    master, _ = pty(task.kernel, task)
    assert write_out(task, master, b"x" * 70_000) == 70_000
