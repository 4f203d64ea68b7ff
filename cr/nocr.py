"""PF_NOCR, as Ingo Molnar proposed it: the mark of a task that has done what cannot be saved.

The mark is set at the first sin, is inherited at birth, and never goes, not even when what was not
supported is closed again. A checkpoint of a marked task is refused with the reason of the mark. The
design that linux-cr took instead looks at the moment of the checkpoint (`cr.explain`), which is
where this kernel finds out what a sin is, after each system call.

Mirrors:  the mail of 9 October 2008: set_current_nocr(msg), set_task_nocr(task, msg).
Deviates: the calls themselves are not marked up: any call is a sin behind which its task could not
          be saved. Our own init stays clean, or everybody would inherit from it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cr.explain import explain
from kernel_model.trace import Event, SyscallReturned

if TYPE_CHECKING:
    from kernel_model.kernel import Kernel


class Marker:
    """Listens to a kernel, and marks its tasks."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel

    def __call__(self, event: Event) -> None:
        """After a system call: who cannot be saved now?"""
        if not isinstance(event, SyscallReturned):
            return
        for task in list(self._kernel.tasks.values()):
            if task.nocr or task.exited or task is self._kernel.own_init:
                continue
            found = next((answer for answer in explain(task) if answer.reason), None)
            if found is not None:
                task.nocr = found.reason
