"""Signal frames of x86-64.

    rt_sigframe   pretcode  ucontext  siginfo        (128 bytes below the stack pointer are spared)

x87 and SSE state lies above the frame, as FXSAVE writes it, on a border of 64 bytes. There is one
kind of frame only, and the handler always returns through SA_RESTORER.

Mirrors: Linux arch/x86/kernel/signal.c.
Deviates: trap number, error code and CR2 are those of the fault that is told, and zero for other
signals, where Linux shows the last fault; CS and SS are the user's own ones.
Not modelled: RF in the flags.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from emu.arch.x86_fpu import SIZE_BYTES, UNIT
from emu.layout import Record, array, at, hex16, hex64, raw, record, s32, u16, u32, u64
from kernel_model.abi.errno import EFAULT
from kernel_model.arch import x86_signal_fpu as fpu
from kernel_model.arch.signal_stack import (
    altstack_flags,
    bad_frame,
    handler_stack,
    on_altstack,
    restore_altstack,
)
from kernel_model.arch.x86_32_signal import HANDLER_CLEARS, USER_FLAGS
from kernel_model.arch.x86_signal_fault import error_code, fault_address, trap_number
from kernel_model.siginfo import SIGINFO_BYTES
from kernel_model.siginfo import pack_siginfo as _pack_siginfo
from kernel_model.signals import SA_RESTORER, SA_SIGINFO, Action, SigInfo, set_blocked
from kernel_model.sigset import pack_set, unpack_set

if TYPE_CHECKING:
    from kernel_model.task import Task

_XMM = 16
_MASK = (1 << 64) - 1
_RED_ZONE_BYTES = 128
_GENERAL = (
    "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15",
    "rdi", "rsi", "rbp", "rbx", "rdx", "rax", "rcx", "rsp", "rip",
)  # fmt: skip
_SIGN_SHIFT = 47
_CANONICAL = (0, 0x1FFFF)
"""Bits 47 to 63 of an address are all the same."""


@record(size=256)
class Sigcontext(Record):
    """struct sigcontext."""

    r8: hex64 = at("register")
    r9: hex64 = at("register")
    r10: hex64 = at("register")
    r11: hex64 = at("register")
    r12: hex64 = at("register")
    r13: hex64 = at("register")
    r14: hex64 = at("register")
    r15: hex64 = at("register")
    rdi: hex64 = at("register")
    rsi: hex64 = at("register")
    rbp: hex64 = at("register")
    rbx: hex64 = at("register")
    rdx: hex64 = at("register")
    rax: hex64 = at("register")
    rcx: hex64 = at("register")
    rsp: hex64 = at("stack pointer")
    rip: hex64 = at("program counter")
    rflags: hex64 = at("flags")
    cs: hex16 = at("selector")
    gs: u16 = at("zero", default=0)
    fs: u16 = at("zero", default=0)
    ss: u16 = at("zero: kernels of that time did not tell it", default=0)
    err: hex64 = at("error code of a fault")
    trapno: u64 = at("its exception vector")
    oldmask: hex64 = at("the mask to restore, for old programs")
    cr2: hex64 = at("address of a page fault")
    fpstate: hex64 = at("address of x87 and SSE state, or 0")
    reserved: Annotated[tuple[int, ...], array(u64, 8)] = at("zero", default=(0,) * 8)


@record(size=304)
class Ucontext(Record):
    """struct ucontext."""

    flags: hex64 = at("zero: no XSAVE state", default=0)
    link: hex64 = at("zero", default=0)
    stack_addr: hex64 = at("alternate stack")
    stack_flags: s32 = at("SS_*")
    stack_pad: u32 = at("zero", default=0)
    stack_size: u64 = at("bytes")
    mcontext: Sigcontext = at("registers")
    sigmask: Annotated[bytes, raw(8)] = at("mask to restore")


@record(size=440)
class RtSigframe(Record):
    """struct rt_sigframe."""

    pretcode: hex64 = at("return address of the handler: the restorer")
    uc: Ucontext = at("registers and mask")
    info: Annotated[bytes, raw(SIGINFO_BYTES)] = at("siginfo_t, with SA_SIGINFO")


_UC_AT, _INFO_AT = 8, 312


def pack_siginfo(task: Task, info: SigInfo) -> bytes:
    """siginfo_t."""
    return _pack_siginfo(task.abi, info)


def _place(task: Task, action: Action) -> tuple[int, int]:
    """Where the frame and the x87 state go. Raises EFAULT when the alternate stack is full."""
    sp = task.regs["rsp"]
    was_on = on_altstack(task, sp)
    top = handler_stack(task, action)
    base = sp - _RED_ZONE_BYTES if top is None else top
    fpstate = (base - SIZE_BYTES) & _MASK & ~63
    # At the first instruction of the handler, as after a call, rsp + 8 is a multiple of 16.
    frame = (((fpstate - RtSigframe.SIZE) & ~15) - 8) & _MASK
    if was_on and not on_altstack(task, frame):
        raise EFAULT("the alternate stack is full")
    return frame, fpstate


def push_frame(task: Task, signo: int, info: SigInfo, action: Action, mask: int) -> None:
    """Enter a handler. Raises EFAULT with the registers unchanged."""
    if not action.flags & SA_RESTORER:
        raise EFAULT("a handler without SA_RESTORER has nowhere to return to")
    frame, fpstate = _place(task, action)
    regs = task.regs
    addr, size = task.altstack
    saved: dict[str, Any] = {name: regs[name] for name in (*_GENERAL, "rflags", "cs")}
    context = Sigcontext(
        **saved,
        err=error_code(info),
        trapno=trap_number(info),
        oldmask=mask,
        cr2=fault_address(info),
        fpstate=fpstate,
    )
    uc = Ucontext(
        stack_addr=addr,
        stack_flags=altstack_flags(task),
        stack_size=size,
        mcontext=context,
        sigmask=pack_set(task.abi, mask),
    )
    record = RtSigframe(
        pretcode=action.restorer,
        uc=uc,
        info=pack_siginfo(task, info) if action.flags & SA_SIGINFO else bytes(SIGINFO_BYTES),
    ).pack("<")
    task.user.write(fpstate, regs.units[UNIT])
    task.user.write(frame, record)
    for name, value in (
        ("rsp", frame), ("rip", action.handler), ("rdi", signo), ("rax", 0),
        ("rsi", (frame + _INFO_AT) & _MASK), ("rdx", (frame + _UC_AT) & _MASK),
        ("rflags", regs["rflags"] & ~HANDLER_CLEARS),
    ):  # fmt: skip
        regs[name] = value
    regs.units = dict(regs.spec.initial_units)


def rt_sigreturn(task: Task) -> None:
    """Leave a handler: it has popped `pretcode`."""
    addr = (task.regs["rsp"] - 8) & _MASK
    try:
        frame = task.user.read_record(RtSigframe, addr)
        _restore(task, frame.uc.mcontext)
    except EFAULT:
        bad_frame(task)
        return
    set_blocked(task, unpack_set(task.abi, frame.uc.sigmask))
    uc = frame.uc
    restore_altstack(task, uc.stack_addr, uc.stack_flags, uc.stack_size)


def _restore(task: Task, context: Sigcontext) -> None:
    """Registers from a frame. Raises EFAULT, with nothing changed, if x87 state is no good."""
    regs = task.regs
    initial = regs.spec.initial_units[UNIT]
    state = initial
    if context.fpstate:
        data = task.user.read(context.fpstate, SIZE_BYTES)
        if fpu.mxcsr_is_bad(data):
            raise EFAULT("MXCSR has bits that the CPU has not")
        state = fpu.canonical(data, initial, _XMM)
    for name in _GENERAL:
        regs[name] = getattr(context, name)
    regs["rflags"] = regs["rflags"] & ~USER_FLAGS | context.rflags & USER_FLAGS
    regs.units = {UNIT: state}
    task.interrupted = None
    if context.rip >> _SIGN_SHIFT not in _CANONICAL or context.cs | 3 != regs["cs"]:
        bad_frame(task)
