"""Checkpoint and restart of PowerPC state, for both word sizes.

Image grammar:

    cpu  =  CPU  [ CPU_FP ]  [ CPU_ALTIVEC ]  [ CPU_VSX ]

A unit that the task never used has no record, and is switched off in the restarted task.

Mirrors:  the idea of linux-cr's arch/powerpc/mm/checkpoint.c as its reviewers wanted it.
Deviates: the records are ours (the 2011 headers have none); MSR is not in the image at all.
Not modelled: SPE, DABR: an image that has them is refused by name.
"""

from __future__ import annotations

import struct
from types import ModuleType
from typing import TYPE_CHECKING

from cr.arch.support import ArchSupport, CpuState, restart_code
from cr.context import Checkpoint, Restart
from cr.image import types as t
from cr.image.arch import powerpc as image
from kernel_model.arch.ppc_registers import CR, CTR, LR, PC, SO, gpr

if TYPE_CHECKING:
    from kernel_model.arch.abi import Abi
    from kernel_model.mm.address_space import AddressSpace
    from kernel_model.task import Task

TIF_32BIT = 1 << 4
_TRAP_SYSCALL = 0xC00
_PARTS = {"fp": image.PART_FP, "altivec": image.PART_ALTIVEC, "vsx": image.PART_VSX}
_NOT_OURS = {"dabr": image.PART_DABR, "spe": image.PART_SPE}
"""What no CPU of ours has: nobody can set a data breakpoint here, and SPE is e500's."""


def support(arch: ModuleType) -> ArchSupport:
    """The functions of one PowerPC kernel; `arch` is its module of cr.image.arch."""
    return ArchSupport(
        arch_id=arch.FORMAT.arch_id,
        checkpoint_header=_checkpoint_header,
        restore_header=_restore_header,
        checkpoint_thread=_checkpoint_thread,
        restore_thread=_restore_thread,
        checkpoint_cpu=_checkpoint_cpu,
        restore_cpu=_restore_cpu,
        checkpoint_mm_context=_checkpoint_mm_context,
        restore_mm_context=_restore_mm_context,
    )


def _possible(units: dict[str, bytes]) -> int:
    return sum(_PARTS[unit] for unit in units)


def _names(parts: int) -> str:
    return " and ".join(name for name, part in (_PARTS | _NOT_OURS).items() if parts & part)


def _checkpoint_header(ctx: Checkpoint) -> None:
    spec = ctx.kernel.abis[0].cpu
    ctx.image.write(t.HDR_HEADER_ARCH, image.HeaderArch(parts=_possible(spec.fresh_units)))


def _restore_header(ctx: Restart) -> None:
    # What the other CPU had is for people: what its tasks used of it is in their CPU records.
    ctx.image.read(t.HDR_HEADER_ARCH, image.HeaderArch)


def _checkpoint_thread(ctx: Checkpoint, task: Task) -> None:
    flags = 0 if task.abi is ctx.kernel.abis[0] else TIF_32BIT
    ctx.image.write(t.HDR_THREAD, image.Thread(thread_info_flags=flags))


def _restore_thread(ctx: Restart) -> tuple[Abi, dict[str, int]]:
    record = ctx.image.read(t.HDR_THREAD, image.Thread)
    abis = ctx.kernel.abis
    if record.thread_info_flags & ~TIF_32BIT:
        ctx.refuse(f"unknown thread flags {record.thread_info_flags:#x}")
    compat = bool(record.thread_info_flags & TIF_32BIT)
    if compat and len(abis) < 2:
        ctx.refuse("a 32-bit task of a 64-bit kernel, on a kernel that has only one size")
    return abis[1] if compat else abis[0], {}


