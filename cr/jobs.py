"""Checkpoint and restart of job control: who is controlled by a terminal, and what parents know.

Image grammar:

    signal  =  ...  SIGNAL { tty_objref, tty_pgrp, tty_old_pgrp }  ...
               [ GROUP_NEWS ]  [ GROUP_EXIT ]

Mirrors:  linux-cr kernel/signal.c -- the terminal part of checkpoint_signal, restore_signal.
Deviates: GROUP_NEWS is ours: stops that no parent has heard of; and GROUP_EXIT: the exit status of
          a process some threads of which still have to end.
"""

from __future__ import annotations

from cr.context import Checkpoint, Restart
from cr.image import extensions as ours
from cr.image import types as t
from cr.image.signals import Signal
from kernel_model.jobs import members
from kernel_model.signals import SignalStruct
from kernel_model.task import Task
from kernel_model.tty.terminal import Tty

_MAX_PID = 1 << 22


def checkpoint_group_news(ctx: Checkpoint, signal: SignalStruct) -> None:
    """Write what the parent has not heard, and how the process ends."""
    if ctx.pure:
        return
    if signal.stop_news or signal.continue_news:
        news = ours.GroupNews(stopped_by=signal.stop_news, continued=int(signal.continue_news))
        ctx.image.write(t.HDR_GROUP_NEWS, news)
    if signal.group_exit_code is not None:
        ctx.image.write(t.HDR_GROUP_EXIT, ours.GroupExit(code=signal.group_exit_code))


def restore_group_news(ctx: Restart, signal: SignalStruct) -> None:
    """Read what the parent has not heard, and how the process ends."""
    if ctx.image.peek() == t.HDR_GROUP_NEWS:
        news = ctx.image.read(t.HDR_GROUP_NEWS, ours.GroupNews)
        signal.stop_news, signal.continue_news = news.stopped_by, bool(news.continued)
    if ctx.image.peek() == t.HDR_GROUP_EXIT:
        signal.group_exit_code = ctx.image.read(t.HDR_GROUP_EXIT, ours.GroupExit).code


def restore_controlling(ctx: Restart, record: Signal, signal: SignalStruct) -> None:
    """The controlling terminal of a process."""
    if not 0 <= record.tty_old_pgrp <= _MAX_PID or not 0 <= record.tty_pgrp <= _MAX_PID:
        ctx.refuse(f"there is no process group {record.tty_pgrp} or {record.tty_old_pgrp}")
    signal.tty_old_pgrp = record.tty_old_pgrp
    if record.tty_objref:
        tty = ctx.objs.fetch(ctx, record.tty_objref, t.OBJ_TTY, Tty)
        signal.tty = tty
        if not ctx.has_machine:
            tty.pgrp = record.tty_pgrp
        elif tty.pgrp != record.tty_pgrp:
            ctx.refuse("a terminal has one foreground group")


def check_session(ctx: Restart, signal: SignalStruct | None, sid: int) -> None:
    """A terminal controls one session."""
    tty = signal.tty if signal is not None else None
    if tty is not None and tty.session not in (0, sid):
        ctx.refuse(f"the terminal of session {tty.session} controls a task of session {sid}")


def adopt_terminal(task: Task, inherited: Tty | None, root: Task) -> None:
    """Commit into a task that was there before: its session may have another number now.

    A task without a terminal in the image keeps what it has inherited, and so does one whose
    session has not come along.
    """
    signal, find = task.signal, root.pid_ns.find
    tty = signal.tty
    signal.tty_old_pgrp = find(signal.tty_old_pgrp)
    if tty is None:
        signal.tty = inherited
    elif signal.sid == task.tgid:
        pgrp = find(tty.pgrp)
        there = any(member.signal.sid == signal.sid for member in members(task.kernel, pgrp))
        tty.session, tty.pgrp = signal.sid, pgrp if there else signal.pgid
    elif tty.session != signal.sid:
        tty.session = tty.pgrp = 0
        signal.tty = inherited


def take_terminal(task: Task) -> None:
    """Commit: a terminal belongs to the session that it controls."""
    tty = task.signal.tty
    if tty is not None:
        tty.session = task.signal.sid
