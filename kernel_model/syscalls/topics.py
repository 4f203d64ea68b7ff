"""Which files of this folder have system calls: one topic each."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

TOPICS = (
    "attributes",
    "capabilities",
    "clone",
    "compare",
    "descriptors",
    "events",
    "futex",
    "getdents",
    "groups",
    "identity",
    "inotify",
    "limits",
    "locks",
    "machine",
    "membarrier",
    "memfd",
    "memory",
    "mlock",
    "mount",
    "msg",
    "multiplexed",
    "names",
    "namespaces",
    "open",
    "pidfd",
    "poll",
    "process",
    "readwrite",
    "restart_syscall",
    "scheduling",
    "sem",
    "sendfile",
    "shm",
    "signal",
    "socket",
    "socket_messages",
    "socket_options",
    "socketcall",
    "splice",
    "stat",
    "thread_area",
    "time",
    "timers",
    "truncate",
    "user_ids",
    "vectors",
    "wait",
    "xattr",
)


def modules() -> tuple[ModuleType, ...]:
    """The modules themselves, for boot and for docs/SYSCALLS.md."""
    return tuple(import_module(f"kernel_model.syscalls.{topic}") for topic in TOPICS)
