"""The machine as a whole: memory, log, clock setting, personality, and what only root may ask for.

What this kernel is built without (modules, quotas, process accounting) answers ENOSYS, after the
test of privilege where Linux makes it first.

Mirrors:  Linux kernel/timer.c (sysinfo), kernel/printk.c, kernel/exec_domain.c, kernel/time.c,
          kernel/acct.c, mm/swapfile.c, kernel/sys.c (reboot).
Deviates: load averages are not counted and shown as 0; the kernel's log is always empty.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel_model.abi.errno import EBADF, EINVAL, ENOSYS, EPERM, ESPIPE, NotModelled
from kernel_model.abi.sysinfo import Sysinfo32, Sysinfo64
from kernel_model.abi.time import NS_PER_S
from kernel_model.syscalls.declare import Fd, Flags, Int, Off64, Path, Ptr, Size, UInt, syscall
from kernel_model.syscalls.time import read_timeval, write_timeval
from kernel_model.vfs.path import Walk

if TYPE_CHECKING:
    from kernel_model.task import Task

PER_ASK = 0xFFFFFFFF
ADDR_NO_RANDOMIZE = 0x40000
_PAGE = 4096
_LOG_BYTES = 1 << 14
_SWAP_FLAGS = 0x7FFF | 0x8000 | 0x10000
_REBOOT_MAGIC = (0xFEE1DEAD, (672274793, 85072278, 369367448, 537993216))
_TIME_ERROR, _STA_UNSYNC = 5, 0x40
_TICK_US = 10000


@syscall()
def sysinfo(task: Task, info: Ptr) -> int:
    """Uptime, memory and number of tasks."""
    ram = task.kernel.ram
    wide = task.abi.word_bytes == 8
    record = (Sysinfo64 if wide else Sysinfo32)(
        uptime=task.kernel.clock.now_ns() // NS_PER_S,
        totalram=ram.frame_count * _PAGE,
        freeram=ram.free_frames * _PAGE,
        procs=len(task.kernel.tasks),
        mem_unit=1,
    )
    task.user.write_record(record, info)
    return 0


@syscall(partial="the log is empty; the console's level cannot be changed")
def syslog(task: Task, action: Int, buffer: Ptr, length: Int) -> int:
    """Read, clear or ask about the kernel's log."""
    if action not in (3, 10) and not task.cred.cap("CAP_SYS_ADMIN"):
        raise EPERM("the kernel's log needs CAP_SYS_ADMIN")
    if action in (2, 3, 4) and (not buffer or length < 0):
        raise EINVAL("no buffer for the log")
    if action == 8 and not 1 <= length <= 8:
        raise EINVAL(f"there is no console level {length}")
    if action in (2, 6, 7, 8):
        raise NotModelled(f"syslog action {action}: nothing is ever logged")
    if not 0 <= action <= 10:
        raise EINVAL(f"syslog action {action}")
    return _LOG_BYTES if action == 10 else 0


@syscall(partial="only Linux's own, and ADDR_NO_RANDOMIZE: addresses are never random here")
def personality(task: Task, wanted: UInt) -> int:
    """Ask for (all ones) or set the execution domain; the one before."""
    before = task.personality
    if wanted != PER_ASK:
        if wanted & ~ADDR_NO_RANDOMIZE:
            raise NotModelled(f"personality {wanted:#x}")
        task.personality = wanted
    return before


def _refuse_clock(task: Task) -> EPERM:
    if not task.cred.cap("CAP_SYS_TIME"):
        return EPERM("setting the clock needs CAP_SYS_TIME")
    return EPERM("virtual time cannot be set from inside")


@syscall(partial="the clock is the model's own: setting it is refused with EPERM")
def stime(task: Task, value: Ptr) -> int:
    """Refused: virtual time belongs to who started the machine."""
    task.user.word(value)
    raise _refuse_clock(task)


@syscall(partial="the clock is the model's own: setting it is refused with EPERM")
def settimeofday(task: Task, value: Ptr, zone: Ptr) -> int:
    """Refused: virtual time belongs to who started the machine."""
    if value:
        read_timeval(task, value)
    if zone:
        task.user.read(zone, 8)
    raise _refuse_clock(task)


