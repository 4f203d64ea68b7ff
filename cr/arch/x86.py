"""Checkpoint and restart of x86 state, for both word sizes.

Segment registers are written as encodings, so that a kernel with another descriptor table can
read them. Of the flags only those that a program may choose are believed.

Mirrors:  linux-cr arch/x86/kernel/checkpoint.c -- save_cpu_regs, load_cpu_regs, check_segment,
          check_tls, load_cpu_eflags; checkpoint_mm_context.
Deviates: a state that fails a check refuses the image before anything is changed.
Not modelled: LDT entries, debug registers, vm86, the io bitmap.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING

from cr.arch.support import ArchSupport, CpuState, restart_code
from cr.context import Checkpoint, Restart
from cr.image import types as t
from cr.image.arch.x86 import TLS_ENTRIES, Cpu, HeaderArch, MmContext, Segments, Thread
from emu.layout import LayoutError
from kernel_model.abi.errno import EINVAL, ENOSYS

if TYPE_CHECKING:
    from kernel_model.arch.abi import Abi
    from kernel_model.mm.address_space import AddressSpace
    from kernel_model.task import Task

TIF_IA32 = 1 << 17
# CF PF AF ZF SF TF DF OF NT RF AC ID: the program's own.
_USER_FLAGS = 0x1 | 0x4 | 0x10 | 0x40 | 0x80 | 0x100 | 0x400 | 0x800 | 0x4000 | 0x10000
_USER_FLAGS |= 0x40000 | 0x200000
_FIXED_FLAGS = 0x202
_DESCRIPTOR_S, _DESCRIPTOR_DPL3, _DESCRIPTOR_L = 1 << 44, 3 << 45, 1 << 53
_MXCSR_KNOWN = 0xFFFF
UNIT = "fpu"
FXSAVE_BYTES = 512


@dataclass(frozen=True)
class RegisterNames:
    """Image field -> name of the CPU's register, for one word size."""

    general: dict[str, str]
    selectors: dict[str, str]
    bases: dict[str, str]


NAMES_32 = RegisterNames(
    general={
        "ip": "eip",
        "ax": "eax",
        "bx": "ebx",
        "cx": "ecx",
        "dx": "edx",
        "si": "esi",
        "di": "edi",
        "bp": "ebp",
        "sp": "esp",
        "flags": "eflags",
    },
    selectors={"cs": "cs", "ss": "ss", "ds": "ds", "es": "es", "fsindex": "fs", "gsindex": "gs"},
    bases={},
)
NAMES_64 = RegisterNames(
    general={
        "ip": "rip",
        "ax": "rax",
        "bx": "rbx",
        "cx": "rcx",
        "dx": "rdx",
        "si": "rsi",
        "di": "rdi",
        "bp": "rbp",
        "sp": "rsp",
        "flags": "rflags",
        **{f"r{k}": f"r{k}" for k in range(8, 16)},
    },
    selectors={"cs": "cs", "ss": "ss", "ds": "ds", "es": "es", "fsindex": "fs", "gsindex": "gs"},
    bases={"fs": "fs_base", "gs": "gs_base"},
)
_NAMES = {4: NAMES_32, 8: NAMES_64}
_IMAGE_FIELDS = tuple("r15 r14 r13 r12 bp bx r11 r10 r9 r8 ax cx dx si di ip sp flags".split())


def support(image: ModuleType) -> ArchSupport:
    """The functions of one x86 kernel; `image` is its module of cr.image.arch."""
    segments: Segments = image.SEGMENTS

    def checkpoint_cpu(ctx: Checkpoint, task: Task, state: CpuState) -> None:
        _checkpoint_cpu(ctx, task, state, segments)

    def restore_cpu(ctx: Restart) -> CpuState:
        return _restore_cpu(ctx, segments)

    return ArchSupport(
        arch_id=image.FORMAT.arch_id,
        checkpoint_header=_checkpoint_header,
        restore_header=_restore_header,
        checkpoint_thread=_checkpoint_thread,
        restore_thread=_restore_thread,
        checkpoint_cpu=checkpoint_cpu,
        restore_cpu=restore_cpu,
        checkpoint_mm_context=_checkpoint_mm_context,
        restore_mm_context=_restore_mm_context,
    )


def _checkpoint_header(ctx: Checkpoint) -> None:
    ctx.image.write(
        t.HDR_HEADER_ARCH, HeaderArch(has_fxsr=1, has_xsave=0, xstate_size=FXSAVE_BYTES)
    )


def _restore_header(ctx: Restart) -> None:
    record = ctx.image.read(t.HDR_HEADER_ARCH, HeaderArch)
    if (record.has_fxsr, record.has_xsave, record.xstate_size) != (1, 0, FXSAVE_BYTES):
        ctx.refuse("the image is of a CPU with another floating point unit")


def _compat(ctx_abis: tuple[Abi, ...], abi: Abi) -> bool:
    return abi is not ctx_abis[0]


def _checkpoint_thread(ctx: Checkpoint, task: Task) -> None:
    descriptors = tuple(
        (task.regs[f"tls{k}"] if f"tls{k}" in task.regs.spec.system else 0).to_bytes(8, "little")
        for k in range(TLS_ENTRIES)
    )
    flags = TIF_IA32 if _compat(ctx.kernel.abis, task.abi) else 0
    record = Thread(sysenter_return=0, thread_info_flags=flags, tls_array=descriptors)
    ctx.image.write(t.HDR_THREAD, record)


