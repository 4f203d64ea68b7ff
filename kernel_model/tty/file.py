"""Open terminals: reading, writing, waiting.

A read that waits changes nothing: what it takes, it takes at once. The timers of a raw terminal
(VMIN, VTIME) are deadlines in the restart block.

Mirrors:  Linux n_tty_read, n_tty_write, n_tty_poll, hung_up_tty_fops.
Deviates: a raw read that a signal interrupts between two bytes leaves all of them to the next
          reader; Linux returns those that it has taken already.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel_model.abi.errno import EAGAIN, EIO, ENOTTY, ESPIPE
from kernel_model.abi.fcntl import (
    POLLERR,
    POLLHUP,
    POLLIN,
    POLLOUT,
    POLLPRI,
    POLLRDNORM,
    POLLWRNORM,
)
from kernel_model.jobs import may_change, may_read
from kernel_model.restart_block import Progress
from kernel_model.tty import ioctls
from kernel_model.vfs.inode import Inode
from kernel_model.vfs.mounts import Path
from kernel_model.vfs.openfile import OpenFile
from kernel_model.vfs.owner import F_OWNER_PGRP, F_OWNER_PID, owner_for
from kernel_model.waitqueue import Sleep, WaitQueue

if TYPE_CHECKING:
    from kernel_model.task import Task
    from kernel_model.tty.terminal import Tty

_DECISECOND_NS = 100_000_000
_WRITE_PIECE = 2048
_HUNG_UP = POLLIN | POLLOUT | POLLERR | POLLHUP | POLLRDNORM | POLLWRNORM


class TtyFile(OpenFile):
    """An open file of a terminal."""

    writes_whole = True
    tells = True

    def __init__(self, tty: Tty, inode: Inode, path: Path | None, flags: int) -> None:
        super().__init__(inode, path, flags)
        self.tty = tty
        self.hung_up = False
        """The line is gone for this file: reads end, writes fail."""
        tty.opened(self)

    @property
    def part_bytes(self) -> int:
        """The kernel copies a write in pieces of this size."""
        return _WRITE_PIECE

    def release(self) -> None:
        """The last descriptor is closed."""
        self.tty.closed(self)
        super().release()

    def hang_up(self) -> None:
        """The line is gone."""
        self.hung_up = True

    def ask_for_signals(self, task: Task, fd: int) -> None:
        """Who has no owner yet gets the foreground group, or the caller."""
        super().ask_for_signals(task, fd)
        if fd >= 0 and not self.owner.number:
            kind = F_OWNER_PGRP if self.tty.pgrp else F_OWNER_PID
            self.owner = owner_for(task, self.tty.pgrp or task.pid, kind)

    # ---- reading

    def read(self, count: int) -> bytes:
        """Refused: terminals ask who reads (`read_for`)."""
        raise EIO("a terminal is read by a task")

    def read_for(self, task: Task, count: int) -> bytes:
        """A line, or raw bytes; waits for them. Empty when the line is gone or the time is up."""
        tty = self.tty
        if self.hung_up:
            if task.restart_block is not None:
                raise EIO("the line was lost while somebody waited")
            return b""
        may_read(task, tty)
        if not count:
            return b""
        if tty.packet and tty.link is not None:
            if tty.link.packet_status:
                status, tty.link.packet_status = tty.link.packet_status, 0
                return bytes([status])
        deadline_ns = None
        if not tty.ldisc.canonical:
            done, deadline_ns = self._raw_timers(task, count)
            if done:
                return self._taken(count)
        elif tty.ldisc.available():
            return self._taken(count)
        if tty.other_closed:
            raise EIO("nobody has the other end of this terminal open")
        if tty.console is not None and tty.console.ended:
            return b""
        if self.nonblocking:
            if tty.ldisc.available():
                return self._taken(count)
            raise EAGAIN("nothing was typed")
        task.restart_block = Progress(deadline_ns=deadline_ns)
        raise Sleep(tty.readable, deadline_ns=deadline_ns, external=tty.console is not None)

    def _raw_timers(self, task: Task, count: int) -> tuple[bool, int | None]:
        """VMIN and VTIME: whether the read is done, and else when it gives up."""
        tty, now_ns = self.tty, task.kernel.clock.now_ns()
        cc, bits = tty.termios.cc, tty.bits
        minimum, time_ns = cc[bits.VMIN], cc[bits.VTIME] * _DECISECOND_NS
        block: Progress | None = task.restart_block
        there = len(tty.ldisc.buffer)
        if there >= max(1, min(minimum, count)):
            return True, None
        if not minimum:
            if not time_ns:
                return True, None
            deadline_ns = now_ns + time_ns if block is None else block.deadline_ns
        elif time_ns and there:
            since_ns = now_ns if block is None else tty.ldisc.arrived_ns
            deadline_ns = since_ns + time_ns
            if block is not None and block.deadline_ns is not None:
                deadline_ns = max(deadline_ns, block.deadline_ns)
        else:
            return False, None
        return deadline_ns is not None and now_ns >= deadline_ns, deadline_ns

    def _taken(self, count: int) -> bytes:
        if self.tty.packet:
            return b"\0" + (self.tty.ldisc.read(count - 1) if count > 1 else b"")
        return self.tty.ldisc.read(count)

    # ---- writing

    def write(self, data: bytes) -> int:
        """Refused: terminals ask who writes (`write_for`)."""
        raise EIO("a terminal is written by a task")

    def write_for(self, task: Task, data: bytes) -> int:
        """As many bytes as the other side takes now; waits if that is none."""
        tty = self.tty
        if self.hung_up:
            raise EIO("the line is gone")
        if tty.termios.lflag & tty.bits.TOSTOP:
            may_change(task, tty)
        if not data:
            return 0
        done = tty.ldisc.write(data)
        if not done:
            if self.nonblocking:
                raise EAGAIN("no room, or the output is stopped")
            raise Sleep(tty.writable)
        return done

    def pread(self, offset: int, count: int) -> bytes:
        """Refused: a terminal has no position."""
        raise ESPIPE("a terminal has no position")

    def _store(self, offset: int, data: bytes) -> int:
        raise ESPIPE("a terminal has no position")

    # ---- the rest

    def ioctl(self, task: Task, request: int, arg: int) -> int:
        """A request of terminals."""
        name = task.abi.structs.terminal.requests.get(request)
        if self.hung_up:
            raise ENOTTY("the line is gone") if name == "TIOCSPGRP" else EIO("the line is gone")
        if name is None:
            raise ENOTTY(f"ioctl {request:#x} means nothing to a terminal")
        return ioctls.request(task, self.tty, name, arg)

    def poll(self) -> int:
        """Readable as a read would find something; writable with room."""
        tty = self.tty
        if self.hung_up:
            return _HUNG_UP
        mask = 0
        cc, bits = tty.termios.cc, tty.bits
        minimum = 0 if cc[bits.VTIME] else cc[bits.VMIN]
        ended = tty.console is not None and tty.console.ended
        if tty.ldisc.available(minimum) or ended:
            mask |= POLLIN | POLLRDNORM
        if tty.packet and tty.link is not None and tty.link.packet_status:
            mask |= POLLPRI | POLLIN | POLLRDNORM
        if tty.other_closed:
            mask |= POLLHUP
        if tty.send_room() > 0:
            mask |= POLLOUT | POLLWRNORM
        return mask

    def poll_queues(self) -> tuple[WaitQueue, ...]:
        """Both directions."""
        return (self.tty.readable, self.tty.writable)

    def poll_external(self) -> bool:
        """Whether the other side is the host."""
        return self.tty.console is not None
