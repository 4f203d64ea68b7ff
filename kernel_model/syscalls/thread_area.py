"""Thread-local storage on x86: TLS descriptors (i386) and segment bases (x86-64).

Mirrors: Linux arch/x86/kernel/tls.c (do_set_thread_area), process_64.c (do_arch_prctl).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel_model.abi.errno import EFAULT, EINVAL, EPERM, ESRCH
from kernel_model.abi.user_desc import UserDesc
from kernel_model.syscalls.declare import Int, Ptr, syscall

if TYPE_CHECKING:
    from emu.arch.spec import Registers
    from kernel_model.task import Task

_SLOTS = 3
_ARCH_SET_GS, _ARCH_SET_FS, _ARCH_GET_FS, _ARCH_GET_GS = 0x1001, 0x1002, 0x1003, 0x1004


def set_descriptor(task: Task, regs: Registers, addr: int, *, may_choose: bool) -> None:
    """Fill a TLS slot from a user_desc in the task's memory. `regs`: its own, or its child's."""
    wanted = task.user.read_record(UserDesc, addr)
    first = task.abi.first_tls_slot
    slot = wanted.entry_number - first
    if wanted.entry_number == 0xFFFFFFFF and may_choose:
        free = [k for k in range(_SLOTS) if not regs[f"tls{k}"]]
        if not free:
            raise ESRCH("all TLS slots are in use")
        slot = free[0]
        task.user.write_int(addr, first + slot)
    if not 0 <= slot < _SLOTS:
        raise EINVAL(f"GDT entry {wanted.entry_number} is not for TLS")
    regs[f"tls{slot}"] = 0 if wanted.is_empty() else wanted.descriptor()


def set_base(task: Task, regs: Registers, name: str, addr: int) -> None:
    """Set the base of a segment, "fs_base" or "gs_base". `regs`: as for set_descriptor."""
    if addr >= task.abi.task_size:
        raise EPERM(f"{addr:#x} is not in user space")
    regs[name] = addr


@syscall()
def set_thread_area(task: Task, description: Ptr) -> int:
    """Set a TLS descriptor of the calling thread."""
    set_descriptor(task, task.regs, description, may_choose=True)
    return 0


@syscall()
def get_thread_area(task: Task, description: Ptr) -> int:
    """Read a TLS descriptor."""
    wanted = task.user.read_record(UserDesc, description)
    slot = wanted.entry_number - task.abi.first_tls_slot
    if not 0 <= slot < _SLOTS:
        raise EINVAL(f"GDT entry {wanted.entry_number} is not for TLS")
    found = UserDesc.of_descriptor(wanted.entry_number, task.regs[f"tls{slot}"])
    task.user.write_record(found, description)
    return 0


@syscall()
def arch_prctl(task: Task, code: Int, addr: Ptr) -> int:
    """Set or read the base of FS or GS."""
    if code in (_ARCH_SET_FS, _ARCH_SET_GS):
        set_base(task, task.regs, "fs_base" if code == _ARCH_SET_FS else "gs_base", addr)
        return 0
    if code in (_ARCH_GET_FS, _ARCH_GET_GS):
        value = task.regs["fs_base" if code == _ARCH_GET_FS else "gs_base"]
        if not addr:
            raise EFAULT("nowhere to store it")
        task.user.write_word(addr, value)
        return 0
    raise EINVAL(f"arch_prctl code {code:#x} is unknown")
