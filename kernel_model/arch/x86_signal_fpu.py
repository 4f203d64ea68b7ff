"""x87 and SSE state in signal frames of both x86 ABIs.

A 64-bit frame holds the FXSAVE area as it is. A 32-bit one puts the older FSAVE layout in front
of it: the x87 part of that is what counts on return, the SSE part comes from the FXSAVE area.

Mirrors: Linux arch/x86 i387.c (convert_from_fxsr, convert_to_fxsr), xsave.c.
Deviates: the addresses of the last x87 instruction and operand are zero; the engine has none.
Not modelled: XSAVE (the modelled CPUs have none), frames of a CPU without FXSR.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from emu.layout import Record, array, at, hex16, hex32, raw, record, u16

if TYPE_CHECKING:
    from emu.arch.spec import Registers

FXSAVE_BYTES = 512
UNIT = "fpu"
FXSR_MAGIC = 0
"""In `Legacy.magic`: an FXSAVE area follows (0xffff would be none)."""
_HIGH = 0xFFFF0000
_MXCSR_KNOWN = 0xFFFF
_ST_BYTES, _ST_STRIDE = 10, 16
_XMM_AT = 160
_EMPTY = 3


@record(size=160)
class FxHead(Record):
    """The part of FXSAVE that holds no vectors."""

    cwd: hex16 = at("control word")
    swd: hex16 = at("status word")
    twd: hex16 = at("one bit for each register that is not empty")
    fop: hex16 = at("last opcode")
    last: Annotated[bytes, raw(16)] = at("addresses of the last instruction and operand")
    mxcsr: hex32 = at("SSE control and status")
    mxcsr_mask: hex32 = at("bits that MXCSR has")
    registers: Annotated[bytes, raw(128)] = at("ST0 to ST7, 16 bytes each")


@record(size=112)
class Legacy(Record):
    """The FSAVE area, and what Linux adds to it."""

    environment: Annotated[tuple[int, ...], array(hex32, 7)] = at("cw sw tag ip cs operand ds")
    registers: Annotated[bytes, raw(80)] = at("ST0 to ST7, 10 bytes each")
    status: u16 = at("status word once more")
    magic: u16 = at("FXSR_MAGIC")


def canonical(state: bytes, initial: bytes, xmm_count: int) -> bytes:
    """An FXSAVE area as the CPU would give it back; what it has no place for is dropped."""
    head = FxHead.unpack_from(state, "<")
    first = FxHead.unpack_from(initial, "<")
    registers = b"".join(
        _st(head.registers, _ST_STRIDE, k).ljust(_ST_STRIDE, b"\0") for k in range(8)
    )
    clean = FxHead(
        cwd=head.cwd,
        swd=head.swd,
        twd=head.twd & 0xFF,
        fop=0,
        last=bytes(16),
        mxcsr=head.mxcsr & _MXCSR_KNOWN,
        mxcsr_mask=first.mxcsr_mask,
        registers=registers,
    )
    vectors = state[_XMM_AT : _XMM_AT + 16 * xmm_count]
    return (clean.pack("<") + vectors).ljust(FXSAVE_BYTES, b"\0")


def mxcsr_is_bad(state: bytes) -> bool:
    """Bits that FXRSTOR refuses."""
    return bool(FxHead.unpack_from(state, "<").mxcsr & ~_MXCSR_KNOWN)


def _st(registers: bytes, stride: int, number: int) -> bytes:
    return registers[stride * number : stride * number + _ST_BYTES]


def _full_tag(value: bytes) -> int:
    """Valid 0, zero 1, special 2: what FSAVE tells of a register."""
    significand = int.from_bytes(value[:8], "little")
    exponent = int.from_bytes(value[8:10], "little") & 0x7FFF
    if exponent == 0x7FFF:
        return 2
    if exponent == 0:
        return 2 if significand else 1
    return 0 if significand >> 63 else 2


def to_legacy(state: bytes, user_cs: int, user_ds: int) -> bytes:
    """The FSAVE area that says the same as an FXSAVE area."""
    head = FxHead.unpack_from(state, "<")
    top = head.swd >> 11 & 7
    tags = 0
    for physical in range(8):
        tag = _EMPTY
        if head.twd >> physical & 1:
            tag = _full_tag(_st(head.registers, _ST_STRIDE, (physical - top) & 7))
        tags |= tag << 2 * physical
    return Legacy(
        environment=(
            _HIGH | head.cwd,
            _HIGH | head.swd,
            _HIGH | tags,
            0,
            user_cs,
            0,
            _HIGH | user_ds,
        ),
        registers=b"".join(_st(head.registers, _ST_STRIDE, k) for k in range(8)),
        status=head.swd,
        magic=FXSR_MAGIC,
    ).pack("<")


def from_frame(legacy: bytes, state: bytes) -> bytes:
    """An FXSAVE area whose x87 part is the one of the FSAVE area."""
    old = Legacy.unpack(legacy, "<")
    head = FxHead.unpack_from(state, "<")
    control, status, tags = (word & 0xFFFF for word in old.environment[:3])
    merged = FxHead(
        cwd=control,
        swd=status,
        twd=sum(1 << k for k in range(8) if tags >> 2 * k & 3 != _EMPTY),
        fop=0,
        last=bytes(16),
        mxcsr=head.mxcsr,
        mxcsr_mask=head.mxcsr_mask,
        registers=b"".join(
            _st(old.registers, _ST_BYTES, k).ljust(_ST_STRIDE, b"\0") for k in range(8)
        ),
    )
    return merged.pack("<") + state[_XMM_AT:]


# (bits of the status words, FPE_* code), in the order in which Linux looks.
_EXCEPTIONS = ((0x01, 7), (0x04, 3), (0x08, 4), (0x12, 5), (0x20, 6))


def pending_exception(regs: Registers) -> int:
    """FPE_* of an x87 or SSE exception that is set and not masked; 0 if there is none."""
    head = FxHead.unpack_from(regs.units[UNIT], "<")
    raised = head.swd & ~head.cwd & 0x3F or head.mxcsr & ~(head.mxcsr >> 7) & 0x3F
    return next((code for bits, code in _EXCEPTIONS if raised & bits), 0)
