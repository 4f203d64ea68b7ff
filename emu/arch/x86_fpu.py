"""x87, MMX and SSE state in the layout of FXSAVE (512 bytes), for both x86 modes.

FIP, FDP and FOP are zero: what the engine keeps there is not architectural.
Mirrors: Intel SDM, FXSAVE; Linux's initial state (FCW 0x37f, MXCSR 0x1f80).
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from emu.arch.spec import Registers

if TYPE_CHECKING:
    from emu.unicorn_cpu import UnicornCpu

SIZE_BYTES = 512
_MXCSR_MASK = 0xFFFF
INITIAL = struct.pack("<HHHHQQII", 0x37F, 0, 0, 0, 0, 0, 0x1F80, _MXCSR_MASK).ljust(
    SIZE_BYTES, b"\0"
)
UNIT = "fpu"


def store(cpu: UnicornCpu, registers: Registers, xmm_count: int) -> None:
    """Read the engine's state into the registers' `fpu` unit."""
    control, status, tags = (
        cpu.reg_read("UC_X86_REG_FPCW"),
        cpu.reg_read("UC_X86_REG_FPSW"),
        cpu.reg_read("UC_X86_REG_FPTAG"),
    )
    abridged = sum(1 << k for k in range(8) if tags >> 2 * k & 3 != 3)
    head = struct.pack(
        "<HHHHQQII",
        control,
        status,
        abridged,
        0,
        0,
        0,
        cpu.reg_read("UC_X86_REG_MXCSR"),
        _MXCSR_MASK,
    )
    first = cpu.reg_id("UC_X86_REG_FP0")
    raw = cpu.read_many([first + k for k in range(8)], 16)
    top = status >> 11 & 7
    stack = b"".join(
        raw[16 * (k + top & 7) : 16 * (k + top & 7) + 10].ljust(16, b"\0") for k in range(8)
    )
    first = cpu.reg_id("UC_X86_REG_XMM0")
    vectors = cpu.read_many([first + k for k in range(xmm_count)], 16)
    registers.receive({}, {UNIT: (head + stack + vectors).ljust(SIZE_BYTES, b"\0")})


def load(cpu: UnicornCpu, state: bytes, xmm_count: int) -> None:
    """Give an FXSAVE image to the engine."""
    control, status, abridged = struct.unpack_from("<HHH", state, 0)
    (mxcsr,) = struct.unpack_from("<I", state, 24)
    tags = sum((0 if abridged >> k & 1 else 3) << 2 * k for k in range(8))
    cpu.reg_write("UC_X86_REG_FPCW", control)
    cpu.reg_write("UC_X86_REG_FPSW", status)
    top = status >> 11 & 7
    physical = b"".join(state[32 + 16 * (k - top & 7) : 48 + 16 * (k - top & 7)] for k in range(8))
    first = cpu.reg_id("UC_X86_REG_FP0")
    cpu.write_many([first + k for k in range(8)], 16, physical)
    cpu.reg_write("UC_X86_REG_FPTAG", tags)
    first = cpu.reg_id("UC_X86_REG_XMM0")
    cpu.write_many([first + k for k in range(xmm_count)], 16, state[160 : 160 + 16 * xmm_count])
    cpu.reg_write("UC_X86_REG_MXCSR", mxcsr)
