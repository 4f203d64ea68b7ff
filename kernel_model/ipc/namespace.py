"""An IPC namespace: segments, message queues and semaphore sets, and how much there may be.

Mirrors: Linux struct ipc_namespace, with the limits of Linux 3.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kernel_model.abi.time import NS_PER_S
from kernel_model.ipc.ids import Ids

if TYPE_CHECKING:
    from kernel_model.clock import Clock
    from kernel_model.ipc.msg import MessageQueue
    from kernel_model.ipc.sem import SemaphoreSet
    from kernel_model.ipc.shm import Segment
    from kernel_model.kernel import Kernel


@dataclass
class IpcLimits:
    """The sysctls of a namespace."""

    shmmax: int = 32 << 20
    shmall: int = 2 << 20
    shmmni: int = 4096
    msgmax: int = 8192
    msgmnb: int = 16384
    msgmni: int = 16
    semmsl: int = 250
    semmns: int = 32000
    semopm: int = 32
    semmni: int = 128


class IpcNamespace:
    """What tasks of one namespace can reach by key or identifier."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.limits = IpcLimits()
        self.shm: Ids[Segment] = Ids()
        self.msg: Ids[MessageQueue] = Ids()
        self.sem: Ids[SemaphoreSet] = Ids()
        self.holders = 0
        """Open files that keep it alive besides tasks (/proc/PID/ns/ipc)."""

    def now_s(self) -> int:
        """The time that goes into the structures: seconds since the epoch."""
        return self.clock.realtime_ns() // NS_PER_S

    def end_if_unused(self, kernel: Kernel) -> None:
        """A namespace that is not the kernel's own goes with its last task."""
        if self is kernel.nsproxy.ipc or self.holders:
            return
        alive = (task for task in kernel.tasks.values() if not task.exited)
        if all(task.nsproxy.ipc is not self for task in alive):
            self.remove_all()

    def remove_all(self) -> None:
        """All that has a name here is gone."""
        for segment in self.shm.all():
            segment.remove()
        for queue in self.msg.all():
            self.msg.remove(queue)
        for semaphores in self.sem.all():
            self.sem.remove(semaphores)
