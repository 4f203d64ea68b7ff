"""Signal frames."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kernel_model.signals import Action, SigInfo
    from kernel_model.task import Task

VDSO = b""


def push_frame(task: Task, signo: int, info: SigInfo, action: Action, mask: int) -> None:
    """Enter a handler."""
    raise NotImplementedError


def pack_siginfo(task: Task, info: SigInfo) -> bytes:
    """siginfo_t."""
    raise NotImplementedError


def sigreturn(task: Task) -> None:
    """Leave a handler."""
    raise NotImplementedError


def rt_sigreturn(task: Task) -> None:
    """Leave a handler."""
    raise NotImplementedError
