"""Signal frames of i386, under its own kernel and as compat under an x86-64 one.

    sigframe      pretcode  sig  sigcontext  (unused fpstate)  second mask word  retcode
    rt_sigframe   pretcode  sig  &info  &uc  siginfo  ucontext  retcode

x87 and SSE state lies above the frame. The handler returns into the restorer, or into `retcode`
on the stack; the restorer of a sigframe pops `sig`, so the frame is 8 bytes below the stack
pointer then, and 4 bytes below it for an rt_sigframe.

Mirrors: Linux arch/x86/kernel/signal.c, arch/x86/ia32/ia32_signal.c.
Deviates: trap number, error code and CR2 are those of the fault that is told, and zero for other
signals, where Linux shows the last fault; selectors of code and stack are the user's own ones.
Not modelled: descriptors of LDTs; RF in the flags.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from emu.arch.x86_32 import TLS_COUNT
from emu.arch.x86_fpu import SIZE_BYTES, UNIT
from emu.layout import Record, array, at, hex16, hex32, raw, record, s32, u16, u32
from kernel_model.abi.errno import EFAULT
from kernel_model.arch import x86_signal_fpu as fpu
from kernel_model.arch.signal_stack import (
    altstack_flags,
    bad_frame,
    handler_stack,
    on_altstack,
    restore_altstack,
)
from kernel_model.arch.x86_signal_fault import error_code, fault_address, trap_number
from kernel_model.siginfo import SIGINFO_BYTES
from kernel_model.siginfo import pack_siginfo as _pack_siginfo
from kernel_model.signals import SA_RESTORER, SA_SIGINFO, Action, SigInfo, set_blocked
from kernel_model.sigset import pack_set, unpack_set

if TYPE_CHECKING:
    from kernel_model.task import Task

_XMM = 8
_MASK = 0xFFFFFFFF
_RETCODE = bytes.fromhex("58b877000000cd80")  # pop %eax; mov $119,%eax; int $0x80
_RT_RETCODE = bytes.fromhex("b8ad000000cd8000")  # mov $173,%eax; int $0x80
_GENERAL = ("edi", "esi", "ebp", "esp", "ebx", "edx", "ecx", "eax")
_DATA_SEGMENTS = ("gs", "fs", "es", "ds")
# Carry, parity, adjust, zero, sign, trap, direction, overflow, alignment check.
USER_FLAGS = 0x40DD5
HANDLER_CLEARS = 0x400 | 0x100  # direction and trap
_PRESENT_DPL3 = 0xE00000000000
_TABLE_INDICATOR = 4


@record(size=88)
class Sigcontext(Record):
    """struct sigcontext."""

    gs: hex16 = at("selector")
    gs_high: u16 = at("zero", default=0)
    fs: hex16 = at("selector")
    fs_high: u16 = at("zero", default=0)
    es: hex16 = at("selector")
    es_high: u16 = at("zero", default=0)
    ds: hex16 = at("selector")
    ds_high: u16 = at("zero", default=0)
    edi: hex32 = at("register")
    esi: hex32 = at("register")
    ebp: hex32 = at("register")
    esp: hex32 = at("stack pointer")
    ebx: hex32 = at("register")
    edx: hex32 = at("register")
    ecx: hex32 = at("register")
    eax: hex32 = at("register")
    trapno: u32 = at("exception vector of a fault")
    err: hex32 = at("its error code")
    eip: hex32 = at("program counter")
    cs: hex16 = at("selector")
    cs_high: u16 = at("zero", default=0)
    eflags: hex32 = at("flags")
    esp_at_signal: hex32 = at("stack pointer once more")
    ss: hex16 = at("selector")
    ss_high: u16 = at("zero", default=0)
    fpstate: hex32 = at("address of x87 and SSE state, or 0")
    oldmask: hex32 = at("signals 1 to 32 of the mask to restore")
    cr2: hex32 = at("address of a page fault")


@record(size=116)
class Ucontext(Record):
    """struct ucontext."""

    flags: hex32 = at("zero: no XSAVE state", default=0)
    link: hex32 = at("zero", default=0)
    stack_addr: hex32 = at("alternate stack")
    stack_flags: s32 = at("SS_*")
    stack_size: u32 = at("bytes")
    mcontext: Sigcontext = at("registers")
    sigmask: Annotated[bytes, raw(8)] = at("mask to restore")


@record(size=732)
class Sigframe(Record):
    """struct sigframe."""

    pretcode: hex32 = at("return address of the handler")
    sig: s32 = at("its argument")
    context: Sigcontext = at("registers")
    fpstate_unused: Annotated[bytes, raw(624)] = at("where old kernels put x87 state")
    extramask: Annotated[tuple[int, ...], array(hex32, 1)] = at("signals 33 to 64 of the mask")
    retcode: Annotated[bytes, raw(8)] = at("sigreturn, for those without a restorer")


@record(size=268)
class RtSigframe(Record):
    """struct rt_sigframe."""

    pretcode: hex32 = at("return address of the handler")
    sig: s32 = at("its first argument")
    pinfo: hex32 = at("its second argument")
    puc: hex32 = at("its third argument")
    info: Annotated[bytes, raw(SIGINFO_BYTES)] = at("siginfo_t")
    uc: Ucontext = at("registers and mask")
    retcode: Annotated[bytes, raw(8)] = at("rt_sigreturn, for those without a restorer")


_INFO_AT, _UC_AT = 16, 144
_RETCODE_AT, _RT_RETCODE_AT = 724, 260
_LEGACY_BYTES = fpu.Legacy.SIZE


def pack_siginfo(task: Task, info: SigInfo) -> bytes:
    """siginfo_t."""
    return _pack_siginfo(task.abi, info)


# ---- entering a handler


def _place(task: Task, action: Action, frame_bytes: int) -> tuple[int, int]:
    """Where the frame and the x87 state go. Raises EFAULT when the alternate stack is full."""
    sp = task.regs["esp"]
    was_on = on_altstack(task, sp)
    top = handler_stack(task, action)
    fx = ((sp if top is None else top) - SIZE_BYTES) & _MASK & ~63
    fpstate = (fx - _LEGACY_BYTES) & _MASK
    # At the first instruction of the handler, as after a call, esp + 4 is a multiple of 16.
    frame = (((fpstate - frame_bytes + 4) & ~15) - 4) & _MASK
    if was_on and not on_altstack(task, frame):
        raise EFAULT("the alternate stack is full")
    return frame, fpstate


def _context(task: Task, info: SigInfo, fpstate: int, mask: int) -> Sigcontext:
    regs = task.regs
    return Sigcontext(
        **{name: regs[name] for name in (*_DATA_SEGMENTS, *_GENERAL, "cs", "ss", "eip", "eflags")},
        esp_at_signal=regs["esp"],
        trapno=trap_number(info),
        err=error_code(info),
        cr2=fault_address(info) & _MASK,
        fpstate=fpstate,
        oldmask=mask & _MASK,
    )


def push_frame(task: Task, signo: int, info: SigInfo, action: Action, mask: int) -> None:
    """Enter a handler. Raises EFAULT with the registers unchanged."""
    rt = bool(action.flags & SA_SIGINFO)
    frame, fpstate = _place(task, action, RtSigframe.SIZE if rt else Sigframe.SIZE)
    regs = task.regs
    state = regs.units[UNIT]
    task.user.write(fpstate, fpu.to_legacy(state, regs["cs"], regs["ds"]) + state)
    context = _context(task, info, fpstate, mask)
    second = third = 0
    if rt:
        retcode = (frame + _RT_RETCODE_AT) & _MASK
        second, third = (frame + _INFO_AT) & _MASK, (frame + _UC_AT) & _MASK
        addr, size = task.altstack
        uc = Ucontext(
            stack_addr=addr & _MASK,
            stack_flags=altstack_flags(task),
            stack_size=size & _MASK,
            mcontext=context,
            sigmask=pack_set(task.abi, mask),
        )
        record = RtSigframe(
            pretcode=_return_address(action, retcode),
            sig=signo,
            pinfo=second,
            puc=third,
            info=pack_siginfo(task, info),
            uc=uc,
            retcode=_RT_RETCODE,
        ).pack("<")
    else:
        record = Sigframe(
            pretcode=_return_address(action, (frame + _RETCODE_AT) & _MASK),
            sig=signo,
            context=context,
            fpstate_unused=bytes(624),
            extramask=(mask >> 32,),
            retcode=_RETCODE,
        ).pack("<")
    task.user.write(frame, record)
    for name, value in (
        ("esp", frame), ("eip", action.handler & _MASK), ("eax", signo), ("edx", second),
        ("ecx", third), ("eflags", regs["eflags"] & ~HANDLER_CLEARS),
        ("ds", regs["ss"]), ("es", regs["ss"]),
    ):  # fmt: skip
        regs[name] = value
    regs.units = dict(regs.spec.initial_units)


def _return_address(action: Action, retcode: int) -> int:
    return action.restorer & _MASK if action.flags & SA_RESTORER else retcode


# ---- leaving it


def _usable(task: Task, selector: int) -> int:
    """A data selector, or 0 where loading it would fault: Linux's exit path does the same."""
    regs = task.regs
    index = selector >> 3
    if not index or selector & _TABLE_INDICATOR:
        return 0
    if index in (regs["cs"] >> 3, regs["ss"] >> 3):
        return selector
    slot = index - task.abi.first_tls_slot
    if 0 <= slot < TLS_COUNT and regs[f"tls{slot}"] & _PRESENT_DPL3 == _PRESENT_DPL3:
        return selector
    return 0


