"""What both PowerPC modes share: stubs for state that Unicorn has no names for.

XER (its CA, OV and SO live elsewhere in the engine), the AltiVec registers and the low halves of
the VSX registers are moved by a few instructions of our own in the machine's window, run by the
guest CPU itself. Units are switched on when the program first uses them, as Linux does, so that
a program which never touched AltiVec has no AltiVec state.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from emu.arch.spec import UNITS_PER_NS, CpuSpec, Registers, Trap
from emu.memory import PAGE_SHIFT

if TYPE_CHECKING:
    from emu.unicorn_cpu import UnicornCpu

MSR_PR, MSR_FP, MSR_VEC, MSR_VSX = 1 << 14, 1 << 13, 1 << 25, 1 << 23
_MSR_OF_UNIT = {"fp": MSR_FP, "altivec": MSR_VEC, "vsx": MSR_VSX}
_ANY_UNIT = MSR_FP | MSR_VEC | MSR_VSX

# Stub places in the window page, and the data area that r3 points to.
_GET_XER, _EXCHANGE, _TWO_BLOCKS = 0x000, 0x040, 0x080
_GET_VECTORS, _SET_VECTORS, _GET_VSX, _SET_VSX = 0x100, 0x300, 0x500, 0x700
_DATA = 0xA00
_SC = 0x44000002

TRAPS: dict[int, Trap] = {
    5: Trap("alignment", 4),
    6: Trap("program", 4),
    96: Trap("illegal", 4),
}
SYSCALL_INTERRUPT = 8
UNKNOWN = Trap("illegal", 4)
"""A facility that is switched off, or none at all."""
UNIT_TRAPS: dict[int, tuple[str, ...]] = {
    7: ("fp",),
    73: ("altivec",),
    94: ("fp", "altivec", "vsx"),
}

FP_BYTES = 33 * 8
ALTIVEC_BYTES = 32 * 16 + 16 + 8
VSX_BYTES = 32 * 8
_VRSAVE_AT = 532
_VRSAVE_WORD = struct.Struct(">I")
_CONTROL = struct.Struct("<5Q")
"""MSR and r3 to r6: what every stub is called with, or answers."""
FRESH_UNITS = {
    "fp": bytes(FP_BYTES),
    "altivec": bytes(32 * 16) + bytes(16) + bytes(8),
    "vsx": bytes(VSX_BYTES),
}


def _x_form(primary_extended: int, rt: int, ra: int, rb: int) -> int:
    return 31 << 26 | rt << 21 | ra << 16 | rb << 11 | primary_extended << 1


def _spr(extended: int, register: int, number: int) -> int:
    return 31 << 26 | register << 21 | (number & 31) << 16 | (number >> 5) << 11 | extended << 1


def _addi(rt: int, ra: int, value: int) -> int:
    return 14 << 26 | rt << 21 | ra << 16 | value & 0xFFFF


def _words(*instructions: int) -> bytes:
    return struct.pack(f">{len(instructions)}I", *instructions)


def _vector_moves(extended: int, step: int = 16) -> list[int]:
    moves = []
    for register in range(32):
        moves += [_x_form(extended, register, 0, 3), _addi(3, 3, step)]
    return moves


_MFSPR, _MTSPR = 339, 467
_STVX, _LVX, _STWCX = 231, 103, 150
_STXVD2X, _LXVD2X = 972, 844
_MFVSCR, _MTVSCR = 4 << 26 | 1540, 4 << 26 | 1604
_VRSAVE, _XER = 256, 1


def set_up(cpu: UnicornCpu) -> None:
    """Put the machine's own code into the window, and go into user mode."""
    _write_stubs(cpu, vsx="vsx" in cpu.spec.fresh_units)
    cpu.reg_write("UC_PPC_REG_MSR", base_msr(cpu.spec))
    # The engine tells of translated blocks only after one block has run to its end.
    cpu.run_stub(_TWO_BLOCKS)


