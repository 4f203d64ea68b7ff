"""/proc/PID/ns: open files that keep a namespace, for setns.

Mirrors: Linux 3.2 fs/proc/namespaces.c: ipc, net and uts; mnt, pid and user came with 3.8.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from kernel_model.abi.errno import EINVAL
from kernel_model.ipc.namespace import IpcNamespace
from kernel_model.net.namespace import NetNamespace
from kernel_model.nsproxy import UtsNamespace
from kernel_model.vfs.inode import Inode
from kernel_model.vfs.openfile import OpenFile

if TYPE_CHECKING:
    from kernel_model.kernel import Kernel
    from kernel_model.task import Task
    from kernel_model.vfs.mounts import Path

Namespace = UtsNamespace | IpcNamespace | NetNamespace


def _ipc(task: Task) -> Namespace:
    return task.nsproxy.ipc


def _net(task: Task) -> Namespace:
    return task.nsproxy.net


def _uts(task: Task) -> Namespace:
    return task.nsproxy.uts


NAMES: Mapping[bytes, Callable[[Task], Namespace]] = MappingProxyType(
    {b"ipc": _ipc, b"net": _net, b"uts": _uts}
)


class NamespaceFile(OpenFile):
    """An open file of /proc/PID/ns."""

    can_wait = False
    has_read = False

    def __init__(
        self, kernel: Kernel, namespace: Namespace, inode: Inode, path: Path, flags: int
    ) -> None:
        super().__init__(inode, path, flags)
        self.kernel = kernel
        self.namespace = namespace
        if isinstance(namespace, IpcNamespace):
            namespace.holders += 1

    def release(self) -> None:
        """A namespace that only this file kept alive ends."""
        if isinstance(self.namespace, IpcNamespace):
            self.namespace.holders -= 1
            self.namespace.end_if_unused(self.kernel)
        super().release()

    def pread(self, offset: int, count: int) -> bytes:
        """Refused."""
        raise EINVAL("a namespace is not read")
