"""The requests of terminals: settings, sessions and groups, flow, packet mode.

A request on the master of a pty is mostly about its slave (`Tty.real`).

Mirrors: Linux drivers/tty/tty_ioctl.c, tty_io.c (tty_ioctl), pty.c (pty_unix98_ioctl).
Deviates: output is never still on its way, so nothing waits for it to drain.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from kernel_model.abi import termios as abi
from kernel_model.abi.errno import EFAULT, EINVAL, EIO, ENOTTY, EPERM, ESRCH
from kernel_model.jobs import may_change
from kernel_model.signals import SIGINT, SIGQUIT, SIGTSTP

if TYPE_CHECKING:
    from kernel_model.task import Task
    from kernel_model.tty.terminal import Tty

_N_TTY = 0
_XON_CHARACTERS = (0x11, 0x13)


def request(task: Task, tty: Tty, name: str, arg: int) -> int:
    """Do what the request of that name says."""
    return _REQUESTS[name](task, tty, arg)


def _get_int(task: Task, addr: int) -> int:
    value: int = struct.unpack(task.abi.order + "i", task.user.read(addr, 4))[0]
    return value


def _put_int(task: Task, addr: int, value: int) -> int:
    if task.user.writable(addr, 4) < 4:
        raise EFAULT(f"no number can be stored at {addr:#x}")
    task.user.write(addr, struct.pack(task.abi.order + "i", value))
    return 0


# ---- settings


def _get_termios(speeds: bool) -> Callable[[Task, Tty, int], int]:
    def get(task: Task, tty: Tty, arg: int) -> int:
        terminal = task.abi.structs.terminal
        task.user.write(arg, terminal.pack(task.abi.order, tty.real.termios, speeds=speeds))
        return 0

    return get


def _get_termio(task: Task, tty: Tty, arg: int) -> int:
    terminal = task.abi.structs.terminal
    task.user.write(arg, terminal.pack_termio(task.abi.order, tty.real.termios))
    return 0


def _set_termios(*, flush: bool, speeds: bool) -> Callable[[Task, Tty, int], int]:
    def change(task: Task, tty: Tty, arg: int) -> int:
        terminal, real = task.abi.structs.terminal, tty.real
        may_change(task, real)
        data = task.user.read(arg, terminal.size(speeds=speeds))
        new = terminal.unpack(task.abi.order, data, real.termios, speeds=speeds)
        return _change(real, new, flush=flush)

    return change


def _set_termio(*, flush: bool) -> Callable[[Task, Tty, int], int]:
    def change(task: Task, tty: Tty, arg: int) -> int:
        terminal, real = task.abi.structs.terminal, tty.real
        may_change(task, real)
        data = task.user.read(arg, terminal.termio_size)
        return _change(
            real, terminal.unpack_termio(task.abi.order, data, real.termios), flush=flush
        )

    return change


def _change(tty: Tty, new: abi.Termios, *, flush: bool) -> int:
    bits, old = tty.bits, tty.termios
    if flush:
        tty.ldisc.flush()
    if tty.is_pty:
        # A pty has eight bits and no parity, whatever is asked for.
        new = replace(new, cflag=new.cflag & ~bits.CSIZE | bits.CS8 | bits.CREAD)
    tty.termios = new
    if tty.link is not None and tty.link.packet:
        flow = [_has_flow(tty, each) for each in (old, new)]
        if flow[0] != flow[1]:
            news = abi.PKT_DOSTOP if flow[1] else abi.PKT_NOSTOP
            tty.packet_news(news, abi.PKT_DOSTOP | abi.PKT_NOSTOP)
    tty.ldisc.termios_changed(old)
    if old.iflag & bits.IXON and not new.iflag & bits.IXON and not tty.flow_stopped:
        tty.start()
    return 0


def _has_flow(tty: Tty, termios: abi.Termios) -> bool:
    bits = tty.bits
    characters = (termios.cc[bits.VSTART], termios.cc[bits.VSTOP])
    return bool(termios.iflag & bits.IXON) and characters == _XON_CHARACTERS


def _get_window(task: Task, tty: Tty, arg: int) -> int:
    task.user.write(arg, struct.pack(task.abi.order + "4H", *tty.real.window))
    return 0


def _set_window(task: Task, tty: Tty, arg: int) -> int:
    size = struct.unpack(task.abi.order + "4H", task.user.read(arg, 8))
    tty.real.resize(type(tty.window)(*size))
    return 0


# ---- sessions and groups


def _set_controlling(task: Task, tty: Tty, arg: int) -> int:
    signal = task.signal
    leads = signal.sid == task.tgid
    if leads and tty.session == signal.sid:
        return 0
    if not leads or signal.tty is not None:
        raise EPERM("not a session leader, or it has a terminal already")
    if tty.session:
        if arg != 1 or not task.cred.cap("CAP_SYS_ADMIN"):
            raise EPERM("the terminal of another session")
        tty.leave_session()
    tty.control(task)
    return 0


def _no_tty(task: Task, tty: Tty, arg: int) -> int:
    from kernel_model.tty.terminal import disassociate

    if task.signal.tty is not tty:
        raise ENOTTY("not the controlling terminal")
    disassociate(task, exiting=False)
    task.signal.tty = None
    return 0


def _get_group(task: Task, tty: Tty, arg: int) -> int:
    real = tty.real
    if tty is real and task.signal.tty is not real:
        raise ENOTTY("not the controlling terminal")
    return _put_int(task, arg, task.pid_ns.number_of(real.pgrp))


def _set_group(task: Task, tty: Tty, arg: int) -> int:
    real, signal = tty.real, task.signal
    try:
        may_change(task, real)
    except EIO:
        raise ENOTTY("an orphaned background group") from None
    if signal.tty is None or signal.tty is not real or real.session != signal.sid:
        raise ENOTTY("not the controlling terminal")
    number = _get_int(task, arg)
    if number < 0:
        raise EINVAL(f"there is no group {number}")
    pgrp = task.pid_ns.find(number)
    group = [t for t in task.kernel.tasks.values() if t.signal.pgid == pgrp and pgrp]
    if not group:
        if pgrp in task.kernel.tasks:
            raise EPERM(f"process {number} leads no group")
        raise ESRCH(f"there is no group {number}")
    if group[0].signal.sid != signal.sid:
        raise EPERM(f"group {number} is in another session")
    real.pgrp = pgrp
    return 0


def _get_session(task: Task, tty: Tty, arg: int) -> int:
    real = tty.real
    if (tty is real and task.signal.tty is not real) or not real.session:
        raise ENOTTY("not the controlling terminal, or of no session")
    return _put_int(task, arg, task.pid_ns.number_of(real.session))


# ---- queues and flow


def _get_input(task: Task, tty: Tty, arg: int) -> int:
    return _put_int(task, arg, tty.ldisc.waiting())


def _get_output(task: Task, tty: Tty, arg: int) -> int:
    return _put_int(task, arg, len(tty.ldisc.echoes))


def _flush(task: Task, tty: Tty, arg: int) -> int:
    may_change(task, tty)
    if arg not in (abi.TCIFLUSH, abi.TCOFLUSH, abi.TCIOFLUSH):
        raise EINVAL(f"TCFLSH {arg}")
    if arg != abi.TCOFLUSH:
        tty.ldisc.flush()
    if arg != abi.TCIFLUSH:
        tty.flush_output()
    return 0


def _flow(task: Task, tty: Tty, arg: int) -> int:
    may_change(task, tty)
    if arg == abi.TCOOFF:
        if not tty.flow_stopped:
            tty.flow_stopped = True
            tty.stop()
    elif arg == abi.TCOON:
        if tty.flow_stopped:
            tty.flow_stopped = False
            tty.start()
    elif arg in (abi.TCIOFF, abi.TCION):
        place = tty.bits.VSTOP if arg == abi.TCIOFF else tty.bits.VSTART
        byte = tty.termios.cc[place]
        if byte != abi.DISABLED and tty.link is not None:
            # Sent even while the output is stopped.
            tty.link.ldisc.receive(bytes([byte])[: tty.link.ldisc.room()])
    else:
        raise EINVAL(f"TCXONC {arg}")
    return 0


def _break(task: Task, tty: Tty, arg: int) -> int:
    # There is no line on which a break could be seen; output is never on its way.
    may_change(task, tty)
    return 0


def _type_in(task: Task, tty: Tty, arg: int) -> int:
    if task.signal.tty is not tty and not task.cred.cap("CAP_SYS_ADMIN"):
        raise EPERM("typing for others needs CAP_SYS_ADMIN")
    byte = task.user.read(arg, 1)
    tty.ldisc.receive(byte[: tty.ldisc.room()])
    return 0


def _exclusive(wanted: bool) -> Callable[[Task, Tty, int], int]:
    def change(task: Task, tty: Tty, arg: int) -> int:
        tty.exclusive = wanted
        return 0

    return change


def _get_discipline(task: Task, tty: Tty, arg: int) -> int:
    return _put_int(task, arg, _N_TTY)


def _set_discipline(task: Task, tty: Tty, arg: int) -> int:
    number = _get_int(task, arg)
    may_change(task, tty)
    if number != _N_TTY:
        raise EINVAL(f"line discipline {number} is not built into this kernel")
    return 0


def _hang_up(task: Task, tty: Tty, arg: int) -> int:
    if not task.cred.cap("CAP_SYS_ADMIN"):
        raise EPERM("TIOCVHANGUP needs CAP_SYS_ADMIN")
    tty.hang_up()
    return 0


# ---- masters


def _slave_of(tty: Tty, name: str) -> Tty:
    if tty.real is tty:
        raise ENOTTY(f"{name} is for the master of a pty")
    return tty.real


def _packet(task: Task, tty: Tty, arg: int) -> int:
    slave = _slave_of(tty, "TIOCPKT")
    wanted = bool(_get_int(task, arg))
    if wanted and not tty.packet:
        slave.packet_status = 0
    tty.packet = wanted
    return 0


def _get_number(task: Task, tty: Tty, arg: int) -> int:
    return _put_int(task, arg, _slave_of(tty, "TIOCGPTN").index)


def _lock(task: Task, tty: Tty, arg: int) -> int:
    slave = _slave_of(tty, "TIOCSPTLCK")
    slave.locked = bool(_get_int(task, arg))
    return 0


def _signal(task: Task, tty: Tty, arg: int) -> int:
    slave = _slave_of(tty, "TIOCSIG")
    if arg not in (SIGINT, SIGQUIT, SIGTSTP):
        raise EINVAL(f"TIOCSIG {arg}")
    slave.signal_group(arg)
    return 0


_REQUESTS: Mapping[str, Callable[[Task, Tty, int], int]] = MappingProxyType(
    {
        "TCGETS": _get_termios(speeds=False),
        "TCGETS2": _get_termios(speeds=True),
        "TCSETS": _set_termios(flush=False, speeds=False),
        "TCSETSW": _set_termios(flush=False, speeds=False),
        "TCSETSF": _set_termios(flush=True, speeds=False),
        "TCSETS2": _set_termios(flush=False, speeds=True),
        "TCSETSW2": _set_termios(flush=False, speeds=True),
        "TCSETSF2": _set_termios(flush=True, speeds=True),
        "TCGETA": _get_termio,
        "TCSETA": _set_termio(flush=False),
        "TCSETAW": _set_termio(flush=False),
        "TCSETAF": _set_termio(flush=True),
        "TIOCGWINSZ": _get_window,
        "TIOCSWINSZ": _set_window,
        "TIOCSCTTY": _set_controlling,
        "TIOCNOTTY": _no_tty,
        "TIOCGPGRP": _get_group,
        "TIOCSPGRP": _set_group,
        "TIOCGSID": _get_session,
        "TIOCINQ": _get_input,
        "TIOCOUTQ": _get_output,
        "TCFLSH": _flush,
        "TCXONC": _flow,
        "TCSBRK": _break,
        "TCSBRKP": _break,
        "TIOCSBRK": _break,
        "TIOCCBRK": _break,
        "TIOCSTI": _type_in,
        "TIOCEXCL": _exclusive(True),
        "TIOCNXCL": _exclusive(False),
        "TIOCGETD": _get_discipline,
        "TIOCSETD": _set_discipline,
        "TIOCVHANGUP": _hang_up,
        "TIOCPKT": _packet,
        "TIOCGPTN": _get_number,
        "TIOCSPTLCK": _lock,
        "TIOCSIG": _signal,
    }
)
