"""System calls of shared memory segments.

Mirrors: Linux ipc/shm.c (sys_shmget, do_shmat, sys_shmdt, sys_shmctl).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from emu.memory import PAGE_MASK, PAGE_SHIFT
from kernel_model.abi.errno import EINVAL, ENOMEM, ENOSPC, EPERM, NotModelled
from kernel_model.abi.limits import MMAP_MIN_ADDR, RLIMIT_MEMLOCK
from kernel_model.ipc.ids import (
    IPC_64,
    IPC_INFO,
    IPC_RMID,
    IPC_SET,
    IPC_STAT,
    MAY_READ,
    MAY_WRITE,
    Perm,
    new_perm,
)
from kernel_model.ipc.shm import Segment, total_pages
from kernel_model.mm.address_space import AddressSpace, page_up
from kernel_model.mm.vma import (
    VM_EXEC,
    VM_MAYEXEC,
    VM_MAYREAD,
    VM_MAYSHARE,
    VM_MAYWRITE,
    VM_READ,
    VM_SHARED,
    VM_WRITE,
    Vma,
)
from kernel_model.syscalls.declare import Flags, Int, Ptr, Size, syscall
from kernel_model.syscalls.ipc_info import tell_shm_limits, tell_shm_usage

if TYPE_CHECKING:
    from emu.layout import Record
    from kernel_model.task import Task

_SHM_LOCK, _SHM_UNLOCK, _SHM_STAT, _SHM_INFO = range(11, 15)
_SHM_HUGETLB = 0o4000
_SHM_RDONLY, _SHM_RND, _SHM_REMAP, _SHM_EXEC = 0o10000, 0o20000, 0o40000, 0o100000


@syscall(partial="no huge pages")
def shmget(task: Task, key: Int, size: Size, flags: Flags) -> int:
    """The segment of a key, made if need be."""
    namespace = task.nsproxy.ipc
    limits = namespace.limits

    def suits(segment: Segment) -> None:
        if size > segment.size_bytes:
            raise EINVAL(f"the segment has {segment.size_bytes} bytes")

    def make() -> Segment:
        if flags & _SHM_HUGETLB:
            raise NotModelled("segments of huge pages")
        if not 1 <= size <= limits.shmmax:
            raise EINVAL(f"a segment of {size} bytes")
        namespace.shm.check_room(limits.shmmni)
        if total_pages(namespace) + (page_up(size) >> PAGE_SHIFT) > limits.shmall:
            raise ENOSPC("too many pages in segments")
        segment = Segment(task.kernel.ram, namespace, new_perm(task, key, flags), size)
        segment.times.creator = task.vtgid
        segment.times.changed = namespace.now_s()
        return segment

    return namespace.shm.get(task, key, flags, suits, make)


def attach(task: Task, shmid: int, addr: int, flags: int) -> int:
    """Map a segment; the address."""
    mm = task.mm
    assert mm is not None
    segment = task.nsproxy.ipc.shm.find(shmid)
    vm_flags = VM_READ | VM_MAYREAD | VM_MAYEXEC | VM_MAYSHARE | mm.def_flags
    wanted = MAY_READ
    if not flags & _SHM_RDONLY:
        wanted |= MAY_WRITE
        vm_flags |= VM_WRITE | VM_MAYWRITE | VM_SHARED
    if flags & _SHM_EXEC:
        wanted |= 0o111
        vm_flags |= VM_EXEC
    length = segment.page_count << PAGE_SHIFT
    place = _place(task, mm, addr, length, flags)
    segment.perm.check(task, wanted)
    if mm.limit_bytes is not None and mm.total_bytes + length > mm.limit_bytes:
        raise ENOMEM("RLIMIT_AS")
    addr = mm.find_gap(length) if place is None else place
    if flags & _SHM_REMAP:
        mm.unmap(addr, addr + length)
    mm.insert(Vma(addr, addr + length, vm_flags, 0, segment))
    segment.times.attached = task.nsproxy.ipc.now_s()
    segment.times.last_user = task.vtgid
    return addr


def _place(task: Task, mm: AddressSpace, addr: int, length: int, flags: int) -> int | None:
    """Where the caller wants the mapping; None leaves it to the kernel."""
    if not addr:
        if flags & _SHM_REMAP:
            raise EINVAL("SHM_REMAP without an address")
        return None
    if addr & PAGE_MASK:
        if not flags & _SHM_RND:
            raise EINVAL(f"{addr:#x} is not page aligned")
        addr &= ~PAGE_MASK
    if addr < MMAP_MIN_ADDR and not task.cred.cap("CAP_SYS_RAWIO"):
        raise EPERM(f"nothing is mapped at {addr:#x}")
    if addr + length > mm.task_size:
        raise EINVAL(f"{addr:#x} is no place for {length} bytes")
    if not flags & _SHM_REMAP and mm.overlapping(addr, addr + length):
        raise EINVAL(f"something is mapped at {addr:#x}")
    return addr


@syscall()
def shmat(task: Task, shmid: Int, addr: Ptr, flags: Flags) -> int:
    """Map a segment; the address."""
    return attach(task, shmid, addr, flags)


@syscall()
def shmdt(task: Task, addr: Ptr) -> int:
    """Unmap a segment; `addr` is what shmat returned."""
    mm = task.mm
    assert mm is not None
    found = None
    for vma in mm.overlapping(addr, mm.task_size) if not addr & PAGE_MASK else []:
        base = vma.start - (vma.offset << PAGE_SHIFT)
        if isinstance(vma.backing, Segment) and base == addr:
            found = vma.backing
            break
    if found is None:
        raise EINVAL(f"no segment was attached at {addr:#x}")
    for vma in mm.overlapping(addr, addr + (found.page_count << PAGE_SHIFT)):
        if vma.backing is found and vma.start - (vma.offset << PAGE_SHIFT) == addr:
            found.times.last_user = task.vtgid
            mm.unmap(vma.start, vma.end)
    return 0


@syscall(partial="structures without IPC_64 are refused")
def shmctl(task: Task, shmid: Int, command: Int, buffer: Ptr) -> int:
    """Ask about a segment or all of them, change one, remove it."""
    operation = operation_of(task, command)
    if shmid < 0 or command < 0 or operation not in _COMMANDS:
        raise EINVAL(f"segment {shmid}, command {command}")
    if operation not in _WITHOUT_STRUCTURE:
        check_version(task, command)
    return _COMMANDS[operation](task, shmid, buffer)


def _stat(task: Task, shmid: int, buffer: int) -> int:
    segment = task.nsproxy.ipc.shm.find(shmid)
    segment.perm.check(task, MAY_READ)
    task.user.write_record(_told(task, segment), buffer)
    return 0


def _stat_slot(task: Task, slot: int, buffer: int) -> int:
    segment = task.nsproxy.ipc.shm.at_slot(slot)
    segment.perm.check(task, MAY_READ)
    task.user.write_record(_told(task, segment), buffer)
    return segment.perm.id


def _set(task: Task, shmid: int, buffer: int) -> int:
    namespace = task.nsproxy.ipc
    asked = task.user.read_record(task.abi.structs.ipc.shm, buffer).perm
    segment = namespace.shm.find(shmid)
    segment.perm.check_owner(task)
    segment.perm.change(asked.uid, asked.gid, asked.mode)
    segment.times.changed = namespace.now_s()
    return 0


def _remove(task: Task, shmid: int, buffer: int) -> int:
    segment = task.nsproxy.ipc.shm.find(shmid)
    segment.perm.check_owner(task)
    segment.remove()
    return 0


def _may_lock(task: Task, shmid: int) -> Segment:
    segment = task.nsproxy.ipc.shm.find(shmid)
    if not task.cred.cap("CAP_IPC_LOCK"):
        if task.cred.euid not in (segment.perm.uid, segment.perm.cuid):
            raise EPERM(f"segment {shmid} belongs to user {segment.perm.uid}")
    return segment


def _lock(task: Task, shmid: int, buffer: int) -> int:
    segment = _may_lock(task, shmid)
    most = task.signal.rlimits[RLIMIT_MEMLOCK][0]
    if not task.cred.cap("CAP_IPC_LOCK"):
        if not most:
            raise EPERM("RLIMIT_MEMLOCK")
        if _locked_bytes(task) + (segment.page_count << PAGE_SHIFT) > most:
            raise ENOMEM("RLIMIT_MEMLOCK")
    if segment.locked_by is None:
        segment.locked_by = task.cred.uid
    return 0


def _locked_bytes(task: Task) -> int:
    """What the user of a task has locked in segments."""
    mine = (s for s in task.nsproxy.ipc.shm.all() if s.locked_by == task.cred.uid)
    return sum(segment.page_count << PAGE_SHIFT for segment in mine)


def _unlock(task: Task, shmid: int, buffer: int) -> int:
    _may_lock(task, shmid).locked_by = None
    return 0


_COMMANDS: dict[int, Callable[[Task, int, int], int]] = {
    IPC_RMID: _remove,
    IPC_SET: _set,
    IPC_STAT: _stat,
    IPC_INFO: lambda task, _, buffer: tell_shm_limits(task, buffer),
    _SHM_LOCK: _lock,
    _SHM_UNLOCK: _unlock,
    _SHM_STAT: _stat_slot,
    _SHM_INFO: lambda task, _, buffer: tell_shm_usage(task, buffer),
}
_WITHOUT_STRUCTURE = {IPC_RMID, _SHM_LOCK, _SHM_UNLOCK, _SHM_INFO}


def operation_of(task: Task, command: int) -> int:
    """The command without IPC_64, which x86-64 does not know: its structures have one version."""
    return command & ~IPC_64 if task.abi.structs.ipc.asks_version else command


def check_version(task: Task, command: int) -> None:
    """Refuse the structures of Linux 2.2, which ask for nothing."""
    if task.abi.structs.ipc.asks_version and not command & IPC_64:
        raise NotModelled("IPC structures without IPC_64")


def told_perm(task: Task, perm: Perm, more_mode: int = 0) -> Record:
    """struct ipc64_perm of the caller's ABI."""
    return task.abi.structs.ipc.perm(
        key=perm.key,
        uid=perm.uid,
        gid=perm.gid,
        cuid=perm.cuid,
        cgid=perm.cgid,
        mode=perm.mode | more_mode,
        seq=perm.seq,
    )


def _told(task: Task, segment: Segment) -> Record:
    times = segment.times
    return task.abi.structs.ipc.shm(
        perm=told_perm(task, segment.perm, segment.mode_flags),  # type: ignore[arg-type]
        segsz=segment.size_bytes & task.abi.mask,
        atime=times.attached & task.abi.mask,
        dtime=times.detached & task.abi.mask,
        ctime=times.changed & task.abi.mask,
        cpid=times.creator,
        lpid=times.last_user,
        nattch=segment.users,
    )
