"""What differs between ABIs, as data and small functions with the same names.

A kernel has an arch, a task has an ABI; handlers ask `task.abi` and never for an arch's name.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from emu.arch.modes import MODES
from emu.arch.spec import CpuSpec, Registers

if TYPE_CHECKING:
    from kernel_model.abi.structs import Structs
    from kernel_model.arch.features import Feature
    from kernel_model.signals import Action, SigInfo
    from kernel_model.task import Task


_MMAP_GAP_BYTES = 128 << 20
THROUGH_IPC = dict.fromkeys(
    "shmget shmat shmdt shmctl semget semctl semtimedop msgget msgsnd msgrcv msgctl".split(), ""
)
"""Variants of an ABI that has System V IPC as one call: the numbers of their own are younger."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Abi:
    """One user-space ABI."""

    name: str
    """The column of numbers.tbl, and the name of this file in every arch folder."""
    mode: str
    """The CPU that runs it: a name in emu.arch.modes."""
    word_bytes: int
    order: Literal["<", ">"]
    structs: Structs
    # registers, as positions in Registers.words
    pc: int
    sp: int
    number: int
    arguments: tuple[int, ...]
    result: int
    trap_bytes: int
    """Length of the system call instruction, which lies right before the program counter."""
    align_pairs: bool
    """64-bit arguments of a 32-bit ABI begin in an even argument register."""
    high_first: bool
    """Of such a pair the high word comes first."""
    # the address space
    task_size: int
    stack_top: int
    pie_base: int
    read_implies_exec: bool
    """What a program without a PT_GNU_STACK header gets."""
    # what exec tells a program
    elf_machines: tuple[str, ...]
    elf_class: int
    platform: bytes
    hwcap: int
    machine: str
    """uname -m of a kernel of this arch."""
    # behaviour
    start: Callable[[Task, int, int], None]
    """(task, entry, stack pointer): registers of a program's first instruction."""
    set_result: Callable[[Task, int], None]
    """(task, result): a count, or a negative errno, in the ABI's convention."""
    set_tls: Callable[[Task, Registers, int], None]
    """(task, registers of its child, value): CLONE_SETTLS. Raises EFAULT, EINVAL, EPERM."""
    push_frame: Callable[[Task, int, SigInfo, Action, int], None]
    """(task, signal, info, action, mask to restore): enter a handler. Raises EFAULT."""
    sigreturn: Callable[[Task], None]
    """Leave a handler entered without SA_SIGINFO: all registers come from the frame."""
    rt_sigreturn: Callable[[Task], None]
    """Leave a handler entered with SA_SIGINFO."""
    pack_siginfo: Callable[[Task, SigInfo], bytes]
    """siginfo_t (128 bytes) as this ABI lays it out."""
    vdso: bytes
    """Code of the [vdso] page; empty when the ABI has none."""

    emulate: Callable[[Task], bool] | None = None
    """Execute an instruction that was refused to the program; False if it stays refused."""
    variants: dict[str, str] = field(default_factory=dict)
    """Calls whose arguments this ABI passes in another way: name -> handler, or empty."""
    features: dict[str, Feature] = field(default_factory=dict)
    """What its CPU may lack; each is a unit of the same name."""
    absent_units: frozenset[str] = frozenset()
    """What it does lack."""
    last_number: int
    """The highest system call number of Linux 3.2 with linux-cr's three."""
    first_tls_slot: int = 0
    """GDT index of the first TLS descriptor (x86-32)."""
    stack_is_base: bool = False
    """eclone: child_stack is the lowest address of the stack, not the stack pointer."""
    min_sigstack: int = 2048
    illegal_code: int = 2
    """si_code of an illegal instruction: ILL_ILLOPN or ILL_ILLOPC."""
    canonical_bits: int = 64
    """Addresses of more bits than this are no page faults: the CPU refuses them unseen."""
    old_rlimit_max: int = 0xFFFFFFFF
    """The largest limit that getrlimit tells."""

    @property
    def cpu(self) -> CpuSpec:
        """The CPU that runs it, as the kernel shows it to programs."""
        whole = MODES[self.mode]
        return whole.without(self.absent_units) if self.absent_units else whole

    @property
    def byte_order(self) -> Literal["little", "big"]:
        """For int.to_bytes."""
        return "little" if self.order == "<" else "big"

    @property
    def mask(self) -> int:
        """All bits of a word."""
        return (1 << 8 * self.word_bytes) - 1

    def mmap_base(self, stack_limit: int) -> int:
        """Where mmap begins to search downwards, with room for the stack above it."""
        gap = min(max(stack_limit, _MMAP_GAP_BYTES), self.task_size // 6 * 5)
        return (self.task_size - gap) & ~0xFFF

    def rewind(self, registers: Registers) -> None:
        """Go back to the system call instruction."""
        registers.words[self.pc] = (registers.words[self.pc] - self.trap_bytes) & self.mask
