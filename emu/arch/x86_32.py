"""x86-32: eight general registers, INT 0x80, thread-local storage through the descriptor table.

There are two of it: under an i386 kernel and under an x86-64 one (compat), which differ in nothing
but the selectors of the user segments and the slots of the three TLS descriptors.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from emu.arch import x86_fpu
from emu.arch.spec import CpuSpec, Registers
from emu.arch.x86_segments import enter_ring3, write_descriptor
from emu.arch.x86_traps import TRAPS, UNKNOWN

if TYPE_CHECKING:
    from emu.unicorn_cpu import UnicornCpu

_XMM = 8
_GENERAL = "eax ebx ecx edx esi edi ebp esp".split()
_SELECTORS = ("ds", "es", "fs", "gs")
TLS_COUNT = 3
_INSN_HOOKS = (
    ("no_such", "UC_X86_INS_SYSENTER"),
    ("no_such", "UC_X86_INS_SYSCALL"),
    ("rdtsc", "UC_X86_INS_RDTSC"),
    ("rdtscp", "UC_X86_INS_RDTSCP"),
    ("port_in", "UC_X86_INS_IN"),
    ("port_out", "UC_X86_INS_OUT"),
)
_TIME_REGISTERS = (
    ("ax_id", "UC_X86_REG_EAX"),
    ("cx_id", "UC_X86_REG_ECX"),
    ("dx_id", "UC_X86_REG_EDX"),
)
_TLS = tuple(f"tls{slot}" for slot in range(TLS_COUNT))


def _store(cpu: UnicornCpu, registers: Registers) -> None:
    state = x86_fpu.store(cpu)
    words = struct.unpack_from("<4H", state, x86_fpu.EXTRA)
    image = bytes(state[: x86_fpu.SIZE_BYTES])
    registers.receive(dict(zip(_SELECTORS, words)), {x86_fpu.UNIT: image})


def _load_one_by_one(cpu: UnicornCpu, words: dict[str, int]) -> None:
    # A selector of nothing becomes 0, as where Linux gives a task its segments back.
    for name in _SELECTORS:
        register = f"UC_X86_REG_{name.upper()}"
        cpu.reg_write(register, 0)
        cpu.reg_try_write(register, words[name])


def _spec(name: str, user_cs: int, user_ds: int, first_tls: int) -> CpuSpec:
    def set_up(cpu: UnicornCpu) -> None:
        enter_ring3(cpu, user_cs, user_ds, long_mode=False)
        selectors = [(name.upper(), 2 * k) for k, name in enumerate(_SELECTORS)]
        x86_fpu.set_up(cpu, _XMM, selectors)

    def swap(cpu: UnicornCpu, old: Registers | None, new: Registers) -> None:
        if old is not None:
            _store(cpu, old)
        words = new.held_system()
        for slot, name in enumerate(_TLS):
            write_descriptor(cpu, first_tls + slot, words[name])
        selectors = words["ds"], words["es"], words["fs"], words["gs"]
        struct.pack_into("<4H", cpu.batches[x86_fpu.UNIT].buffer, x86_fpu.EXTRA, *selectors)
        if not x86_fpu.load(cpu, new.held_units()[x86_fpu.UNIT]):
            _load_one_by_one(cpu, words)

    return CpuSpec(
        name=name,
        word_bytes=4,
        order="<",
        uc_arch="UC_ARCH_X86",
        uc_mode="UC_MODE_32",
        uc_model="UC_CPU_X86_CORE2DUO",
        uc_const="x86_const",
        fast=("eip", *_GENERAL, "eflags"),
        fast_ids=(
            "UC_X86_REG_EIP",
            *(f"UC_X86_REG_{name.upper()}" for name in _GENERAL),
            "UC_X86_REG_EFLAGS",
        ),
        system=("cs", "ss", *_SELECTORS, *_TLS),
        window_page=0xFFFF7,
        traps=TRAPS,
        syscall_interrupt=0x80,
        insn_hooks=_INSN_HOOKS,
        time_registers=_TIME_REGISTERS,
        code_bits=32,
        forbidden=None,
        emulate=None,
        unknown_trap=UNKNOWN,
        rebase_after_exception=True,
        unit_traps={},
        set_up=set_up,
        swap=swap,
        store=_store,
        initial_system={
            "cs": user_cs,
            "ss": user_ds,
            "ds": user_ds,
            "es": user_ds,
            "fs": 0,
            "gs": 0,
        },
        initial_units={x86_fpu.UNIT: x86_fpu.INITIAL},
        fresh_units={},
    )


SPEC = _spec("x86_32", user_cs=0x73, user_ds=0x7B, first_tls=6)
COMPAT = _spec("x86_32 compat", user_cs=0x23, user_ds=0x2B, first_tls=12)