def _checkpoint_cpu(ctx: Checkpoint, task: Task, state: CpuState) -> None:
    words = list(state.words)
    orig_gpr3, trap = 0, 0
    if state.syscall is not None:
        orig_gpr3, trap = words[gpr(3)], _TRAP_SYSCALL
        words[gpr(3)] = int(state.restart)
        words[CR] |= SO
    elif state.completed is not None:
        trap = _TRAP_SYSCALL
    record = image.Cpu(
        parts=_possible(state.units),
        gpr=tuple(words[gpr(k)] for k in range(32)),
        nip=words[PC],
        ctr=words[CTR],
        link=words[LR],
        xer=state.system["xer"],
        ccr=words[CR],
        orig_gpr3=orig_gpr3,
        trap=trap,
    )
    ctx.image.write(t.HDR_CPU, record)
    if "fp" in state.units:
        fpr = struct.unpack(">33Q", state.units["fp"])
        ctx.image.write(t.HDR_CPU_FP, image.CpuFp(fpr=fpr[:32], fpscr=fpr[32]))
    if "altivec" in state.units:
        raw = state.units["altivec"]
        vectors = tuple(raw[16 * k : 16 * k + 16] for k in range(32))
        vrsave = int.from_bytes(raw[532:536], "big")
        record_av = image.CpuAltivec(vr=vectors, vscr=raw[512:528], vrsave=vrsave)
        ctx.image.write(t.HDR_CPU_ALTIVEC, record_av)
    if "vsx" in state.units:
        low = struct.unpack(">32Q", state.units["vsx"])
        ctx.image.write(t.HDR_CPU_VSX, image.CpuVsx(low=low))


def _restore_cpu(ctx: Restart) -> CpuState:
    record = ctx.image.read(t.HDR_CPU, image.Cpu)
    mask = ctx.abi.mask
    missing = record.parts & ~_possible(ctx.abi.cpu.fresh_units)
    if missing:
        ctx.refuse(f"the task has used {_names(missing)}, which this CPU lacks")
    if record.parts & image.PART_VSX and ~record.parts & (image.PART_FP | image.PART_ALTIVEC):
        ctx.refuse("VSX state without the FP and AltiVec state that it extends")
    words = [0] * len(ctx.abi.cpu.fast)
    words[PC], words[CTR], words[LR], words[CR] = record.nip, record.ctr, record.link, record.ccr
    for k in range(32):
        words[gpr(k)] = record.gpr[k]
    if any(word & ~mask for word in words) or record.ccr >> 32 or record.xer >> 32:
        ctx.refuse("a register with more bits than it has room for")
    state = CpuState(words=words, system={"xer": record.xer})
    code = restart_code(words[gpr(3)])
    if record.trap == _TRAP_SYSCALL and words[CR] & SO and code is not None:
        state.syscall, state.restart = words[gpr(0)] & 0xFFFFFFFF, code
        words[gpr(3)] = record.orig_gpr3 & mask
        words[CR] &= ~SO
    if record.parts & image.PART_FP:
        fp = ctx.image.read(t.HDR_CPU_FP, image.CpuFp)
        if fp.fpscr >> 32:
            ctx.refuse("FPSCR has 32 bits")
        state.units["fp"] = struct.pack(">33Q", *fp.fpr, fp.fpscr)
    if record.parts & image.PART_ALTIVEC:
        av = ctx.image.read(t.HDR_CPU_ALTIVEC, image.CpuAltivec)
        state.units["altivec"] = b"".join(av.vr) + av.vscr + bytes(4) + av.vrsave.to_bytes(4, "big")
    if record.parts & image.PART_VSX:
        state.units["vsx"] = struct.pack(">32Q", *ctx.image.read(t.HDR_CPU_VSX, image.CpuVsx).low)
    return state


def _checkpoint_mm_context(ctx: Checkpoint, mm: AddressSpace) -> None:
    ctx.image.write(t.HDR_MM_CONTEXT, image.MmContext(vdso=mm.vdso))


def _restore_mm_context(ctx: Restart, mm: AddressSpace) -> None:
    record = ctx.image.read(t.HDR_MM_CONTEXT, image.MmContext)
    if record.vdso != mm.vdso:
        ctx.refuse("the vdso is not where the image says")