def _restore(task: Task, context: Sigcontext) -> None:
    """Registers from a frame. Raises EFAULT, with nothing changed, if x87 state is unreadable."""
    regs = task.regs
    initial = regs.spec.initial_units[UNIT]
    state = initial
    if context.fpstate:
        data = task.user.read(context.fpstate, _LEGACY_BYTES + SIZE_BYTES)
        merged = fpu.from_frame(data[:_LEGACY_BYTES], data[_LEGACY_BYTES:])
        state = fpu.canonical(merged, initial, _XMM)
    for name in _GENERAL:
        regs[name] = getattr(context, name)
    for name in _DATA_SEGMENTS:
        regs[name] = _usable(task, getattr(context, name))
    regs["eip"] = context.eip
    regs["eflags"] = regs["eflags"] & ~USER_FLAGS | context.eflags & USER_FLAGS
    regs.units = {UNIT: state}
    task.interrupted = None
    if context.cs | 3 != regs["cs"] or context.ss | 3 != regs["ss"]:
        bad_frame(task)


def sigreturn(task: Task) -> None:
    """Leave a handler without SA_SIGINFO: its restorer has popped `sig`."""
    addr = (task.regs["esp"] - 8) & _MASK
    try:
        frame = task.user.read_record(Sigframe, addr)
        mask = frame.extramask[0] << 32 | frame.context.oldmask
        _restore(task, frame.context)
    except EFAULT:
        bad_frame(task)
        return
    set_blocked(task, mask)


def rt_sigreturn(task: Task) -> None:
    """Leave a handler with SA_SIGINFO."""
    addr = (task.regs["esp"] - 4) & _MASK
    try:
        frame = task.user.read_record(RtSigframe, addr)
        _restore(task, frame.uc.mcontext)
    except EFAULT:
        bad_frame(task)
        return
    set_blocked(task, unpack_set(task.abi, frame.uc.sigmask))
    restore_altstack(task, frame.uc.stack_addr, frame.uc.stack_flags, frame.uc.stack_size)
