"""x86-64: sixteen general registers, SYSCALL, segment bases instead of descriptors."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from emu.arch import x86_fpu
from emu.arch.spec import NO_INTERRUPT, CpuSpec, Registers
from emu.arch.x86_segments import enter_ring3
from emu.arch.x86_traps import TRAPS, UNKNOWN

if TYPE_CHECKING:
    from emu.unicorn_cpu import UnicornCpu

USER_CS, USER_DS = 0x33, 0x2B
_XMM = 16
_GENERAL = "rax rbx rcx rdx rsi rdi rbp rsp r8 r9 r10 r11 r12 r13 r14 r15".split()
_SELECTORS = ("ds", "es", "fs", "gs")


def _set_up(cpu: UnicornCpu) -> None:
    enter_ring3(cpu, USER_CS, USER_DS, long_mode=True)
    x86_fpu.set_up(cpu, _XMM, [("FS_BASE", 0), ("GS_BASE", 8)])


def _swap(cpu: UnicornCpu, old: Registers | None, new: Registers) -> None:
    if old is not None:
        _store(cpu, old)
    words = new.held_system()
    buffer = cpu.batches[x86_fpu.UNIT].buffer
    struct.pack_into("<QQ", buffer, x86_fpu.EXTRA, words["fs_base"], words["gs_base"])
    x86_fpu.load(cpu, new.held_units()[x86_fpu.UNIT])


def _store(cpu: UnicornCpu, registers: Registers) -> None:
    state = x86_fpu.store(cpu)
    fs_base, gs_base = struct.unpack_from("<QQ", state, x86_fpu.EXTRA)
    image = bytes(state[: x86_fpu.SIZE_BYTES])
    registers.receive({"fs_base": fs_base, "gs_base": gs_base}, {x86_fpu.UNIT: image})


SPEC = CpuSpec(
    name="x86_64",
    word_bytes=8,
    order="<",
    uc_arch="UC_ARCH_X86",
    uc_mode="UC_MODE_64",
    uc_model="UC_CPU_X86_CORE2DUO",
    uc_const="x86_const",
    fast=("rip", *_GENERAL, "rflags"),
    fast_ids=(
        "UC_X86_REG_RIP",
        *(f"UC_X86_REG_{name.upper()}" for name in _GENERAL),
        "UC_X86_REG_EFLAGS",
    ),
    system=("fs_base", "gs_base", "cs", "ss", *_SELECTORS),
    window_page=0xFFFFFFFFFFFF7,
    traps=TRAPS,
    syscall_interrupt=NO_INTERRUPT,
    insn_hooks=(
        ("syscall", "UC_X86_INS_SYSCALL"),
        ("no_such", "UC_X86_INS_SYSENTER"),
        ("rdtsc", "UC_X86_INS_RDTSC"),
        ("rdtscp", "UC_X86_INS_RDTSCP"),
        ("port_in", "UC_X86_INS_IN"),
        ("port_out", "UC_X86_INS_OUT"),
    ),
    time_registers=(
        ("ax_id", "UC_X86_REG_RAX"),
        ("cx_id", "UC_X86_REG_RCX"),
        ("dx_id", "UC_X86_REG_RDX"),
    ),
    code_bits=64,
    forbidden=None,
    emulate=None,
    unknown_trap=UNKNOWN,
    rebase_after_exception=True,
    unit_traps={},
    set_up=_set_up,
    swap=_swap,
    store=_store,
    initial_system={"cs": USER_CS, "ss": USER_DS},
    initial_units={x86_fpu.UNIT: x86_fpu.INITIAL},
    fresh_units={},
)
