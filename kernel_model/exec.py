"""Running a program: from an ELF file to the first instruction.

The new address space is built aside and put in place last, so that a program which cannot be run
leaves the caller as it was.

Mirrors: Linux fs/exec.c, fs/binfmt_elf.c, fs/binfmt_script.c.
Deviates: the stack, the heap and position-independent programs are never randomised.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from emu.elf import PF_R, PF_W, PF_X, ElfImage, NotAnElf, Segment
from emu.memory import PAGE_MASK, PAGE_SHIFT, PAGE_SIZE
from emu.printable import printable
from kernel_model import posix_timers
from kernel_model.abi.errno import E2BIG, EFAULT, EINVAL, ELIBBAD, ENOENT, ENOEXEC, ENOMEM
from kernel_model.exit import finish_vfork, leave_memory, leave_threads
from kernel_model.mm.address_space import AddressSpace, page_up
from kernel_model.mm.fault import BadAccess, OutOfMemory, handle_fault
from kernel_model.mm.vma import (
    VM_ACCOUNT,
    VM_EXEC,
    VM_GROWSDOWN,
    VM_MAYEXEC,
    VM_MAYREAD,
    VM_MAYWRITE,
    VM_READ,
    VM_WRITE,
    Vma,
)
from kernel_model.vfs.open import open_program, open_program_at

if TYPE_CHECKING:
    from kernel_model.arch.abi import Abi
    from kernel_model.kernel import Kernel
    from kernel_model.task import Task
    from kernel_model.vfs.mounts import Path
    from kernel_model.vfs.openfile import OpenFile

MAY_ALL = VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC
_STACK_FIRST_BYTES = 33 * PAGE_SIZE
_MAX_ARG_BYTES = 128 << 10
_MAX_SCRIPTS = 5

(AT_NULL, AT_PHDR, AT_PHENT, AT_PHNUM, AT_PAGESZ, AT_BASE, AT_FLAGS, AT_ENTRY) = (
    0,
    3,
    4,
    5,
    6,
    7,
    8,
    9,
)
(AT_UID, AT_EUID, AT_GID, AT_EGID, AT_PLATFORM, AT_HWCAP, AT_CLKTCK, AT_SECURE) = (
    11,
    12,
    13,
    14,
    15,
    16,
    17,
    23,
)
AT_RANDOM, AT_EXECFN = 25, 31
CLOCK_TICKS = 100


@dataclass
class Program:
    """A program file, opened and understood, with the arguments it will get."""

    file: OpenFile
    elf: ElfImage
    abi: Abi
    path: bytes
    argv: list[bytes]


def read_program(task: Task, path: bytes, argv: list[bytes], place: Path | None = None) -> Program:
    """Open `path`, following #! lines. Raises ENOEXEC and what open raises.

    `place`: the file itself, if it is at hand (execveat); then `path` only names it.
    """
    for _ in range(_MAX_SCRIPTS):
        file = open_program(task, path) if place is None else open_program_at(task, place)
        place = None
        head = file.pread(0, 256)
        if not head.startswith(b"#!"):
            return _read_elf(task, file, path, argv)
        file.drop()
        line = head[2:].split(b"\n")[0].strip(b" \t")
        interpreter, _, argument = line.partition(b" ")
        if not interpreter:
            raise ENOEXEC(f"{path!r}: a script without an interpreter")
        argv = [interpreter, *([argument.strip()] if argument else []), path, *argv[1:]]
        path = interpreter
    raise ENOEXEC(f"more than {_MAX_SCRIPTS} scripts call one another")


def _read_elf(task: Task, file: OpenFile, path: bytes, argv: list[bytes]) -> Program:
    try:
        elf = task.kernel.parsed_elf(file)
    except NotAnElf as problem:
        file.drop()
        raise ENOEXEC(f"{printable(path)}: {problem}") from problem
    for abi in task.kernel.abis:
        same_machine = elf.machine in abi.elf_machines and elf.elf_class == abi.elf_class
        if same_machine and elf.order == abi.order:
            return Program(file, elf, abi, path, argv)
    file.drop()
    raise ENOEXEC(f"{printable(path)}: this kernel does not run {elf.machine}")


def execute(task: Task, program: Program, envp: list[bytes]) -> None:
    """Replace what the task runs. Raises LinuxError with the task unchanged."""
    abi, elf = program.abi, program.elf
    total = sum(len(text) + 1 + abi.word_bytes for text in program.argv + envp)
    if total > task.stack_limit // 4 or any(len(a) >= _MAX_ARG_BYTES for a in program.argv + envp):
        raise E2BIG(f"{total} bytes of arguments and environment")
    mm = _new_address_space(task, abi)
    try:
        layout = _map_elf(task, mm, program.file, elf, abi.pie_base)
        entry, base = layout.entry, 0
        if elf.interpreter is not None:
            linker = _open_interpreter(task, elf.interpreter, abi)
            try:
                loaded = _map_elf(task, mm, linker.file, linker.elf, None)
            finally:
                linker.file.drop()
            entry, base = loaded.entry, loaded.bias
        _map_stack(mm, abi, elf)
        _map_vdso(task, mm, abi)
    except BaseException:
        mm.drop()
        program.file.drop()
        raise
    # From here on nothing is refused.
    old_mm, old_abi = task.mm, task.abi
    task.mm, task.abi = mm, abi
    if old_abi is not abi:
        task.regs.leave()
        task.regs = task.new_registers(abi)
    try:
        stack = _fill_stack(task, mm, program, envp, layout, base)
        task.known_elf_flags, task.load_bias = elf.flags, layout.bias
        abi.start(task, entry, stack)
    except (EFAULT, OutOfMemory) as problem:
        task.mm, task.abi = old_mm, old_abi
        mm.drop()
        program.file.drop()
        raise ENOMEM(f"no room for the stack: {problem}") from problem
    mm.execute(program.file)
    if old_mm is not None:
        task.mm, task.abi = old_mm, old_abi
        leave_threads(task)
        leave_memory(task)
        task.mm, task.abi = mm, abi
        old_mm.drop()
    _begin_anew(task, program)


def _begin_anew(task: Task, program: Program) -> None:
    task.comm = program.path.rsplit(b"/", 1)[-1][:15]
    task.cred = task.cred.after_exec()
    posix_timers.delete_all(task)
    if task.sighand.users > 1:
        # A process that shares its handlers with another one, and is not its thread.
        shared_handlers, task.sighand = task.sighand, task.sighand.copy()
        shared_handlers.drop()
    task.sighand.reset_for_exec()
    task.altstack = (0, 0)
    if task.files.users > 1:
        shared_files, task.files = task.files, task.files.copy()
        shared_files.drop()
    task.files.close_for_exec()
    task.clear_child_tid = 0
    task.robust_list = (0, 0)
    task.forked_no_exec = False
    finish_vfork(task)
    task.fault_resumed = False


def _new_address_space(task: Task, abi: Abi) -> AddressSpace:
    mm = task.kernel.new_address_space(abi, task.stack_limit)
    limit = task.signal.rlimits[9][0]
    mm.limit_bytes = None if limit >= 1 << 63 else limit
    return mm


@dataclass
class _Loaded:
    bias: int
    entry: int
    phdr: int


def _open_interpreter(task: Task, path: bytes, abi: Abi) -> Program:
    try:
        linker = _read_elf(task, open_program(task, path), path, [])
    except ENOENT as missing:
        raise ENOENT(f"the interpreter {printable(path)} is missing") from missing
    if linker.abi is not abi:
        linker.file.drop()
        raise ELIBBAD(f"{path!r} is for another arch")
    return linker


def _map_elf(
    task: Task, mm: AddressSpace, file: OpenFile, elf: ElfImage, pie_base: int | None
) -> _Loaded:
    """Map the PT_LOAD segments; `pie_base` None puts a shared object where mmap would."""
    first = min(segment.vaddr for segment in elf.segments) & ~PAGE_MASK
    last = max(segment.vaddr + segment.memory_bytes for segment in elf.segments)
    bias = 0
    if elf.position_independent:
        if pie_base is None:
            bias = mm.find_gap(page_up(last) - first) - first
        else:
            bias = pie_base - first
    if last + bias > mm.task_size or first + bias < PAGE_SIZE:
        raise EINVAL("a segment outside of user space")
    layout = mm.layout
    is_program = pie_base is not None
    phdr = 0
    for segment in elf.segments:
        _map_segment(mm, file, segment, bias)
        start, end = segment.vaddr + bias, segment.vaddr + segment.file_bytes + bias
        if segment.offset <= elf.phdr_offset < segment.offset + segment.file_bytes:
            phdr = start + elf.phdr_offset - segment.offset
        if not is_program:
            continue
        if segment.flags & PF_X:
            layout.start_code = min(layout.start_code or start, start)
            layout.end_code = max(layout.end_code, end)
        layout.start_data = max(layout.start_data, start)
        layout.end_data = max(layout.end_data, end)
    if is_program:
        layout.start_brk = layout.brk = page_up(last + bias)
    return _Loaded(bias, (elf.entry + bias) & ((1 << 64) - 1), phdr)


def _map_segment(mm: AddressSpace, file: OpenFile, segment: Segment, bias: int) -> None:
    if segment.file_bytes and (segment.vaddr - segment.offset) & PAGE_MASK:
        raise ENOEXEC("a segment whose address and file offset do not agree")
    access = (VM_READ if segment.flags & PF_R else 0) | (VM_EXEC if segment.flags & PF_X else 0)
    access |= VM_WRITE if segment.flags & PF_W else 0
    flags = access | MAY_ALL
    start = (segment.vaddr + bias) & ~PAGE_MASK
    file_end = segment.vaddr + segment.file_bytes + bias
    memory_end = page_up(segment.vaddr + segment.memory_bytes + bias)
    if mm.overlapping(start, memory_end):
        mm.unmap(start, memory_end)
    mapped_end = start
    if segment.file_bytes:
        mapped_end = page_up(file_end)
        offset = (segment.offset & ~PAGE_MASK) >> PAGE_SHIFT
        backing = file.mmap_inode()
        mm.insert(Vma(start, mapped_end, flags, offset, backing, file))
    if memory_end > mapped_end:
        mm.insert(Vma(mapped_end, memory_end, flags | VM_ACCOUNT))
    if segment.memory_bytes > segment.file_bytes and file_end & PAGE_MASK and segment.file_bytes:
        _clear_tail(mm, file_end)


def _clear_tail(mm: AddressSpace, addr: int) -> None:
    # The last page of the file part also holds the beginning of .bss.
    try:
        handle_fault(mm, addr, "write", 0)
    except BadAccess:
        return  # a read-only segment with a .bss is padded by nothing
    frame = mm.table.get(addr >> PAGE_SHIFT) >> PAGE_SHIFT
    mm.ram.write(frame, addr & PAGE_MASK, bytes(PAGE_SIZE - (addr & PAGE_MASK)))


def _map_stack(mm: AddressSpace, abi: Abi, elf: ElfImage) -> None:
    executable = elf.stack_executable
    if executable is None:
        executable = abi.read_implies_exec
    flags = VM_READ | VM_WRITE | MAY_ALL | VM_GROWSDOWN | VM_ACCOUNT
    if executable:
        flags |= VM_EXEC
    mm.insert(Vma(abi.stack_top - _STACK_FIRST_BYTES, abi.stack_top, flags))


def _map_vdso(task: Task, mm: AddressSpace, abi: Abi) -> None:
    if not abi.vdso:
        return
    addr = VDSO_ADDR
    if mm.overlapping(addr, addr + PAGE_SIZE):
        addr = mm.find_gap(PAGE_SIZE)
    map_vdso_at(task.kernel, mm, abi, addr)


VDSO_ADDR = 0x100000


def map_vdso_at(kernel: Kernel, mm: AddressSpace, abi: Abi, addr: int) -> None:
    """Map the signal trampolines; exec and restart do."""
    flags = VM_READ | VM_EXEC | VM_MAYREAD | VM_MAYEXEC
    page = kernel.vdso_page(abi)
    mm.insert(Vma(addr, addr + PAGE_SIZE, flags, 0, page, None, b"[vdso]"))
    mm.vdso = addr


def _fill_stack(
    task: Task, mm: AddressSpace, program: Program, envp: list[bytes], loaded: _Loaded, base: int
) -> int:
    """Strings at the top, then auxv, envp, argv, argc: what _start finds."""
    abi, user = program.abi, task.user
    width = abi.word_bytes
    top = abi.stack_top - width

    def push(text: bytes) -> int:
        nonlocal top
        top -= len(text)
        user.write(top, text)
        return top

    exec_name = push(program.path + b"\0")
    mm.layout.env_end = exec_name
    env_addrs = [push(text + b"\0") for text in reversed(envp)][::-1]
    mm.layout.env_start = mm.layout.arg_end = top
    arg_addrs = [push(text + b"\0") for text in reversed(program.argv)][::-1]
    mm.layout.arg_start = top
    platform = push(abi.platform + b"\0")
    top &= ~15
    random_bytes = push(task.kernel.random.bytes(16))
    cred, elf = task.cred, program.elf
    auxv = [
        (AT_HWCAP, abi.hwcap),
        (AT_PAGESZ, PAGE_SIZE),
        (AT_CLKTCK, CLOCK_TICKS),
        (AT_PHDR, loaded.phdr),
        (AT_PHENT, elf.phdr_bytes),
        (AT_PHNUM, elf.phdr_count),
        (AT_BASE, base),
        (AT_FLAGS, 0),
        (AT_ENTRY, loaded.entry),
        (AT_UID, cred.uid),
        (AT_EUID, cred.euid),
        (AT_GID, cred.gid),
        (AT_EGID, cred.egid),
        (AT_SECURE, 0),
        (AT_RANDOM, random_bytes),
        (AT_EXECFN, exec_name),
        (AT_PLATFORM, platform),
        (AT_NULL, 0),
    ]
    words = [len(arg_addrs), *arg_addrs, 0, *env_addrs, 0]
    for key, value in auxv:
        words += [key, value]
    mm.auxv = tuple(word for pair in auxv for word in pair)
    stack = (top - len(words) * width) & ~15
    order = abi.byte_order
    user.write(stack, b"".join(word.to_bytes(width, order) for word in words))
    mm.layout.start_stack = stack
    return stack
