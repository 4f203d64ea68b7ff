"""x86 in the images of October 2008: the FPU is part of the CPU record.

Mirrors:  linux-cr v6 to v8, arch/x86/mm/checkpoint.c and restart.c.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from cr.image.arch import x86, x86_32
from cr.image.arch.shape import ArchFormat
from cr.image.dialects.arch import x86_2008
from cr.image.dialects.cr_shape import CrArch, Numbers, State
from cr.image.dialects.cr_stream import CrReader, CrWriter
from cr.image.dialects.plain import PlainImage, PlainTask
from cr.image.types import Framed
from emu.layout import LITTLE, Bytes, Record, at, raw, record, u16

XSTATE_BYTES = 512


@record(size=784)
class CpuWithFpu(x86_2008.Registers):
    """The registers, and the FPU."""

    uses_debug: u16 = at("debug registers are armed", default=0)
    used_math: u16 = at("not 0: the FPU was used")
    has_fxsr: u16 = at("the CPU has FXSAVE")
    pad: u16 = at("alignment", default=0)
    xstate: Annotated[bytes, raw(XSTATE_BYTES)] = at("as FXSAVE stores it")


def _write_no_head(out: CrWriter, numbers: Numbers, image: PlainImage) -> None:
    """There was no HEAD_ARCH yet."""


def _read_no_head(source: CrReader, numbers: Numbers) -> Framed:
    return x86.HeaderArch(has_fxsr=1, has_xsave=0, xstate_size=XSTATE_BYTES)


def _write_state(out: CrWriter, numbers: Numbers, image: PlainImage, task: PlainTask) -> None:
    x86_2008.write_thread(out, numbers, task, always=True)
    header, cpu = image.header_arch, task.cpu
    assert isinstance(cpu, x86.Cpu) and isinstance(header, x86.HeaderArch)
    xstate = bytes(XSTATE_BYTES)
    for unit in task.units:
        assert not isinstance(unit, Framed)
        xstate = bytes(unit)
    record = CpuWithFpu(
        used_math=cpu.used_math,
        has_fxsr=header.has_fxsr,
        xstate=xstate,
        **x86_2008.old_registers(cpu),
    )
    out.write(numbers.cpu, record, task.pid)


def _read_state(source: CrReader, numbers: Numbers, arch: ArchFormat, header: Framed) -> State:
    thread = x86_2008.read_thread(source, numbers, always=True)
    record = source.read(numbers.cpu, CpuWithFpu, None)
    cpu = x86_2008.native_cpu(source, record, bool(record.used_math))
    units: list[Framed | Bytes] = [record.xstate] if record.used_math else []
    assert isinstance(header, x86.HeaderArch)
    return State(thread, cpu, units, replace(header, has_fxsr=record.has_fxsr))


ARCH = CrArch(
    order=LITTLE,
    formats=dict.fromkeys(x86_2008.MACHINES, x86_32.FORMAT),
    write_head=_write_no_head,
    read_head=_read_no_head,
    write_context=x86_2008.write_context,
    read_context=x86_2008.read_context,
    write_state=_write_state,
    read_state=_read_state,
    has_vdso=False,
)
RECORDS: tuple[type[Record], ...] = (CpuWithFpu,)