@syscall(partial="reading only: adjusting the clock is refused with EPERM")
def adjtimex(task: Task, timex: Ptr) -> int:
    """How the clock is disciplined: not at all."""
    width = task.abi.word_bytes
    order = task.abi.byte_order
    modes = int.from_bytes(task.user.read(timex, 4), order)
    if modes and modes != 0xA001:  # ADJ_OFFSET_SS_READ
        raise _refuse_clock(task)
    size = 208 if width == 8 else 128
    task.user.writable(timex, size)
    task.user.write(timex + width, bytes(size - width))
    task.user.write_int(timex + 5 * width, _STA_UNSYNC)
    task.user.write_word(timex + 7 * width, 1)  # precision, microseconds
    write_timeval(task, timex + 9 * width, task.kernel.clock.realtime_ns())
    task.user.write_word(timex + 11 * width, _TICK_US)
    return _TIME_ERROR


@syscall()
def vhangup(task: Task) -> int:
    """Hang up the controlling terminal."""
    if not task.cred.cap("CAP_SYS_TTY_CONFIG"):
        raise EPERM("vhangup needs CAP_SYS_TTY_CONFIG")
    if task.signal.tty is not None:
        task.signal.tty.hang_up()
    return 0


@syscall(partial="this kernel is built without process accounting")
def acct(task: Task, name: Ptr) -> int:
    """Refused."""
    raise ENOSYS("no process accounting")


@syscall(partial="this kernel is built without quotas")
def quotactl(task: Task, command: UInt, special: Ptr, number: UInt, addr: Ptr) -> int:
    """Refused."""
    raise ENOSYS("no quotas")


@syscall(partial="nothing can be swapped to: a file of any kind is refused with EINVAL")
def swapon(task: Task, name: Path, flags: Int) -> int:
    """Refused."""
    if not task.cred.cap("CAP_SYS_ADMIN"):
        raise EPERM("swapon needs CAP_SYS_ADMIN")
    Walk(task).resolve(name)
    raise EINVAL("not a swap area")


@syscall()
def swapoff(task: Task, name: Path) -> int:
    """Stop swapping to a file: none is in use."""
    if not task.cred.cap("CAP_SYS_ADMIN"):
        raise EPERM("swapoff needs CAP_SYS_ADMIN")
    Walk(task).resolve(name)
    raise EINVAL("nobody swaps to that")


@syscall(partial="the machine is switched off from outside")
def reboot(task: Task, magic: Flags, magic2: UInt, command: Flags, arg: Ptr) -> int:
    """Refused after the tests of privilege and of the magic numbers."""
    if not task.cred.cap("CAP_SYS_BOOT"):
        raise EPERM("reboot needs CAP_SYS_BOOT")
    if magic != _REBOOT_MAGIC[0] or magic2 not in _REBOOT_MAGIC[1]:
        raise EINVAL("reboot without its magic numbers")
    raise NotModelled(f"reboot command {command:#x}")


@syscall(partial="this kernel is built without modules")
def init_module(task: Task, image: Ptr, length: Size, arguments: Ptr) -> int:
    """Refused."""
    raise ENOSYS("no modules")


@syscall(partial="this kernel is built without modules")
def delete_module(task: Task, name: Ptr, flags: Flags) -> int:
    """Refused."""
    raise ENOSYS("no modules")


@syscall()
def readahead(task: Task, fd: Fd, offset: Off64, count: Size) -> int:
    """Bring a part of a file into memory early: it is there already."""
    file = task.files.get(fd)
    if not file.may_read:
        raise EBADF(f"descriptor {fd} is not open for reading")
    if not file.inode.is_regular:
        raise EINVAL("this file has no pages")
    return 0


def _sync_range(task: Task, fd: int, offset: int, count: int, flags: int) -> int:
    if flags & ~7 or offset < 0 or count < 0 or offset + count >> 63:
        raise EINVAL(f"sync_file_range of {count} bytes at {offset}, flags {flags:#x}")
    file = task.files.get(fd)
    if not file.inode.is_regular and not file.inode.is_dir:
        raise ESPIPE("this file has no pages")
    file.inode.sync()
    return 0


@syscall()
def sync_file_range(task: Task, fd: Fd, offset: Off64, count: Off64, flags: UInt) -> int:
    """Bring a part of a file to the disk."""
    return _sync_range(task, fd, offset, count, flags)


@syscall()
def sync_file_range2(task: Task, fd: Fd, flags: UInt, offset: Off64, count: Off64) -> int:
    """sync_file_range with its arguments in PowerPC's order."""
    return _sync_range(task, fd, offset, count, flags)


@syscall()
def syncfs(task: Task, fd: Fd) -> int:
    """Bring a file system to the disk."""
    task.files.get(fd)
    task.kernel.vfs.sync()
    return 0
