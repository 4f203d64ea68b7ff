"""Capabilities, and prctl: what a task may do, is called, and leaves behind.

Mirrors: Linux kernel/capability.c, kernel/sys.c (prctl), security/commoncap.c.
"""

from __future__ import annotations

import struct
from dataclasses import replace
from typing import TYPE_CHECKING

from kernel_model.abi.errno import EFAULT, EINVAL, EPERM, ESRCH
from kernel_model.creds import (
    CAPABILITIES,
    SECURE_ALL_BITS,
    SECURE_ALL_LOCKS,
    SECURE_KEEP_CAPS,
    Cred,
)
from kernel_model.syscalls.declare import Int, Ptr, Size, syscall

if TYPE_CHECKING:
    from kernel_model.task import Task

_SETS_OF_VERSION = {0x19980330: 1, 0x20071026: 2, 0x20080522: 2}
_NEWEST = 0x20080522
_LOW = 0xFFFFFFFF
PR_SET_PDEATHSIG, PR_GET_PDEATHSIG, PR_GET_DUMPABLE, PR_SET_DUMPABLE = 1, 2, 3, 4
PR_GET_KEEPCAPS, PR_SET_KEEPCAPS, PR_GET_TIMING, PR_SET_TIMING = 7, 8, 13, 14
PR_SET_NAME, PR_GET_NAME, PR_CAPBSET_READ, PR_CAPBSET_DROP = 15, 16, 23, 24
PR_GET_SECUREBITS, PR_SET_SECUREBITS = 27, 28
_NAME_BYTES = 16
_NSIG = 64


def _version(task: Task, header: int) -> int | None:
    """How many words each set has; None (and ours is stored) for an unknown version."""
    version = int.from_bytes(task.user.read(header, 4), task.abi.byte_order)
    count = _SETS_OF_VERSION.get(version)
    if count is None:
        task.user.write_int(header, _NEWEST)
    return count


def _pid(task: Task, header: int) -> int:
    return int.from_bytes(task.user.read(header + 4, 4), task.abi.byte_order, signed=True)


@syscall()
def capget(task: Task, header: Ptr, data: Ptr) -> int:
    """The capabilities of a thread."""
    count = _version(task, header)
    if count is None:
        if not data:
            return 0  # a question for the version
        raise EINVAL("an unknown version of capabilities")
    if not data:
        return 0
    pid = _pid(task, header)
    if pid < 0:
        raise EINVAL(f"there is no thread {pid}")
    target = task.find(pid) if pid else task
    if target is None:
        raise ESRCH(f"there is no thread {pid}")
    cred = target.cred
    sets = (cred.cap_effective, cred.cap_permitted, cred.cap_inheritable)
    words = [caps >> 32 * k & _LOW for k in range(count) for caps in sets]
    task.user.write(data, struct.pack(f"{task.abi.order}{len(words)}I", *words))
    return 0


@syscall()
def capset(task: Task, header: Ptr, data: Ptr) -> int:
    """Change the caller's own capabilities."""
    count = _version(task, header)
    if count is None:
        raise EINVAL("an unknown version of capabilities")
    if _pid(task, header) not in (0, task.vpid):
        raise EPERM("capabilities of others cannot be set")
    words = struct.unpack(f"{task.abi.order}{3 * count}I", task.user.read(data, 12 * count))
    effective, permitted, inheritable = (
        sum(words[3 * k + which] << 32 * k for k in range(count)) for which in range(3)
    )
    old = task.cred
    if inheritable & ~(old.cap_inheritable | old.cap_permitted) and not old.cap("CAP_SETPCAP"):
        raise EPERM("inheritable capabilities that are not permitted")
    if inheritable & ~(old.cap_inheritable | old.cap_bounding):
        raise EPERM("inheritable capabilities outside of the bounding set")
    if permitted & ~old.cap_permitted:
        raise EPERM("capabilities that are not permitted")
    if effective & ~permitted:
        raise EPERM("effective capabilities that are not permitted")
    fresh = replace(
        old, cap_effective=effective, cap_permitted=permitted, cap_inheritable=inheritable
    )
    task.commit_cred(fresh)
    return 0


