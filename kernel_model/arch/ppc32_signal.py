"""Signal frames of ppc32, under its own kernel and as compat under a ppc64 one.

    sigframe      sigcontext  mcontext           gap     with a caller's frame of 64 bytes below
    rt_sigframe   siginfo  ucontext(mcontext)    gap     with one of 80 bytes below

The 224 bytes of `gap` spare what a 32-bit program may keep below its stack pointer. The handler
returns to the [vdso] page, which makes the call that finds the frame again from r1.

Mirrors: Linux arch/powerpc/kernel/signal_32.c, vdso32/sigtramp.S.
Deviates: see ppc_signal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from emu.layout import Record, array, at, hex32, raw, record, s32, u32
from kernel_model.abi.errno import EFAULT
from kernel_model.arch import ppc_signal
from kernel_model.arch.ppc_registers import LR, PC, gpr
from kernel_model.arch.ppc_signal import GREGS, NR_RT_SIGRETURN, NR_SIGRETURN, PT_MSR, trampoline
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

_MASK = 0xFFFFFFFF
_CALLER_BYTES = 64
_RT_CALLER_BYTES = _CALLER_BYTES + 16
_GAP_BYTES = 224
_USER_MSR = 0xD032  # EE, PR, ME, IR, DR, RI
VDSO = trampoline(NR_SIGRETURN) + bytes(8) + trampoline(NR_RT_SIGRETURN)
_VDSO_SIGRETURN, _VDSO_RT_SIGRETURN = 0, 16

pack_siginfo = ppc_signal.pack_siginfo


@record(size=992)
class Mcontext(Record):
    """struct mcontext."""

    gregs: Annotated[tuple[int, ...], array(hex32, GREGS)] = at("words of pt_regs, by PT_*")
    fregs: Annotated[bytes, raw(264)] = at("32 FPRs, FPSCR")
    tramp: Annotated[bytes, raw(8)] = at("the return code, where there is no [vdso]")
    vregs: Annotated[bytes, raw(512)] = at("32 VRs, if MSR says so")
    vrsave: Annotated[bytes, raw(4)] = at("VRSAVE, in the unused part of the vector with VSCR")
    vscr: Annotated[bytes, raw(12)] = at("the rest of that vector")


@record(size=32)
class Sigcontext(Record):
    """struct sigcontext."""

    unused: Annotated[tuple[int, ...], array(u32, 3)] = at("zero", default=(0, 0, 0))
    mask_high: hex32 = at("signals 33 to 64 of the mask to restore")
    signal: s32 = at("the signal")
    handler: hex32 = at("its handler")
    mask_low: hex32 = at("signals 1 to 32")
    regs: hex32 = at("address of the mcontext")


@record(size=1248)
class Sigframe(Record):
    """struct sigframe."""

    context: Sigcontext = at("what the handler gets in r4")
    mcontext: Mcontext = at("registers")
    gap: Annotated[bytes, raw(_GAP_BYTES)] = at("not written", default=bytes(_GAP_BYTES))


@record(size=192)
class UcontextHead(Record):
    """struct ucontext, up to its mcontext."""

    flags: hex32 = at("zero", default=0)
    link: hex32 = at("zero", default=0)
    stack_addr: hex32 = at("alternate stack")
    stack_flags: s32 = at("SS_*")
    stack_size: u32 = at("bytes")
    pad: Annotated[tuple[int, ...], array(u32, 7)] = at("zero", default=(0,) * 7)
    regs: hex32 = at("address of the mcontext")
    sigmask: Annotated[bytes, raw(8)] = at("mask to restore")
    more: Annotated[tuple[int, ...], array(u32, 33)] = at("zero", default=(0,) * 33)


@record(size=1536)
class RtSigframe(Record):
    """struct rt_sigframe."""

    info: Annotated[bytes, raw(SIGINFO_BYTES)] = at("siginfo_t")
    uc: UcontextHead = at("mask and alternate stack")
    mcontext: Mcontext = at("registers")
    gap: Annotated[bytes, raw(_GAP_BYTES)] = at("not written", default=bytes(_GAP_BYTES))


_MCONTEXT_AT = 32
_UC_AT, _RT_MCONTEXT_AT = 128, 320
_TRAMP_AT = 456


# ---- entering a handler


def _place(task: Task, action: Action, frame_bytes: int) -> int:
    top = handler_stack(task, action)
    sp = task.regs.words[gpr(1)] if top is None else top
    return (sp - frame_bytes) & _MASK & ~15


def _mcontext(task: Task, info: SigInfo, number: int) -> Mcontext:
    vectors, vrsave = ppc_signal.saved_vectors(task.regs)
    words = ppc_signal.general_words(task, info, _USER_MSR)
    assert task.mm is not None
    return Mcontext(
        gregs=tuple(word & _MASK for word in words),
        fregs=ppc_signal.saved_fp(task.regs),
        tramp=bytes(8) if task.mm.vdso else trampoline(number),
        vregs=vectors[:512],
        vrsave=vrsave,
        vscr=vectors[516:],
    )


def push_frame(task: Task, signo: int, info: SigInfo, action: Action, mask: int) -> None:
    """Enter a handler. Raises EFAULT with the registers unchanged."""
    assert task.mm is not None
    words, vdso = task.regs.words, task.mm.vdso
    if action.flags & SA_SIGINFO:
        frame = _place(task, action, RtSigframe.SIZE)
        mcontext = (frame + _RT_MCONTEXT_AT) & _MASK
        data = _rt_frame(task, info, mask, mcontext)
        caller = (frame - _RT_CALLER_BYTES) & _MASK
        arguments = [signo, frame, (frame + _UC_AT) & _MASK, frame]
        code = vdso + _VDSO_RT_SIGRETURN
    else:
        frame = _place(task, action, Sigframe.SIZE)
        mcontext = (frame + _MCONTEXT_AT) & _MASK
        data = _old_frame(task, info, action, mask, mcontext)
        caller = (frame - _CALLER_BYTES) & _MASK
        arguments = [signo, frame]
        code = vdso + _VDSO_SIGRETURN
    task.user.write(frame, data)
    task.user.write_word(caller, words[gpr(1)])
    words[gpr(1)] = caller
    for position, argument in enumerate(arguments):
        words[gpr(3 + position)] = argument
    words[LR] = code if vdso else (mcontext + _TRAMP_AT) & _MASK
    words[PC] = action.handler & _MASK & ~3
    ppc_signal.quiet_fpscr(task.regs)


def _rt_frame(task: Task, info: SigInfo, mask: int, mcontext: int) -> bytes:
    addr, size = task.altstack
    head = UcontextHead(
        stack_addr=addr & _MASK,
        stack_flags=altstack_flags(task),
        stack_size=size & _MASK,
        regs=mcontext,
        sigmask=pack_set(task.abi, mask),
    )
    frame = RtSigframe(
        info=pack_siginfo(task, info),
        uc=head,
        mcontext=_mcontext(task, info, NR_RT_SIGRETURN),
    )
    return frame.pack(">")[:-_GAP_BYTES]


def _old_frame(task: Task, info: SigInfo, action: Action, mask: int, mcontext: int) -> bytes:
    context = Sigcontext(
        mask_high=mask >> 32,
        signal=info.signo,
        handler=action.handler & _MASK,
        mask_low=mask & _MASK,
        regs=mcontext,
    )
    frame = Sigframe(context=context, mcontext=_mcontext(task, info, NR_SIGRETURN))
    return frame.pack(">")[:-_GAP_BYTES]


# ---- leaving it


def _restore(task: Task, addr: int) -> None:
    """Registers from an mcontext. Raises EFAULT with nothing changed."""
    saved = task.user.read_record(Mcontext, addr)
    ppc_signal.restore_general(task.regs, saved.gregs)
    vectors = saved.vregs + bytes(4) + saved.vscr
    ppc_signal.restore_units(
        task.regs, saved.gregs[PT_MSR], saved.fregs, vectors, saved.vrsave, None
    )
    task.interrupted = None


def sigreturn(task: Task) -> None:
    """Leave a handler without SA_SIGINFO."""
    addr = (task.regs.words[gpr(1)] + _CALLER_BYTES) & _MASK
    try:
        context = task.user.read_record(Sigcontext, addr)
        _restore(task, context.regs)
    except EFAULT:
        bad_frame(task)
        return
    set_blocked(task, context.mask_high << 32 | context.mask_low)


def rt_sigreturn(task: Task) -> None:
    """Leave a handler with SA_SIGINFO. The registers are where uc_regs points."""
    frame = (task.regs.words[gpr(1)] + _RT_CALLER_BYTES) & _MASK
    try:
        head = task.user.read_record(UcontextHead, (frame + _UC_AT) & _MASK)
        _restore(task, head.regs)
    except EFAULT:
        bad_frame(task)
        return
    set_blocked(task, unpack_set(task.abi, head.sigmask))
    restore_altstack(task, head.stack_addr, head.stack_flags, head.stack_size)
