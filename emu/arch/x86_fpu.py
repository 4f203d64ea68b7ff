"""x87, MMX and SSE state in the layout of FXSAVE (512 bytes), for both x86 modes.

FIP, FDP and FOP are zero: what the engine keeps there is not architectural.
Mirrors: Intel SDM, FXSAVE; Linux's initial state (FCW 0x37f, MXCSR 0x1f80).
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from emu.unicorn_cpu import UnicornCpu

SIZE_BYTES = 512
_MXCSR_MASK = 0xFFFF
INITIAL = struct.pack("<HHHHQQII", 0x37F, 0, 0, 0, 0, 0, 0x1F80, _MXCSR_MASK).ljust(
    SIZE_BYTES, b"\0"
)
UNIT = "fpu"


_MASK_BYTES = _MXCSR_MASK.to_bytes(4, "little")
_NOTHING = bytes(SIZE_BYTES)
_TAGS = SIZE_BYTES  # the engine's own tag word, behind the FXSAVE image
_STACK = 32
_EMPTY = 3
_HALF_ABRIDGED = tuple(
    sum(1 << k for k in range(4) if half >> 2 * k & 3 != _EMPTY) for half in range(256)
)
_FULL = tuple(
    sum((0 if abridged >> k & 1 else _EMPTY) << 2 * k for k in range(8)) for abridged in range(256)
)


EXTRA = SIZE_BYTES + 8
"""Where in the batch's buffer the mode's own segment registers or bases begin."""


def set_up(cpu: UnicornCpu, xmm_count: int, extra: list[tuple[str, int]]) -> None:
    """Lay out the batch: everything but the stack lies where FXSAVE has it.

    `extra` registers, with their offsets from EXTRA, move along: one call for all.
    """
    places = [("FPCW", 0), ("FPSW", 2), ("FPTAG", _TAGS), ("MXCSR", 24)]
    places += [(f"FP{k}", _STACK + 16 * k) for k in range(8)]
    places += [(f"XMM{k}", 160 + 16 * k) for k in range(xmm_count)]
    places += [(name, EXTRA + offset) for name, offset in extra]
    named = [("UC_X86_REG_" + name, offset) for name, offset in places]
    cpu.batches[UNIT] = cpu.batch(named, EXTRA + 16)
    cpu.batches[UNIT].read()
    load(cpu, INITIAL)


def _rotated(state: bytearray, registers: int) -> bytes:
    # The stack in FXSAVE begins with the top; the engine counts its registers from 0.
    cut = 16 * (registers & 7)
    stack = bytes(state[_STACK : _STACK + 128])
    return stack[cut:] + stack[:cut]


def store(cpu: UnicornCpu) -> bytearray:
    """The engine's state: an FXSAVE image, and from EXTRA on what moves along."""
    state = cpu.batches[UNIT].read()
    top = state[3] >> 3 & 7
    if top:
        state[_STACK : _STACK + 128] = _rotated(state, top)
    state[4] = _HALF_ABRIDGED[state[_TAGS]] | _HALF_ABRIDGED[state[_TAGS + 1]] << 4
    state[28:32] = _MASK_BYTES
    return state


def load(cpu: UnicornCpu, image: bytes) -> bool:
    """Give an FXSAVE image to the engine, and what lies in the buffer from EXTRA on.

    False if a register from EXTRA on was refused.
    """
    batch = cpu.batches[UNIT]
    state = batch.buffer
    state[:SIZE_BYTES] = image
    top = image[3] >> 3 & 7
    if top:
        state[_STACK : _STACK + 128] = _rotated(state, -top)
    full = _FULL[image[4]]
    state[_TAGS] = full & 0xFF
    state[_TAGS + 1] = full >> 8
    done = batch.write()
    state[:SIZE_BYTES] = _NOTHING  # `store` must find zeros where no register lies
    return done