def _set_dumpable(task: Task, value: int) -> int:
    if value not in (0, 1):
        raise EINVAL(f"dumpable {value}")
    assert task.mm is not None
    task.mm.dumpable = value
    return 0


def _set_keep_caps(task: Task, value: int) -> int:
    if value > 1:
        raise EINVAL(f"keepcaps {value}")
    bits = task.cred.securebits
    if bits & SECURE_KEEP_CAPS << 1:
        raise EPERM("SECURE_KEEP_CAPS is locked")
    _with_secure_bits(task, bits & ~SECURE_KEEP_CAPS | (SECURE_KEEP_CAPS if value else 0))
    return 0


def _with_secure_bits(task: Task, bits: int) -> None:
    task.cred = replace(task.cred, securebits=bits)


def _set_secure_bits(task: Task, bits: int) -> int:
    old = task.cred.securebits
    locked = old & SECURE_ALL_LOCKS
    if (
        locked >> 1 & (old ^ bits)
        or locked & ~bits
        or bits & ~(SECURE_ALL_BITS | SECURE_ALL_LOCKS)
        or not task.cred.cap("CAP_SETPCAP")
    ):
        raise EPERM(f"securebits {bits:#x}")
    _with_secure_bits(task, bits)
    return 0


def _bounding(task: Task, number: int, *, drop: bool) -> int:
    cred: Cred = task.cred
    if drop and not cred.cap("CAP_SETPCAP"):
        raise EPERM("dropping from the bounding set needs CAP_SETPCAP")
    if number >= len(CAPABILITIES):
        raise EINVAL(f"there is no capability {number}")
    if not drop:
        return cred.cap_bounding >> number & 1
    task.cred = replace(cred, cap_bounding=cred.cap_bounding & ~(1 << number))
    return 0


def _set_name(task: Task, addr: int) -> int:
    name = b""
    while len(name) < _NAME_BYTES - 1:
        byte = task.user.read(addr + len(name), 1)
        if byte == b"\0":
            break
        name += byte
    task.comm = name
    return 0


def _set_death_signal(task: Task, signo: int) -> int:
    if signo > _NSIG:
        raise EINVAL(f"there is no signal {signo}")
    task.pdeath_signal = signo
    return 0


def _secure(task: Task, option: int, value: int) -> int:
    """The options about credentials."""
    if option == PR_GET_KEEPCAPS:
        return int(bool(task.cred.securebits & SECURE_KEEP_CAPS))
    if option == PR_SET_KEEPCAPS:
        return _set_keep_caps(task, value)
    if option in (PR_CAPBSET_READ, PR_CAPBSET_DROP):
        return _bounding(task, value, drop=option == PR_CAPBSET_DROP)
    if option == PR_GET_SECUREBITS:
        return task.cred.securebits
    if option == PR_SET_SECUREBITS:
        return _set_secure_bits(task, value)
    raise EINVAL(f"prctl {option} is unknown")


@syscall(partial="names, dumpable, keepcaps, securebits, the bounding set and PDEATHSIG only")
def prctl(task: Task, option: Int, arg2: Size, arg3: Size, arg4: Size, arg5: Size) -> int:
    """Ask for or set a property of the calling task."""
    assert task.mm is not None
    if option == PR_SET_PDEATHSIG:
        return _set_death_signal(task, arg2)
    if option == PR_GET_PDEATHSIG:
        if task.user.writable(arg2, 4) < 4:
            raise EFAULT(f"cannot store at {arg2:#x}")
        task.user.write_int(arg2, task.pdeath_signal)
        return 0
    if option == PR_GET_DUMPABLE:
        return task.mm.dumpable
    if option == PR_SET_DUMPABLE:
        return _set_dumpable(task, arg2)
    if option == PR_GET_TIMING or (option == PR_SET_TIMING and not arg2):
        return 0  # PR_TIMING_STATISTICAL, the only way there is
    if option == PR_SET_NAME:
        return _set_name(task, arg2)
    if option == PR_GET_NAME:
        task.user.write(arg2, task.comm.ljust(_NAME_BYTES, b"\0"))
        return 0
    return _secure(task, option, arg2)