def _write_stubs(cpu: UnicornCpu, *, vsx: bool) -> None:
    registers = [(f"UC_PPC_REG_FPR{k}", 8 * k) for k in range(32)] + [("UC_PPC_REG_FPSCR", 256)]
    cpu.batches["fp"] = cpu.batch(registers, FP_BYTES)
    names = ["MSR", *"3456"]
    places = [(f"UC_PPC_REG_{name}", 8 * place) for place, name in enumerate(names)]
    cpu.batches["control"] = cpu.batch(places, _CONTROL.size)
    cpu.window_write(_GET_XER, _words(_spr(_MFSPR, 3, _XER), _spr(_MFSPR, 4, _VRSAVE), _SC))
    exchange = [
        _spr(_MFSPR, 3, _XER),
        # It breaks a reservation that the last task may have left behind.
        _x_form(_STWCX, 5, 0, 4) | 1,
        _spr(_MFSPR, 4, _VRSAVE),
        _spr(_MTSPR, 5, _XER),
        _spr(_MTSPR, 6, _VRSAVE),
    ]
    cpu.window_write(_EXCHANGE, _words(*exchange, _SC))
    cpu.window_write(_TWO_BLOCKS, _words(18 << 26 | 8, _SC, _SC))  # b +8
    get_vectors = [
        *_vector_moves(_STVX),
        _MFVSCR,
        _x_form(_STVX, 0, 0, 3),
        _addi(3, 3, -512),
        _x_form(_LVX, 0, 0, 3),
    ]
    cpu.window_write(_GET_VECTORS, _words(*get_vectors, _SC))
    set_vectors = [
        _addi(3, 3, 512),
        _x_form(_LVX, 0, 0, 3),
        _MTVSCR,
        _addi(3, 3, -512),
        *_vector_moves(_LVX),
    ]
    cpu.window_write(_SET_VECTORS, _words(*set_vectors, _SC))
    if vsx:
        cpu.window_write(_GET_VSX, _words(*_vector_moves(_STXVD2X), _SC))
        cpu.window_write(_SET_VSX, _words(*_vector_moves(_LXVD2X), _SC))


def _call(cpu: UnicornCpu, stub: int, msr: int) -> None:
    """Run a stub that moves a unit between the engine and the data area (r3 points to it)."""
    control = cpu.batches["control"]
    _CONTROL.pack_into(control.buffer, 0, msr, _data(cpu), 0, 0, 0)
    control.write()
    cpu.run_stub(stub)


def _data(cpu: UnicornCpu) -> int:
    return (cpu.spec.window_page << PAGE_SHIFT) + _DATA


def _all_units(cpu: UnicornCpu) -> int:
    return _with_units(cpu.spec, cpu.spec.fresh_units)


def _with_units(spec: CpuSpec, units: Iterable[str]) -> int:
    msr = base_msr(spec)
    for unit in units:
        msr |= _MSR_OF_UNIT[unit]
    return msr


def base_msr(spec: CpuSpec) -> int:
    """User mode with every unit off."""
    return MSR_PR | (1 << 63 if spec.word_bytes == 8 else 0)


def _exchange(cpu: UnicornCpu, registers: Registers) -> tuple[int, int]:
    """XER and VRSAVE of a task into the engine, its units switched on, no reservation left.

    What the engine had in the two registers is the answer: the task before may want it.
    """
    units = registers.held_units()
    vrsave = 0
    if "altivec" in units:
        vrsave = _VRSAVE_WORD.unpack_from(units["altivec"], _VRSAVE_AT)[0]
    control = cpu.batches["control"]
    xer = registers.held_system()["xer"]
    msr = _with_units(cpu.spec, units)
    _CONTROL.pack_into(control.buffer, 0, msr, 0, _data(cpu), xer, vrsave)
    control.write()
    cpu.run_stub(_EXCHANGE)
    _, old_xer, old_vrsave, _, _ = _CONTROL.unpack(control.read())
    return old_xer & 0xFFFFFFFF, old_vrsave & 0xFFFFFFFF


def _load_units(cpu: UnicornCpu, units: Mapping[str, bytes]) -> None:
    """The units in use into the engine."""
    everything = _all_units(cpu)
    if "altivec" in units:
        cpu.window_write(_DATA, units["altivec"])
        _call(cpu, _SET_VECTORS, everything)
    if "fp" in units:
        words = struct.unpack(">33Q", units["fp"])
        batch = cpu.batches["fp"]
        struct.pack_into("<33Q", batch.buffer, 0, *words)
        batch.write()
    if "vsx" in units:
        high = [units["fp"][8 * k : 8 * k + 8] for k in range(32)]
        low = [units["vsx"][8 * k : 8 * k + 8] for k in range(32)]
        cpu.window_write(_DATA, b"".join(h + w for h, w in zip(high, low)))
        _call(cpu, _SET_VSX, everything)


