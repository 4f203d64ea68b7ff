"""Namespaces of a task: host name, System V objects, network, mounts.

Mirrors: Linux struct nsproxy.
"""

from __future__ import annotations

from dataclasses import dataclass

from kernel_model.ipc.namespace import IpcNamespace
from kernel_model.net.namespace import NetNamespace
from kernel_model.vfs.mounts import MountNamespace


@dataclass(eq=False)
class UtsNamespace:
    """What uname tells; 65 bytes each with the NUL."""

    sysname: bytes = b"Linux"
    nodename: bytes = b"cr"
    release: bytes = b"3.2.0-ckpt-v23"
    version: bytes = b"#1 SMP linux-cr"
    machine: bytes = b""
    domainname: bytes = b"(none)"


@dataclass(eq=False)
class NsProxy:
    """The namespaces that a task is in."""

    uts: UtsNamespace
    ipc: IpcNamespace
    net: NetNamespace
    mnt: MountNamespace
