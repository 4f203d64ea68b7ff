"""poll, select and their relatives.

Every run asks all files; if none is ready the task sleeps on all their queues, and the deadline
is kept in the restart block, so that a later run gives up at the same time.

Mirrors: Linux fs/select.c.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from kernel_model.abi.errno import EBADF, EFAULT, EINVAL, LinuxError
from kernel_model.abi.fcntl import (
    POLLERR,
    POLLHUP,
    POLLIN,
    POLLNVAL,
    POLLOUT,
    POLLPRI,
    POLLRDBAND,
    POLLRDNORM,
    POLLWRBAND,
    POLLWRNORM,
)
from kernel_model.abi.time import NS_PER_S
from kernel_model.restart_block import Progress, RestartBlock, RestartFunction
from kernel_model.syscalls.declare import Int, Ptr, Size, UInt, syscall
from kernel_model.syscalls.open import descriptor_limit
from kernel_model.syscalls.time import read_timespec, write_timespec, write_timeval
from kernel_model.vfs.openfile import OpenFile
from kernel_model.waitqueue import Restart, Sleep

if TYPE_CHECKING:
    from kernel_model.task import Task

_IN = POLLIN | POLLRDNORM | POLLRDBAND | POLLHUP | POLLERR
_OUT = POLLOUT | POLLWRNORM | POLLWRBAND | POLLERR
_EXCEPT = POLLPRI
_SIGSET_BYTES = 8
_UNBLOCKABLE = 1 << 9 - 1 | 1 << 19 - 1  # SIGKILL and SIGSTOP


def first_deadline(task: Task, timeout_ns: int | None) -> int | None:
    """The time to give up at: that of the first run of this call."""
    block: Progress | None = task.restart_block
    if block is not None:
        return block.deadline_ns
    if timeout_ns is None:
        return None
    deadline_ns: int = task.kernel.clock.after(timeout_ns)
    return deadline_ns


def _sleep(task: Task, files: list[OpenFile], block: Progress, restart: Restart) -> None:
    """Wait for one of the files, unless the deadline has come."""
    deadline_ns = block.deadline_ns
    if deadline_ns is not None and task.kernel.clock.now_ns() >= deadline_ns:
        return
    task.restart_block = block
    queues = [queue for file in files for queue in file.queues_for(task)]
    external = any(file.poll_external() for file in files)
    raise Sleep(*queues, deadline_ns=deadline_ns, restart=restart, external=external)


def _poll(task: Task, fds: int, nfds: int, block: Progress, restart: Restart) -> int:
    if nfds > descriptor_limit(task):
        raise EINVAL(f"{nfds} descriptors are more than RLIMIT_NOFILE")
    layout = struct.Struct(task.abi.order + "ihh")
    data = task.user.read(fds, nfds * layout.size) if nfds else b""
    ready = 0
    files: list[OpenFile] = []
    result: list[int] = []
    for fd, events, _ in layout.iter_unpack(data):
        mask = 0
        if fd >= 0:
            try:
                file = task.files.get(fd)
            except EBADF:
                mask = POLLNVAL
            else:
                files.append(file)
                mask = file.poll_for(task) & (events | POLLERR | POLLHUP)
        result.append(mask)
        ready += mask != 0
    if not ready:
        _sleep(task, files, block, restart)
    order = task.abi.order
    for i, mask in enumerate(result):
        task.user.write(fds + i * layout.size + 6, struct.pack(order + "H", mask))
    return ready


@syscall()
def poll(task: Task, fds: Ptr, nfds: UInt, timeout: Int) -> int:
    """Wait until one of some files is ready, or for a number of milliseconds."""
    deadline_ns = first_deadline(task, None if timeout < 0 else timeout * 1_000_000)
    block = RestartBlock(deadline_ns=deadline_ns, function=RestartFunction.POLL, args=(fds, nfds))
    return _poll(task, fds, nfds, block, Restart.ERESTART_RESTARTBLOCK)


def continue_poll(task: Task, block: RestartBlock) -> int:
    """restart_syscall after a poll that a signal without a handler interrupted."""
    return _poll(task, block.args[0], block.args[1], block, Restart.ERESTART_RESTARTBLOCK)


def _read_timeval(task: Task, addr: int) -> int | None:
    if not addr:
        return None
    value = task.user.read_record(task.abi.structs.timeval, addr)
    seconds, microseconds = value.tv_sec, value.tv_usec
    if seconds < 0 or microseconds < 0:
        raise EINVAL(f"a timeout of {seconds} s and {microseconds} us")
    return seconds * NS_PER_S + microseconds * 1000


def _tell_time_left(
    task: Task, addr: int, deadline_ns: int | None, write: Callable[[Task, int, int], None]
) -> None:
    """Store how much of the timeout is left; as in Linux nobody minds if that fails."""
    if not addr or deadline_ns is None:
        return
    left_ns = max(0, deadline_ns - task.kernel.clock.now_ns())
    with suppress(EFAULT):
        write(task, addr, left_ns)


def apply_mask(task: Task, sigmask: int, size: int) -> None:
    """Wait under another signal mask; one at address 0 is none."""
    if not sigmask:
        return
    if size != _SIGSET_BYTES:
        raise EINVAL(f"a signal mask of {size} bytes")
    raw = task.user.read(sigmask, _SIGSET_BYTES)
    code = task.abi.order + ("Q" if task.abi.word_bytes == 8 else "II")
    words = struct.unpack(code, raw)
    mask = sum(word << (8 * task.abi.word_bytes * i) for i, word in enumerate(words))
    if task.saved_blocked is None:
        task.saved_blocked = task.blocked
    task.blocked = mask & ~_UNBLOCKABLE


def take_mask_back(task: Task) -> None:
    """The call ends by itself; if a signal ends it, its delivery takes the mask back."""
    if task.saved_blocked is not None:
        task.blocked, task.saved_blocked = task.saved_blocked, None
        task.attention = True


@syscall()
def ppoll(task: Task, fds: Ptr, nfds: UInt, timeout: Ptr, sigmask: Ptr, size: Size) -> int:
    """poll with nanoseconds and a signal mask; the time left is stored."""
    deadline_ns = first_deadline(task, read_timespec(task, timeout) if timeout else None)
    apply_mask(task, sigmask, size)
    try:
        ready = _poll(task, fds, nfds, Progress(deadline_ns=deadline_ns), Restart.ERESTARTNOHAND)
    except LinuxError:
        take_mask_back(task)
        raise
    take_mask_back(task)
    _tell_time_left(task, timeout, deadline_ns, write_timespec)
    return ready


def _read_set(task: Task, addr: int, n: int) -> int:
    """An fd_set as one integer: bit fd. Words have the order of the ABI, bits never differ."""
    if not addr or not n:
        return 0
    width = task.abi.word_bytes
    count = -(-n // (8 * width))
    code = f"{task.abi.order}{count}{'Q' if width == 8 else 'I'}"
    words: tuple[int, ...] = struct.unpack(code, task.user.read(addr, count * width))
    return sum(word << (8 * width * i) for i, word in enumerate(words)) & ((1 << n) - 1)


def _write_set(task: Task, addr: int, n: int, bits: int) -> None:
    if not addr or not n:
        return
    width = task.abi.word_bytes
    count = -(-n // (8 * width))
    mask = (1 << 8 * width) - 1
    words = [bits >> (8 * width * i) & mask for i in range(count)]
    code = f"{task.abi.order}{count}{'Q' if width == 8 else 'I'}"
    task.user.write(addr, struct.pack(code, *words))


def _select(task: Task, n: int, sets: tuple[int, int, int], deadline_ns: int | None) -> int:
    if n < 0:
        raise EINVAL(f"{n} descriptors")
    n = min(n, max(len(task.files.files), 8 * task.abi.word_bytes))
    wanted = [_read_set(task, addr, n) for addr in sets]
    found = [0, 0, 0]
    files: list[OpenFile] = []
    for fd in range(n):
        if not any(bits >> fd & 1 for bits in wanted):
            continue
        file = task.files.get(fd)
        files.append(file)
        mask = file.poll_for(task)
        for i, events in enumerate((_IN, _OUT, _EXCEPT)):
            if wanted[i] >> fd & 1 and mask & events:
                found[i] |= 1 << fd
    ready = sum(bits.bit_count() for bits in found)
    if not ready:
        _sleep(task, files, Progress(deadline_ns=deadline_ns), Restart.ERESTARTNOHAND)
    for addr, bits in zip(sets, found):
        _write_set(task, addr, n, bits)
    return ready


def _select_call(task: Task, n: int, sets: tuple[int, int, int], timeout: int) -> int:
    deadline_ns = first_deadline(task, _read_timeval(task, timeout))
    ready = _select(task, n, sets, deadline_ns)
    _tell_time_left(task, timeout, deadline_ns, write_timeval)
    return ready


@syscall()
def select(task: Task, n: Size, inp: Ptr, outp: Ptr, exp: Ptr, timeout: Ptr) -> int:
    """Wait until one of three sets of files is ready."""
    if task.abi.structs.packed_select:
        width = task.abi.word_bytes
        n, inp, outp, exp, timeout = (task.user.word(n + width * i) for i in range(5))
    n &= 0xFFFF_FFFF
    return _select_call(task, n - (1 << 32) if n >> 31 else n, (inp, outp, exp), timeout)


@syscall()
def _newselect(task: Task, n: Int, inp: Ptr, outp: Ptr, exp: Ptr, timeout: Ptr) -> int:
    """select of 32-bit ABIs."""
    return _select_call(task, n, (inp, outp, exp), timeout)


@syscall()
def pselect6(task: Task, n: Int, inp: Ptr, outp: Ptr, exp: Ptr, timeout: Ptr, mask: Ptr) -> int:
    """select with nanoseconds and a signal mask (an address and a size, at `mask`)."""
    deadline_ns = first_deadline(task, read_timespec(task, timeout) if timeout else None)
    if mask:
        if task.user.readable(mask, 2 * task.abi.word_bytes) < 2 * task.abi.word_bytes:
            raise EFAULT("bad signal mask argument")
        apply_mask(task, task.user.word(mask), task.user.word(mask + task.abi.word_bytes))
    try:
        ready = _select(task, n, (inp, outp, exp), deadline_ns)
    except LinuxError:
        take_mask_back(task)
        raise
    take_mask_back(task)
    _tell_time_left(task, timeout, deadline_ns, write_timespec)
    return ready
