"""ppc32, big-endian, with FPU and AltiVec (a 7457A)."""

from __future__ import annotations

from emu.arch import ppc
from emu.arch.spec import CpuSpec

UNITS = ("fp", "altivec")


SPEC = CpuSpec(
    name="ppc32",
    word_bytes=4,
    order=">",
    uc_arch="UC_ARCH_PPC",
    uc_mode="UC_MODE_PPC32|UC_MODE_BIG_ENDIAN",
    uc_model=None,
    uc_const="ppc_const",
    fast=("pc", *(f"r{k}" for k in range(32)), "cr", "lr", "ctr"),
    fast_ids=(
        "UC_PPC_REG_PC",
        *(f"UC_PPC_REG_{k}" for k in range(32)),
        "UC_PPC_REG_CR",
        "UC_PPC_REG_LR",
        "UC_PPC_REG_CTR",
    ),
    system=("xer",),
    window_page=0xFFFF7,
    traps=ppc.TRAPS,
    syscall_interrupt=ppc.SYSCALL_INTERRUPT,
    insn_hooks=(),
    time_registers=(),
    code_bits=0,
    forbidden=(*ppc.MFTB, *ppc.MFTB),
    emulate=ppc.emulate_32,
    unknown_trap=ppc.UNKNOWN,
    rebase_after_exception=False,
    unit_traps=ppc.UNIT_TRAPS,
    set_up=ppc.set_up,
    swap=ppc.swap,
    store=ppc.store,
    initial_system={},
    initial_units={},
    fresh_units={unit: ppc.FRESH_UNITS[unit] for unit in UNITS},
)
