"""A terminal: settings, line discipline, the session that it controls, and the other side.

The other side is the other end of a pty, or the console of the machine. A terminal knows its open
files; who reads and writes is `file.py`, what requests do is `ioctls.py`.

Mirrors:  Linux struct tty_struct, drivers/tty/tty_io.c (__tty_hangup, disassociate_ctty,
          session_clear_tty), pty.c.
Deviates: foreground group and session are numbers, not struct pid.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from kernel_model.abi.fcntl import POLLIN, POLLRDNORM, makedev
from kernel_model.abi.termios import PKT_FLUSHWRITE, PKT_START, PKT_STOP, Termios, TermiosBits
from kernel_model.jobs import kill_group, members
from kernel_model.signals import SI_KERNEL, SIGCONT, SIGHUP, SIGWINCH, SigInfo, send
from kernel_model.tty.n_tty import LineDiscipline
from kernel_model.vfs.owner import POLL_OUT, tell
from kernel_model.waitqueue import WaitQueue

if TYPE_CHECKING:
    from kernel_model.console import Console
    from kernel_model.kernel import Kernel
    from kernel_model.task import Task
    from kernel_model.tty.devpts import DevPts
    from kernel_model.tty.file import TtyFile
    from kernel_model.vfs.disk import DiskNode


class Kind(Enum):
    """What is on the other side."""

    CONSOLE = "console"
    MASTER = "master"
    SLAVE = "slave"


class WindowSize(NamedTuple):
    """struct winsize."""

    rows: int = 0
    columns: int = 0
    x_pixels: int = 0
    y_pixels: int = 0


class Tty:
    """What all terminals have. `link` is the other end of a pty."""

    def __init__(self, kernel: Kernel, kind: Kind, termios: Termios, index: int) -> None:
        self.kernel = kernel
        self.kind = kind
        self.index = index
        self.bits: TermiosBits = kernel.abis[0].structs.terminal.bits
        self.termios = termios
        self.window = WindowSize()
        self.readable = WaitQueue()
        self.writable = WaitQueue()
        self.ldisc = LineDiscipline(self)
        self.link: Tty | None = None
        self.devpts: DevPts = kernel.vfs.devpts
        """Of a pty: where its slave has its name."""
        self.console: Console | None = None
        self.files: list[TtyFile] = []
        """Open files of this end, the oldest first."""
        self.pgrp = 0
        """The foreground process group; 0: none."""
        self.session = 0
        """The session that this terminal controls; 0: none."""
        self.stopped = False
        self.flow_stopped = False
        """Stopped by TCXONC: no typed character starts it again."""
        self.packet = False
        self.packet_status = 0
        """Of a slave: what a master in packet mode is to be told."""
        self.exclusive = False
        self.locked = False
        self.other_closed = False
        self.hung_up = False
        self.node: DiskNode | None = None
        """Of a slave: its name in /dev/pts."""

    @property
    def is_pty(self) -> bool:
        """Whether the other side is a program too."""
        return self.kind is not Kind.CONSOLE

    @property
    def real(self) -> Tty:
        """The terminal that requests are about: a master stands for its slave."""
        return self.link if self.kind is Kind.MASTER and self.link is not None else self

    @property
    def device(self) -> int:
        """Its device number."""
        if self.kind is Kind.CONSOLE:
            return makedev(5, 1)
        return makedev(136, self.index) if self.kind is Kind.SLAVE else makedev(5, 2)

    # ---- output

    def send_room(self) -> int:
        """How many bytes the other side takes now."""
        if self.stopped:
            return 0
        if self.link is not None:
            return self.link.ldisc.room()
        return 1 << 20

    def send(self, data: bytes) -> int:
        """Bytes for the other side; how many it took."""
        if self.stopped:
            return 0
        if self.link is None:
            if self.console is not None and data:
                self.console.write(1, data)
            return len(data)
        count = min(len(data), self.link.ldisc.room())
        self.link.ldisc.receive(data[:count])
        return count

    def taken(self) -> None:
        """Input was taken away: whoever writes on the other side has room again."""
        if self.link is not None:
            self.link.ldisc.flush_echoes()
            self.link.writable.wake_all()
            self.link.tell(POLL_OUT)

    def tell(self, reason: int) -> None:
        """News for those who asked to be told by a signal (O_ASYNC)."""
        tell(self.files, reason)

    def flush_output(self) -> None:
        """Forget what was sent, and the other side has not even looked at."""
        self.ldisc.echoes.clear()
        if self.link is not None:
            self.link.ldisc.flip.clear()
            self.packet_news(PKT_FLUSHWRITE)
            self.writable.wake_all()

    def stop(self) -> None:
        """No more output."""
        if not self.stopped:
            self.stopped = True
            self.packet_news(PKT_STOP, PKT_START)

    def start(self) -> None:
        """Output goes on."""
        if self.stopped and not self.flow_stopped:
            self.stopped = False
            self.packet_news(PKT_START, PKT_STOP)
            self.ldisc.flush_echoes()
            self.writable.wake_all()

    def packet_news(self, status: int, instead_of: int = 0) -> None:
        """Something that a master in packet mode is told."""
        if self.link is not None and self.link.packet:
            self.packet_status = self.packet_status & ~instead_of | status
            self.link.readable.wake_all()

    # ---- sessions and groups

    def signal_group(self, signo: int) -> None:
        """A signal to the foreground group."""
        if self.pgrp:
            kill_group(self.kernel, self.pgrp, signo)

    def control(self, task: Task) -> None:
        """Become the controlling terminal of a session leader."""
        signal = task.signal
        self.session, self.pgrp = signal.sid, signal.pgid
        signal.tty, signal.tty_old_pgrp = self, 0

    def leave_session(self) -> None:
        """Nobody in the session has a controlling terminal any more."""
        if not self.session:
            return
        for _, task in sorted(self.kernel.tasks.items()):
            if task.is_leader and task.signal.sid == self.session and task.signal.tty is not None:
                task.signal.tty = None

    def resize(self, window: WindowSize) -> None:
        """A new window size, of both ends; the foreground groups hear of it."""
        if window == self.window:
            return
        groups = [self.pgrp]
        if self.link is not None and self.link.pgrp != self.pgrp:
            groups.append(self.link.pgrp)
        for pgrp in groups:
            if pgrp:
                kill_group(self.kernel, pgrp, SIGWINCH)
        self.window = window
        if self.link is not None:
            self.link.window = window

    def hang_up(self) -> None:
        """The line is gone: open files are dead, the session's leader is told."""
        for file in self.files:
            file.hang_up()
        if self.session:
            for _, task in sorted(self.kernel.tasks.items()):
                if task.is_leader and task.signal.sid == self.session:
                    self._hang_up_process(task)
        self.session = self.pgrp = 0
        self.packet_status = 0
        self.hung_up = True
        self.readable.wake_all()
        self.writable.wake_all()

    def _hang_up_process(self, task: Task) -> None:
        signal = task.signal
        if signal.tty is self:
            signal.tty = None
        if task.tgid != signal.sid or all(thread.exited for thread in signal.threads):
            return
        for signo in (SIGHUP, SIGCONT):
            send(task, SigInfo(signo, SI_KERNEL))
        signal.tty_old_pgrp = self.pgrp

    # ---- opening and closing

    def opened(self, file: TtyFile) -> None:
        """One more open file."""
        self.files.append(file)
        if self.link is not None:
            self.link.other_closed = False
        self.hung_up = False

    def closed(self, file: TtyFile) -> None:
        """One open file less; the last one is what the other end of a pty sees."""
        self.files.remove(file)
        if self.files:
            return
        self.exclusive = False
        if self.link is not None:
            self._end_closed(self.link)
        self.leave_session()
        if self.link is not None:
            self.link.leave_session()
            if not self.link.files:
                self.devpts.free(self)

    def _end_closed(self, link: Tty) -> None:
        self.packet = False
        link.other_closed = True
        for queue in (link.readable, link.writable):
            queue.wake_all()
        if self.kind is Kind.MASTER:
            self.devpts.remove(link)
            if link.files or link.session:
                link.hang_up()


def disassociate(task: Task, *, exiting: bool) -> None:
    """A session leader lets go of its terminal, or exits."""
    signal, kernel = task.signal, task.kernel
    if signal.sid != task.tgid:
        return
    tty = signal.tty
    if tty is None:
        old, signal.tty_old_pgrp = signal.tty_old_pgrp, 0
        if exiting and old:
            kill_group(kernel, old, SIGHUP, SIGCONT)
        return
    pgrp = tty.pgrp
    if exiting and not tty.is_pty:
        tty.hang_up()
    if pgrp:
        kill_group(kernel, pgrp, SIGHUP)
        if not exiting:
            kill_group(kernel, pgrp, SIGCONT)
    signal.tty_old_pgrp = 0
    tty.leave_session()
    for member in members(kernel, signal.pgid):
        if member.signal.tty is tty:
            member.signal.tty = None
    tty.session = tty.pgrp = 0


READ_KEY = POLLIN | POLLRDNORM