def _store_units(cpu: UnicornCpu, spec: CpuSpec, msr: int, vrsave: int) -> dict[str, bytes]:
    """The units that are switched on out of the engine."""
    units: dict[str, bytes] = {}
    if msr & MSR_FP:
        words = struct.unpack("<33Q", cpu.batches["fp"].read())
        units["fp"] = struct.pack(">33Q", *words[:32], words[32] & 0xFFFFFFFF)
    if msr & MSR_VEC:
        _call(cpu, _GET_VECTORS, _all_units(cpu))
        units["altivec"] = cpu.window_read(_DATA, 528) + _vrsave_bytes(vrsave)
    elif vrsave and "altivec" in spec.fresh_units:
        # VRSAVE has no switch of its own. Who sets it uses AltiVec, and has it from now on.
        units["altivec"] = FRESH_UNITS["altivec"][:528] + _vrsave_bytes(vrsave)
    if msr & MSR_VSX:
        _call(cpu, _GET_VSX, _all_units(cpu))
        raw = cpu.window_read(_DATA, 512)
        units["vsx"] = b"".join(raw[16 * k + 8 : 16 * k + 16] for k in range(32))
    return units


def _msr(cpu: UnicornCpu) -> int:
    msr: int = _CONTROL.unpack(cpu.batches["control"].read())[0]
    return msr


def _vrsave_bytes(vrsave: int) -> bytes:
    return bytes(4) + _VRSAVE_WORD.pack(vrsave)


def swap(cpu: UnicornCpu, old: Registers | None, new: Registers) -> None:
    """System words and units of the task before out of the engine, those of the next one in."""
    msr = _msr(cpu) if old is not None else 0
    xer, vrsave = _exchange(cpu, new)
    if old is not None:
        old.receive({"xer": xer}, _store_units(cpu, old.spec, msr, vrsave))
    units = new.held_units()
    if units or msr & _ANY_UNIT:
        _load_units(cpu, units)
        cpu.reg_write("UC_PPC_REG_MSR", _with_units(cpu.spec, units))


def store(cpu: UnicornCpu, registers: Registers) -> None:
    """System words and units out of the engine, which goes on with them."""
    msr = _msr(cpu)
    cpu.run_stub(_GET_XER)
    _, xer, vrsave, _, _ = _CONTROL.unpack(cpu.batches["control"].read())
    units = _store_units(cpu, registers.spec, msr, vrsave & 0xFFFFFFFF)
    registers.receive({"xer": xer & 0xFFFFFFFF}, units)
    cpu.reg_write("UC_PPC_REG_MSR", msr)


def program_cause(word: int) -> str:
    """What a program exception is about: a trap instruction, or one of the supervisor's."""
    primary, extended = word >> 26, word >> 1 & 0x3FF
    if primary in (2, 3) or (primary == 31 and extended in (4, 68)):
        return "program"
    return "privileged"


_DARN = 755
DARN = 63 << 26 | 0x7FE, 31 << 26 | _DARN << 1
"""`deliver a random number`: the engine would ask the host for one."""
MFTB = 0xFFFFFFFF & ~(31 << 21 | 1 << 16 | 0x41), _spr(_MFSPR, 0, 268) & ~0x40
"""mftb, mftbu and their other spelling, mfspr: the engine's time base stands still at 0."""


def emulate(word: int, now: int) -> tuple[int, int] | None:
    """The time base, in nanoseconds; `darn` is illegal."""
    if word >> 1 & 0x3FF == _DARN:
        return None
    ticks = now // UNITS_PER_NS
    upper = word >> 16 & 1
    return 1 + (word >> 21 & 31), ticks >> 32 & 0xFFFFFFFF if upper else ticks


def emulate_32(word: int, now: int) -> tuple[int, int] | None:
    """The same, in words of 32 bits."""
    value = emulate(word, now)
    return None if value is None else (value[0], value[1] & 0xFFFFFFFF)
