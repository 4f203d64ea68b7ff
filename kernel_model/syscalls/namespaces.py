"""setns: enter a namespace that somebody else is in.

Mirrors: Linux 3.2 kernel/nsproxy.c (sys_setns).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from kernel_model.abi.errno import EINVAL, EPERM
from kernel_model.clone import CLONE_NEWIPC, CLONE_NEWNET, CLONE_NEWUTS, enter_namespaces
from kernel_model.ipc.namespace import IpcNamespace
from kernel_model.net.namespace import NetNamespace
from kernel_model.syscalls.declare import Fd, Int, syscall
from kernel_model.vfs.ns_file import NamespaceFile

if TYPE_CHECKING:
    from kernel_model.task import Task


@syscall()
def setns(task: Task, fd: Fd, kind: Int) -> int:
    """Enter the namespace behind a descriptor; `kind` is 0 or the CLONE_NEW* that it must be."""
    if not task.cred.cap("CAP_SYS_ADMIN"):
        raise EPERM("entering a namespace needs CAP_SYS_ADMIN")
    file = task.files.get(fd)
    if not isinstance(file, NamespaceFile):
        raise EINVAL(f"descriptor {fd} is no namespace")
    namespace = file.namespace
    if isinstance(namespace, IpcNamespace):
        flag, nsproxy = CLONE_NEWIPC, replace(task.nsproxy, ipc=namespace)
    elif isinstance(namespace, NetNamespace):
        flag, nsproxy = CLONE_NEWNET, replace(task.nsproxy, net=namespace)
    else:
        flag, nsproxy = CLONE_NEWUTS, replace(task.nsproxy, uts=namespace)
    if kind not in (0, flag):
        raise EINVAL(f"the namespace is not of kind {kind:#x}")
    enter_namespaces(task, nsproxy)
    return 0
