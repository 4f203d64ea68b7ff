"""Signal frames of ppc64, big-endian.

    rt_sigframe   ucontext  trampoline  &info  &uc  siginfo  gap

The 288 bytes of `gap` are what a program may keep below its stack pointer; below the frame lies a
caller's frame of 128 bytes. A handler of an ELFv1 program is named by its function descriptor
(entry, r2), one of ELFv2 by its address, which it finds in r12. The handler returns to the [vdso]
page, which steps over the caller's frame and makes the call.

Mirrors: Linux arch/powerpc/kernel/signal_64.c, vdso64/sigtramp.S.
Deviates: see ppc_signal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from emu.arch.ppc import MSR_VEC, MSR_VSX, VSX_BYTES
from emu.layout import Record, array, at, hex64, raw, record, s32, u32, u64
from kernel_model.abi.errno import EFAULT
from kernel_model.arch import ppc_signal
from kernel_model.arch.ppc_registers import LR, PC, function_descriptors, gpr
from kernel_model.arch.ppc_signal import GREGS, NR_RT_SIGRETURN, PT_MSR, PT_SOFTE, trampoline
from kernel_model.arch.signal_stack import (
    altstack_flags,
    bad_frame,
    handler_stack,
    restore_altstack,
)
from kernel_model.siginfo import SIGINFO_BYTES
from kernel_model.signals import SA_SIGINFO, Action, SigInfo, set_blocked
from kernel_model.sigset import pack_set, unpack_set

if TYPE_CHECKING:
    from kernel_model.task import Task

_MASK = (1 << 64) - 1
_CALLER_BYTES = 128
_GAP_BYTES = 288
_USER_MSR = 1 << 63 | 0xD032  # SF, EE, PR, ME, IR, DR, RI
VDSO = bytes.fromhex("38210080") + trampoline(NR_RT_SIGRETURN)  # addi r1, r1, 128 first
_VDSO_RT_SIGRETURN = 0
_NO_VRSAVE_TAIL = bytes(12)

pack_siginfo = ppc_signal.pack_siginfo


@record(size=1528)
class Sigcontext(Record):
    """struct sigcontext."""

    unused: Annotated[tuple[int, ...], array(u64, 4)] = at("zero", default=(0,) * 4)
    signal: s32 = at("the signal")
    pad: u32 = at("zero", default=0)
    handler: hex64 = at("its handler")
    oldmask: hex64 = at("zero", default=0)
    regs: hex64 = at("address of gp_regs")
    gp_regs: Annotated[tuple[int, ...], array(hex64, GREGS)] = at("words of pt_regs, by PT_*")
    fp_regs: Annotated[bytes, raw(264)] = at("32 FPRs, FPSCR")
    v_regs: hex64 = at("address of the vectors: the first multiple of 16 in vmx_reserve")
    vmx_reserve: Annotated[bytes, raw(808)] = at("32 VRs, VSCR, VRSAVE, low halves of VSRs")


@record(size=1696)
class Ucontext(Record):
    """struct ucontext."""

    flags: hex64 = at("zero", default=0)
    link: hex64 = at("zero", default=0)
    stack_addr: hex64 = at("alternate stack")
    stack_flags: s32 = at("SS_*")
    stack_pad: u32 = at("zero", default=0)
    stack_size: u64 = at("bytes")
    sigmask: Annotated[bytes, raw(8)] = at("mask to restore")
    more: Annotated[tuple[int, ...], array(u64, 15)] = at("zero", default=(0,) * 15)
    mcontext: Sigcontext = at("registers")


@record(size=2176)
class RtSigframe(Record):
    """struct rt_sigframe."""

    uc: Ucontext = at("registers and mask")
    unused: Annotated[tuple[int, ...], array(u64, 2)] = at("zero", default=(0, 0))
    tramp: Annotated[bytes, raw(24)] = at("the return code, where there is no [vdso]")
    pinfo: hex64 = at("address of info")
    puc: hex64 = at("address of uc")
    info: Annotated[bytes, raw(SIGINFO_BYTES)] = at("siginfo_t")
    gap: Annotated[bytes, raw(_GAP_BYTES)] = at("not written", default=bytes(_GAP_BYTES))
    end: u64 = at("zero: the frame is a multiple of 16 bytes", default=0)


_GAP_AND_END = _GAP_BYTES + 8
_MCONTEXT_AT, _GP_REGS_AT, _RESERVE_AT = 168, 232, 888
_TRAMP_AT, _INFO_AT = 1712, 1752
_VECTOR_BYTES = 33 * 16
_VSX_AT = 34 * 16


# ---- entering a handler


def _place(task: Task, action: Action) -> int:
    top = handler_stack(task, action)
    sp = task.regs.words[gpr(1)] if top is None else top
    return (sp - RtSigframe.SIZE) & _MASK & ~15


def _entry(task: Task, handler: int) -> tuple[int, dict[int, int]]:
    """Where a handler begins, and the registers that it must find set."""
    if function_descriptors(task):
        return task.user.word(handler), {2: task.user.word((handler + 8) & _MASK)}
    return handler, {12: handler}


def _sigcontext(task: Task, info: SigInfo, handler: int, frame: int) -> Sigcontext:
    words = ppc_signal.general_words(task, info, _USER_MSR)
    words[PT_SOFTE] = 1
    vectors, vrsave = ppc_signal.saved_vectors(task.regs)
    reserve = (frame + _RESERVE_AT) & _MASK
    v_regs = (reserve + 15) & _MASK & ~15
    state = vectors + vrsave + _NO_VRSAVE_TAIL + task.regs.units.get("vsx", b"")
    return Sigcontext(
        signal=info.signo,
        handler=handler,
        regs=(frame + _GP_REGS_AT) & _MASK,
        gp_regs=tuple(words),
        fp_regs=ppc_signal.saved_fp(task.regs),
        v_regs=v_regs,
        vmx_reserve=(bytes((v_regs - reserve) & _MASK) + state).ljust(808, b"\0"),
    )


def push_frame(task: Task, signo: int, info: SigInfo, action: Action, mask: int) -> None:
    """Enter a handler. Raises EFAULT with the registers unchanged."""
    assert task.mm is not None
    words, vdso = task.regs.words, task.mm.vdso
    frame = _place(task, action)
    entry, expected = _entry(task, action.handler)
    addr, size = task.altstack
    uc = Ucontext(
        stack_addr=addr,
        stack_flags=altstack_flags(task),
        stack_size=size,
        sigmask=pack_set(task.abi, mask),
        mcontext=_sigcontext(task, info, action.handler, frame),
    )
    info_addr = (frame + _INFO_AT) & _MASK
    record = RtSigframe(
        uc=uc,
        tramp=bytes(24) if vdso else VDSO.ljust(24, b"\0"),
        pinfo=info_addr,
        puc=frame,
        info=pack_siginfo(task, info),
    ).pack(">")
    caller = (frame - _CALLER_BYTES) & _MASK
    task.user.write(frame, record[:-_GAP_AND_END])
    task.user.write_word(caller, words[gpr(1)])
    words[gpr(1)], words[gpr(3)] = caller, signo
    if action.flags & SA_SIGINFO:
        words[gpr(4)], words[gpr(5)], words[gpr(6)] = info_addr, frame, frame
    else:
        words[gpr(4)] = (frame + _MCONTEXT_AT) & _MASK
    for number, value in expected.items():
        words[gpr(number)] = value
    words[LR] = vdso + _VDSO_RT_SIGRETURN if vdso else (frame + _TRAMP_AT) & _MASK
    words[PC] = entry & ~3
    ppc_signal.quiet_fpscr(task.regs)


# ---- leaving it


def rt_sigreturn(task: Task) -> None:
    """Leave a handler; r1 is at the frame."""
    try:
        uc = task.user.read_record(Ucontext, task.regs.words[gpr(1)])
        _restore(task, uc.mcontext)
    except EFAULT:
        bad_frame(task)
        return
    set_blocked(task, unpack_set(task.abi, uc.sigmask))
    restore_altstack(task, uc.stack_addr, uc.stack_flags, uc.stack_size)


def _restore(task: Task, saved: Sigcontext) -> None:
    """Registers from a frame. Raises EFAULT, with nothing changed, if vectors are unreadable."""
    msr, at_vectors, user = saved.gp_regs[PT_MSR], saved.v_regs, task.user
    vectors, vrsave, vsx = bytes(_VECTOR_BYTES), bytes(4), None
    if at_vectors:
        if msr & MSR_VEC:
            vectors = user.read(at_vectors, _VECTOR_BYTES)
        vrsave = user.read((at_vectors + _VECTOR_BYTES) & _MASK, 4)
        if msr & MSR_VSX:
            vsx = user.read((at_vectors + _VSX_AT) & _MASK, VSX_BYTES)
    else:
        msr &= ~(MSR_VEC | MSR_VSX)
    ppc_signal.restore_general(task.regs, saved.gp_regs)
    ppc_signal.restore_units(task.regs, msr, saved.fp_regs, vectors, vrsave, vsx)
    task.interrupted = None
