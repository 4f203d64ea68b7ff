"""Groups of system calls, drawn by chance from those that the kernel model has.

What an argument may be goes by its declared kind and its name: descriptors are descriptors mostly,
a pointer leads to some thing of calls.c, or nowhere.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from cr.system import ARCHES
from kernel_model.syscalls import topics
from kernel_model.syscalls.declare import Kind, Syscall, declared
from kernel_model.syscalls.dispatch import load_numbers

GROUPS, CALLS = 100, 3
_SLOT_BYTES, _SLOTS, _NAMES = 256, 79, range(2, 24)
LEFT_OUT = frozenset(
    """acct adjtimex brk checkpoint clock_adjtime clock_settime clone clone_tls_last eclone
    execve execveat exit exit_group fgetxattr flistxattr fork fremovexattr fsetxattr
    get_thread_area getpgid getpgrp getpid getppid getrandom getrusage getsid gettid
    getxattr ioperm iopl ipc lgetxattr listxattr llistxattr lremovexattr lsetxattr
    modify_ldt nice oldolduname olduname pause personality ptrace quotactl reboot
    removexattr restart restart_syscall rseq rt_sigreturn rt_sigsuspend sched_yield
    set_thread_area set_tid_address setns setsid settimeofday setxattr signal sigreturn
    sigsuspend socketcall stime swapoff swapon sync syncfs sysinfo syslog time times uname
    unshare vfork vm86 vm86old
    """.split()
)
"""Calls whose answer is the machine's own, that end or stop the program, or that LIMITS refuses."""

_DESCRIPTORS = (*(f"n{fd}" for fd in range(3, 37) for _ in range(3)), "n-1", "n99", "n1000000")
_FOLDERS = ("n-100",) * 5 + ("n4", "n3", "n33", "n-1", "n99")
_PROCESSES = ("S", "S", "P", "n0", "n-1", "n99999", "n-99999")
_SIGNALS = ("n0", "n10", "n12", "n17", "n18", "n9", "n64", "n65", "n-1", "n8", "n4", "n128", "n16")
_SIZES = tuple(
    f"n{size}"
    for size in (0, 1, 2, 3, 4, 8, 8, 16, 16, 32, 100, 110, 128, 144, 1024, 1025, 4096, 65536, -1)
) + ("n0x7fffffff", "n0x7fffffffffffffff")
_IPC = {"sem": "q0", "msg": "q1", "shm": "q2"}


@dataclass(frozen=True)
class Call:
    """A system call with what it is given, in the words of calls.c."""

    name: str
    arguments: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.name}({', '.join(self.arguments)})"


Group = tuple[Call, ...]


def _number(chance: random.Random) -> str:
    if chance.random() < 0.3:
        return f"n{1 << chance.randrange(31)}"
    known = (0, 0, *range(1, 19), 20, 22, 32, 64, 100, 1000, 1024, 4096, -1, -2, -100)
    requests = (0x541B, 0x5401, 0x5421, 0x5411, 0x540B, 0x5452, 0x5413, 0x5414, 0x5410, 0x5402)
    return f"n{chance.choice((*known, *requests))}"


def _flags(chance: random.Random) -> str:
    some = (0, 0, 0, 0, 1, 2, 4, 64, 0x80000, 0x800, 0x100, 0x400, 0x1000, 0x2000, 0o644, 0o777, -1)
    return f"n{chance.choice((*some, chance.randrange(16), chance.randrange(1 << 12)))}"


def _pointer(chance: random.Random, kind: Kind) -> str:
    if chance.random() < 0.1:
        return f"b{chance.randrange(6)}"
    if kind is Kind.PATH:
        return f"p{chance.choice(_NAMES) * _SLOT_BYTES}"
    return "b0" if chance.random() < 0.2 else f"p{chance.randrange(_SLOTS) * _SLOT_BYTES}"


def _argument(chance: random.Random, kind: Kind, parameter: str, call: str) -> str:
    if kind in (Kind.PATH, Kind.PTR):
        return _pointer(chance, kind)
    if "dirfd" in parameter or "dfd" in parameter:
        return chance.choice(_FOLDERS)
    if "fd" in parameter or parameter == "fildes":
        return chance.choice(_DESCRIPTORS)
    if "id" in parameter and call[:3] in _IPC:
        return _IPC[call[:3]]
    if parameter in ("pid", "tgid", "tid", "pgid", "who", "target"):
        return chance.choice(_PROCESSES)
    if "sig" in parameter:
        return chance.choice(_SIGNALS)
    if kind is Kind.FLAGS or "flag" in parameter or "mode" in parameter or "prot" in parameter:
        return _flags(chance)
    if kind is Kind.SIZE or parameter in ("length", "count", "size", "most"):
        return chance.choice(_SIZES)
    return _number(chance)


def _possible(arch: str) -> list[tuple[int, Syscall]]:
    calls = {call.name: call for module in topics.modules() for call in declared(module)}
    variants = ARCHES[arch][0].variants
    numbers = {number: variants.get(name, name) for name, number in load_numbers()[arch].items()}
    names = calls.keys() - LEFT_OUT
    return [(number, calls[name]) for number, name in sorted(numbers.items()) if name in names]


def drawn(arch: str, seed: int) -> tuple[str, list[Group]]:
    """The text for calls.c, and the same groups."""
    chance = random.Random(seed)
    possible = _possible(arch)
    lines, groups = [], []
    for _ in range(GROUPS):
        group = []
        for _ in range(CALLS):
            number, call = chance.choice(possible)
            pairs = zip(call.kinds, call.parameters)
            given = tuple(_argument(chance, kind, word, call.name) for kind, word in pairs)
            group.append(Call(call.name, given))
            lines.append(" ".join((f"n{number}", *given, *["n0"] * 6)[i] for i in range(7)))
        lines.append("")
        groups.append(tuple(group))
    return "\n".join(lines) + "\n", groups
