"""What the kernel tells about the machine: struct sysinfo, struct timex.

Mirrors: Linux include/linux/kernel.h, include/linux/timex.h.
"""

from __future__ import annotations

from typing import Annotated

from emu.layout import Record, at, raw, record, s32, s64, u16, u32, u64


@record(size=64)
class Sysinfo32(Record):
    """struct sysinfo of 32-bit ABIs."""

    uptime: s32 = at("seconds since boot")
    load_1: u32 = at("average load, in 65536ths", default=0)
    load_5: u32 = at("of five minutes", default=0)
    load_15: u32 = at("of fifteen minutes", default=0)
    totalram: u32 = at("memory, in units")
    freeram: u32 = at("free memory")
    sharedram: u32 = at("zero", default=0)
    bufferram: u32 = at("buffers", default=0)
    totalswap: u32 = at("swap space", default=0)
    freeswap: u32 = at("free swap space", default=0)
    procs: u16 = at("tasks")
    pad: u16 = at("zero", default=0)
    totalhigh: u32 = at("high memory", default=0)
    freehigh: u32 = at("free high memory", default=0)
    mem_unit: u32 = at("bytes of a unit")
    rest: Annotated[bytes, raw(8)] = at("zero", default=bytes(8))


@record(size=112)
class Sysinfo64(Record):
    """struct sysinfo of 64-bit ABIs."""

    uptime: s64 = at("seconds since boot")
    load_1: u64 = at("average load, in 65536ths", default=0)
    load_5: u64 = at("of five minutes", default=0)
    load_15: u64 = at("of fifteen minutes", default=0)
    totalram: u64 = at("memory, in units")
    freeram: u64 = at("free memory")
    sharedram: u64 = at("zero", default=0)
    bufferram: u64 = at("buffers", default=0)
    totalswap: u64 = at("swap space", default=0)
    freeswap: u64 = at("free swap space", default=0)
    procs: u16 = at("tasks")
    pad: u16 = at("zero", default=0)
    pad2: u32 = at("zero", default=0)
    totalhigh: u64 = at("high memory", default=0)
    freehigh: u64 = at("free high memory", default=0)
    mem_unit: u32 = at("bytes of a unit")
    pad3: u32 = at("zero", default=0)