def _restore_thread(ctx: Restart) -> tuple[Abi, dict[str, int]]:
    record = ctx.image.read(t.HDR_THREAD, Thread)
    abis = ctx.kernel.abis
    compat = bool(record.thread_info_flags & TIF_IA32)
    if compat and len(abis) < 2:
        ctx.refuse("a 32-bit task of a 64-bit kernel, on a kernel that has only one size")
    if record.thread_info_flags & ~TIF_IA32:
        ctx.refuse(f"unknown thread flags {record.thread_info_flags:#x}")
    descriptors = [int.from_bytes(raw, "little") for raw in record.tls_array]
    abi = abis[1] if compat else abis[0]
    system = {}
    for k, descriptor in enumerate(descriptors):
        if descriptor and (
            not descriptor & _DESCRIPTOR_S
            or descriptor & _DESCRIPTOR_DPL3 != _DESCRIPTOR_DPL3
            or descriptor & _DESCRIPTOR_L
        ):
            ctx.refuse(f"TLS descriptor {descriptor:#x} is none that a program may have")
        if abi.word_bytes == 4:
            system[f"tls{k}"] = descriptor
        elif descriptor:
            ctx.refuse("a 64-bit task with TLS descriptors")
    return abi, system


def _checkpoint_cpu(ctx: Checkpoint, task: Task, state: CpuState, segments: Segments) -> None:
    names, mask = _NAMES[task.abi.word_bytes], task.abi.mask
    by_name = dict(zip(task.regs.spec.fast, state.words))
    values = dict.fromkeys(_IMAGE_FIELDS, 0)
    values.update({field: by_name[name] for field, name in names.general.items()})
    orig = mask
    if state.syscall is not None:
        orig = state.syscall
        values["ax"] = -int(state.restart) & mask
    elif state.completed is not None:
        orig = state.completed
    try:
        selectors = {
            field: segments.encode(state.system[name]) for field, name in names.selectors.items()
        }
    except LayoutError as unknown:
        ctx.refuse(EINVAL, str(unknown))
    fpu = state.units[UNIT]
    record = Cpu(
        **values,
        **selectors,
        orig_ax=orig,
        fs=state.system.get("fs_base", 0),
        gs=state.system.get("gs_base", 0),
        used_math=int(fpu != task.abi.cpu.initial_units[UNIT]),
    )
    ctx.image.write(t.HDR_CPU, record)
    if record.used_math:
        ctx.image.write_blob(t.HDR_CPU_FPU, fpu)


def _restore_cpu(ctx: Restart, segments: Segments) -> CpuState:
    record = ctx.image.read(t.HDR_CPU, Cpu)
    abi = ctx.abi
    names, mask = _NAMES[abi.word_bytes], abi.mask
    if record.flags & ~_USER_FLAGS != _FIXED_FLAGS:
        ctx.refuse(f"flags {record.flags:#x} are not those of a program")
    spec = ctx.abi.cpu
    by_name = {name: getattr(record, field) for field, name in names.general.items()}
    if any(value & ~mask for value in by_name.values()):
        ctx.refuse("a register of a 32-bit task with more than 32 bits")
    state = CpuState(words=[by_name[name] for name in spec.fast])
    for field, name in names.selectors.items():
        try:
            state.system[name] = segments.decode(getattr(record, field))
        except LayoutError as unknown:
            ctx.refuse(str(unknown))
    _check_selectors(ctx, state.system)
    for field, name in names.bases.items():
        base = getattr(record, field)
        if base >= abi.task_size:
            ctx.refuse(f"the segment base {base:#x} lies outside of user space")
        # A selector brings the base of its descriptor, and those of a 64-bit task begin at 0.
        state.system[name] = 0 if getattr(record, f"{field}index") else base
    code = restart_code(-record.ax & mask)
    if record.orig_ax & mask != mask and code is not None:
        state.syscall, state.restart = record.orig_ax & mask, code
        state.words[spec.fast.index(names.general["ax"])] = record.orig_ax & mask
        if state.syscall > 0xFFFFFFFF:
            ctx.refuse(f"system call {state.syscall} does not exist")
    state.units = {UNIT: _restore_fpu(ctx, record)}
    return state


def _check_selectors(ctx: Restart, system: dict[str, int]) -> None:
    initial = ctx.abi.cpu.initial_system
    if system["cs"] != initial["cs"] or system["ss"] != initial["ss"]:
        ctx.refuse("code or stack segments of its own are not modelled", errno=ENOSYS.errno)
    for name in ("ds", "es", "fs", "gs"):
        selector = system[name]
        if selector & 4:
            ctx.refuse("LDT segments are not modelled", errno=ENOSYS.errno)


def _restore_fpu(ctx: Restart, record: Cpu) -> bytes:
    if not record.used_math:
        return ctx.abi.cpu.initial_units[UNIT]
    state = bytearray(ctx.image.read_exact(t.HDR_CPU_FPU, FXSAVE_BYTES))
    mxcsr = int.from_bytes(state[24:28], "little")
    if mxcsr & ~_MXCSR_KNOWN:
        ctx.refuse(f"MXCSR {mxcsr:#x} has reserved bits")
    state[6:24] = bytes(18)
    state[28:32] = _MXCSR_KNOWN.to_bytes(4, "little")
    return bytes(state)


def _checkpoint_mm_context(ctx: Checkpoint, mm: AddressSpace) -> None:
    ctx.image.write(t.HDR_MM_CONTEXT, MmContext(vdso=mm.vdso))
    ctx.image.write_blob(t.HDR_MM_CONTEXT_LDT, b"")


def _restore_mm_context(ctx: Restart, mm: AddressSpace) -> None:
    record = ctx.image.read(t.HDR_MM_CONTEXT, MmContext)
    if record.vdso != mm.vdso:
        ctx.refuse("the vdso is not where the image says")
    if record.nldt:
        ctx.refuse("LDT entries are not modelled", errno=ENOSYS.errno)
    ctx.image.read_exact(t.HDR_MM_CONTEXT_LDT, 0)
