"""Into a handler and back: frames at the offsets that C libraries know, and exact returns."""

from __future__ import annotations

import pytest

from kernel_model.abi.errno import EFAULT
from kernel_model.signals import (
    SA_ONSTACK,
    SA_RESTORER,
    SA_SIGINFO,
    SI_USER,
    SIGSEGV,
    SIGUSR1,
    Action,
    SigInfo,
    bit,
)
from kernel_model.task import Task
from tests.unit.kernel.bench import ABIS, OTHER, OTHER_BYTES, make_noise, make_task, state_of

HANDLER, RESTORER = 0x12340, 0x45678
MASK = 0x8000_0001_4000_0002
INFO = SigInfo(SIGUSR1, SI_USER, pid=77, uid=1000)


def enter(task: Task, flags: int = SA_SIGINFO, info: SigInfo = INFO, mask: int = MASK) -> int:
    """Push a frame; the stack pointer that the handler gets."""
    action = Action(HANDLER, flags | SA_RESTORER, RESTORER)
    task.abi.push_frame(task, info.signo, info, action, mask)
    return task.regs.words[task.abi.sp]


def leave(task: Task, sp: int, *, rt: bool = True) -> None:
    """Return as the restorer does, from the stack pointer that the handler began with."""
    steps = {"x86_32": 4 if rt else 8, "x86_64": 8, "ppc32": 0, "ppc64": 128}
    task.regs.words[task.abi.sp] = sp + steps[task.abi.name]
    (task.abi.rt_sigreturn if rt else task.abi.sigreturn)(task)


def u(task: Task, addr: int, count: int) -> int:
    """A number in the task's byte order."""
    return int.from_bytes(task.user.read(addr, count), task.abi.byte_order)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("flags", [0, SA_SIGINFO, SA_SIGINFO | SA_ONSTACK])
@pytest.mark.parametrize("name", sorted(ABIS))
def test_return_is_exact(name: str, flags: int, seed: int) -> None:
    task = make_task(name, seed)
    task.altstack = (OTHER, OTHER_BYTES)
    task.blocked = MASK
    before = state_of(task)
    sp = enter(task, flags)
    assert task.regs.words[task.abi.pc] == HANDLER
    assert (OTHER <= sp < OTHER + OTHER_BYTES) == bool(flags & SA_ONSTACK)
    make_noise(task, seed + 1000)
    task.blocked = 0
    rt = bool(flags & SA_SIGINFO) or task.abi.word_bytes == 8
    leave(task, sp, rt=rt)
    assert state_of(task) == before
    assert not task.pending.signals
    assert task.altstack == (OTHER, OTHER_BYTES)


@pytest.mark.parametrize("name", sorted(ABIS))
def test_stack_is_aligned_and_the_red_zone_is_spared(name: str) -> None:
    gaps = {"x86_32": 0, "x86_64": 128, "ppc32": 224, "ppc64": 288}
    for shift in range(0, 64, 4):
        task = make_task(name)
        task.regs.words[task.abi.sp] -= shift
        old = task.regs.words[task.abi.sp]
        gap = gaps[task.abi.name]
        task.user.write(old - gap, b"\xa5" * gap)
        sp = enter(task)
        x86 = task.abi.name.startswith("x86")
        assert (sp + task.abi.word_bytes * x86) % 16 == 0
        assert task.user.read(old - gap, gap) == b"\xa5" * gap
        if task.abi.name == "x86_64":
            assert u(task, sp + 48 + 184, 8) % 64 == 0
        if task.abi.name == "x86_32":
            assert (u(task, sp + 164 + 76, 4) + 112) % 64 == 0


@pytest.mark.parametrize("name", sorted(ABIS))
def test_full_alternate_stack(name: str) -> None:
    task = make_task(name)
    task.altstack = (OTHER + 0x8000, 0x1000)
    task.regs.words[task.abi.sp] = OTHER + 0x8100
    before = state_of(task)
    if task.abi.name.startswith("x86"):
        with pytest.raises(EFAULT):
            enter(task, SA_SIGINFO | SA_ONSTACK)
        assert state_of(task) == before
    else:
        assert enter(task, SA_SIGINFO | SA_ONSTACK) < OTHER + 0x8000  # PowerPC does not look


@pytest.mark.parametrize("sp", [0, 4, 0x1000, 0xBFFFF000, 0xFFFFFFF0, 0x1_4000_0000, 1 << 63])
@pytest.mark.parametrize("name", sorted(ABIS))
def test_no_room_and_no_frame(name: str, sp: int) -> None:
    task = make_task(name)
    task.regs.words[task.abi.sp] = sp & task.abi.mask
    task.blocked = 0
    if sp == 0x1_4000_0000 and task.abi.word_bytes == 4:
        sp = 0
        task.regs.words[task.abi.sp] = 0
    before = state_of(task)
    with pytest.raises(EFAULT):
        enter(task)
    assert state_of(task) == before
    task.abi.rt_sigreturn(task)
    assert task.pending.signals == bit(SIGSEGV)
    if task.abi.word_bytes == 4:
        task.pending.discard(-1)
        task.abi.sigreturn(task)
        assert task.pending.signals == bit(SIGSEGV)


def test_high_addresses_are_not_low_ones() -> None:
    task = make_task("x86_64")
    task.user.write(OTHER, b"here")
    for high in (1 << 48, 1 << 52, 0xFFFF << 48):
        with pytest.raises(EFAULT):
            task.user.read(OTHER + high, 8)


@pytest.mark.parametrize("name", ["x86_32", "x86_32 compat"])
def test_i386_frames(name: str) -> None:
    task = make_task(name)
    words = {n: task.regs[n] for n in (*task.regs.spec.fast, *task.regs.spec.system)}
    state = task.regs.units["fpu"]
    sp = enter(task, 0)
    assert [u(task, sp, 4), u(task, sp + 4, 4)] == [RESTORER, SIGUSR1]
    assert [task.regs[n] for n in ("eax", "edx", "ecx")] == [SIGUSR1, 0, 0]
    places = {"gs": 0, "fs": 4, "es": 8, "ds": 12, "edi": 16, "esi": 20, "ebp": 24, "esp": 28}
    places |= {"ebx": 32, "edx": 36, "ecx": 40, "eax": 44, "eip": 56, "cs": 60, "eflags": 64}
    places |= {"ss": 72}
    assert {n: u(task, sp + 8 + at, 4) for n, at in places.items()} == {n: words[n] for n in places}
    assert u(task, sp + 8 + 80, 4) == MASK & 0xFFFFFFFF
    assert u(task, sp + 720, 4) == MASK >> 32
    assert task.user.read(sp + 724, 8).hex() == "58b877000000cd80"
    fpstate = u(task, sp + 8 + 76, 4)
    assert (fpstate + 112) % 64 == 0
    assert fpstate >= sp + 732
    assert task.user.read(fpstate + 112, 512) == state
    assert u(task, fpstate, 4) == 0xFFFF0000 | int.from_bytes(state[:2], "little")
    assert task.user.read(fpstate + 28, 10) == state[32:42]
    assert u(task, fpstate + 110, 2) == 0

    task = make_task(name)
    sp = enter(task)
    assert [u(task, sp + 4 * k, 4) for k in range(4)] == [RESTORER, SIGUSR1, sp + 16, sp + 144]
    assert [task.regs[n] for n in ("eax", "edx", "ecx")] == [SIGUSR1, sp + 16, sp + 144]
    uc = sp + 144
    assert u(task, uc + 20 + 56, 4) == words["eip"]
    assert u(task, uc + 108, 8) == MASK
    assert task.user.read(sp + 260, 8).hex() == "b8ad000000cd8000"


def test_i386_returns_through_the_stack_without_a_restorer() -> None:
    for flags, at in ((0, 724), (SA_SIGINFO, 260)):
        task = make_task("x86_32")
        task.abi.push_frame(task, SIGUSR1, INFO, Action(HANDLER, flags, RESTORER), 0)
        sp = task.regs["esp"]
        assert u(task, sp, 4) == sp + at


def test_x86_64_frame() -> None:
    task = make_task("x86_64")
    words = {n: task.regs[n] for n in (*task.regs.spec.fast, "cs")}
    state = task.regs.units["fpu"]
    task.altstack = (OTHER, OTHER_BYTES)
    sp = enter(task, SA_SIGINFO)
    uc = sp + 8
    assert u(task, sp, 8) == RESTORER
    assert [task.regs[n] for n in ("rdi", "rsi", "rdx", "rax")] == [SIGUSR1, uc + 304, uc, 0]
    assert [u(task, uc, 8), u(task, uc + 16, 8), u(task, uc + 32, 8)] == [0, OTHER, OTHER_BYTES]
    order = "r8 r9 r10 r11 r12 r13 r14 r15 rdi rsi rbp rbx rdx rax rcx rsp rip rflags cs".split()
    assert {n: u(task, uc + 40 + 8 * k, 8) for k, n in enumerate(order)} == {
        n: words[n] for n in order
    }
    fpstate = u(task, uc + 40 + 184, 8)
    assert fpstate % 64 == 0
    assert task.user.read(fpstate, 512) == state
    assert u(task, uc + 296, 8) == MASK
    assert u(task, uc + 304, 4) == SIGUSR1
    with pytest.raises(EFAULT):
        task.abi.push_frame(task, SIGUSR1, INFO, Action(HANDLER, SA_SIGINFO, RESTORER), 0)


@pytest.mark.parametrize("name", ["ppc32", "ppc32 compat"])
@pytest.mark.parametrize("vdso", [True, False])
def test_ppc32_frames(name: str, vdso: bool) -> None:
    for rt in (True, False):
        task = make_task(name, vdso=vdso)
        regs, units = list(task.regs.words), task.regs.units
        xer = task.regs["xer"]
        sp = enter(task, SA_SIGINFO if rt else 0)
        assert u(task, sp, 4) == regs[2]  # the back chain
        frame = sp + (80 if rt else 64)
        if rt:
            uc, mcontext = frame + 128, frame + 320
            assert [task.regs[f"r{k}"] for k in (3, 4, 5, 6)] == [SIGUSR1, frame, uc, frame]
            assert u(task, uc + 48, 4) == mcontext
            assert [u(task, uc + 52, 4), u(task, uc + 56, 4)] == [MASK & 0xFFFFFFFF, MASK >> 32]
        else:
            mcontext = frame + 32
            assert [task.regs[f"r{k}"] for k in (3, 4)] == [SIGUSR1, frame]
            assert u(task, frame + 12, 4) == MASK >> 32
            assert [u(task, frame + at, 4) for at in (16, 20, 24, 28)] == [
                SIGUSR1, HANDLER, MASK & 0xFFFFFFFF, mcontext,
            ]  # fmt: skip
        gregs = [u(task, mcontext + 4 * k, 4) for k in range(48)]
        assert gregs[:33] == [*regs[1:33], regs[0]]
        assert [gregs[k] for k in (35, 36, 37, 38)] == [regs[35], regs[34], xer, regs[33]]
        assert gregs[33] == 0xD032 | 0x2000 | 0x2000000
        assert task.user.read(mcontext + 192, 264) == units["fp"]
        assert task.user.read(mcontext + 464, 512) == units["altivec"][:512]
        assert task.user.read(mcontext + 976, 4) == units["altivec"][528:532]
        assert task.user.read(mcontext + 988, 4) == units["altivec"][524:528]
        code = task.user.read(task.regs["lr"], 8).hex()
        assert code == ("380000ac" if rt else "38000077") + "44000002"
        assert (task.regs["lr"] == mcontext + 456) == (not vdso)


@pytest.mark.parametrize("vdso", [True, False])
def test_ppc64_frame(vdso: bool) -> None:
    task = make_task("ppc64", vdso=vdso)
    regs, units = list(task.regs.words), task.regs.units
    sp = enter(task)
    assert u(task, sp, 8) == regs[2]
    uc = sp + 128
    assert [task.regs[f"r{k}"] for k in (3, 4, 5, 6)] == [SIGUSR1, uc + 1752, uc, uc]
    assert task.regs["r12"] == HANDLER
    assert [u(task, uc + 1736, 8), u(task, uc + 1744, 8)] == [uc + 1752, uc]
    assert u(task, uc + 40, 8) == MASK
    assert u(task, uc + 168 + 56, 8) == uc + 232
    gregs = [u(task, uc + 232 + 8 * k, 8) for k in range(48)]
    assert gregs[:33] == [*regs[1:33], regs[0]]
    assert gregs[33] == 1 << 63 | 0xD032 | 0x2000 | 0x2000000 | 0x800000
    assert [gregs[k] for k in (35, 36, 38)] == [regs[35], regs[34], regs[33]]
    assert task.user.read(uc + 616, 264) == units["fp"]
    vectors = u(task, uc + 880, 8)
    assert vectors % 16 == 0
    assert 0 <= vectors - (uc + 888) < 16
    assert task.user.read(vectors, 528) == units["altivec"][:528]
    assert task.user.read(vectors + 528, 4) == units["altivec"][528:532]
    assert task.user.read(vectors + 544, 256) == units["vsx"]
    assert task.user.read(task.regs["lr"], 12).hex() == "38210080380000ac44000002"
    assert (task.regs["lr"] == uc + 1712) == (not vdso)


def test_ppc64_function_descriptor() -> None:
    task = make_task("ppc64")
    task.known_elf_flags = 1
    task.user.write(OTHER, (0x777770).to_bytes(8, "big") + (0x888888).to_bytes(8, "big"))
    r12 = task.regs["r12"]
    task.abi.push_frame(task, SIGUSR1, INFO, Action(OTHER, 0, 0), 0)
    assert [task.regs["pc"], task.regs["r2"], task.regs["r12"]] == [0x777770, 0x888888, r12]
    assert task.regs["r4"] == task.regs["r1"] + 128 + 168  # without SA_SIGINFO: the sigcontext


@pytest.mark.parametrize("name", ["ppc32", "ppc64"])
def test_powerpc_units_that_are_not_used(name: str) -> None:
    task = make_task(name)
    task.regs.units = {}
    sp = enter(task)
    leave(task, sp)
    assert task.regs.units == {}
    sp = enter(task)
    make_noise(task, 5)
    leave(task, sp)
    assert not any(any(state) for state in task.regs.units.values())


@pytest.mark.parametrize("name", ["ppc32", "ppc64"])
def test_powerpc_handler_begins_with_a_quiet_fpscr(name: str) -> None:
    task = make_task(name)
    before = task.regs.units
    enter(task)
    assert task.regs.units == {**before, "fp": before["fp"][:256] + bytes(8)}


@pytest.mark.parametrize("name", ["x86_32", "x86_64", "x86_32 compat"])
def test_x86_handler_begins_with_fresh_x87_and_without_direction(name: str) -> None:
    task = make_task(name)
    flags = task.regs.spec.fast[-1]
    task.regs[flags] |= 0x500
    enter(task)
    assert task.regs.units == task.regs.spec.initial_units
    assert not task.regs[flags] & 0x500


def test_what_a_handler_may_change_x86_64() -> None:
    task = make_task("x86_64")
    sp = enter(task)
    uc = sp + 8
    task.user.write(uc + 40 + 128, (0x7777).to_bytes(8, "little"))  # rip
    task.user.write(uc + 40 + 136, (0xFFFFFFFFFFFFFFFF).to_bytes(8, "little"))  # rflags
    task.user.write(uc + 296, (0x1FF | bit(SIGUSR1)).to_bytes(8, "little"))
    task.user.write(
        uc + 16, (OTHER).to_bytes(8, "little") + bytes(8) + (8192).to_bytes(8, "little")
    )
    leave(task, sp)
    assert task.regs["rip"] == 0x7777
    assert task.regs["rflags"] == 0x40FD7
    assert task.blocked == (0x1FF | bit(SIGUSR1)) & ~bit(9)
    assert task.altstack == (OTHER, 8192)
    assert not task.pending.signals


@pytest.mark.parametrize(
    ("offset", "count", "value"),
    [(128, 8, 0x8000_0000_0000), (144, 2, 0), (128, 8, 0xFFFF_0000_0000_0000)],
)
def test_returns_that_x86_64_refuses(offset: int, count: int, value: int) -> None:
    task = make_task("x86_64")
    sp = enter(task)
    task.user.write(sp + 48 + offset, value.to_bytes(count, "little"))
    leave(task, sp)
    assert task.pending.signals == bit(SIGSEGV)


def test_bad_x87_states_x86_64() -> None:
    task = make_task("x86_64")
    sp = enter(task)
    fpstate = u(task, sp + 48 + 184, 8)
    task.user.write(fpstate + 26, b"\1\0")  # a reserved bit of MXCSR
    leave(task, sp)
    assert task.pending.signals == bit(SIGSEGV)
    task = make_task("x86_64")
    sp = enter(task)
    task.user.write(sp + 48 + 184, bytes(8))  # no state: the initial one
    make_noise(task, 9)
    leave(task, sp)
    assert task.regs.units == task.regs.spec.initial_units


def test_selectors_of_i386() -> None:
    task = make_task("x86_32")
    task.regs["tls0"] = 0x00CFF2000000FFFF
    sp = enter(task)
    context = sp + 144 + 20
    for at, selector in ((0, 0x33), (4, 0x3B), (8, 0x10), (12, 0x7B)):
        task.user.write(context + at, selector.to_bytes(4, "little"))
    leave(task, sp)
    # gs names a descriptor that is there, fs an empty one, es the kernel's.
    assert [task.regs[n] for n in ("gs", "fs", "es", "ds")] == [0x33, 0, 0, 0x7B]
    assert not task.pending.signals
    for at in (60, 72):  # cs, ss
        task = make_task("x86_32")
        sp = enter(task)
        task.user.write(sp + 144 + 20 + at, b"\0\0")
        leave(task, sp)
        assert task.pending.signals == bit(SIGSEGV)


def test_x87_part_of_an_i386_frame_is_the_older_one() -> None:
    task = make_task("x86_32")
    sp = enter(task)
    fpstate = u(task, sp + 144 + 20 + 76, 4)
    task.user.write(fpstate + 28, b"\x11" * 10)
    task.user.write(fpstate + 112 + 160, b"\x22" * 16)
    leave(task, sp)
    state = task.regs.units["fpu"]
    assert state[32:48] == b"\x11" * 10 + bytes(6)
    assert state[160:176] == b"\x22" * 16


@pytest.mark.parametrize("name", ["ppc32", "ppc64"])
def test_powerpc_sanitises(name: str) -> None:
    task = make_task(name)
    width = task.abi.word_bytes
    sp = enter(task)
    gregs = sp + 80 + 320 if width == 4 else sp + 128 + 232
    task.user.write_word(gregs + 32 * width, 0x7777)
    task.user.write_word(gregs + 33 * width, 0)  # MSR: no vectors in the frame
    task.user.write_word(gregs + 37 * width, -1)
    leave(task, sp)
    assert task.regs["pc"] == 0x7774
    assert task.regs["xer"] == 0xE000007F
    assert not any(task.regs.units["altivec"][:528])
    assert any(task.regs.units["altivec"][528:532])
    assert not any(task.regs.units.get("vsx", b""))
    assert any(task.regs.units["fp"])


@pytest.mark.parametrize(
    ("cause", "code", "error"), [("read", 1, 4), ("write", 2, 7), ("fetch", 2, 21), ("write", 1, 6)]
)
def test_page_faults_in_frames(cause: str, code: int, error: int) -> None:
    info = SigInfo(SIGSEGV, code, addr=0x1234, cause=cause)
    task = make_task("x86_64")
    context = enter(task, info=info) + 48
    assert [u(task, context + at, 8) for at in (152, 160, 176)] == [error, 14, 0x1234]
    task = make_task("x86_32")
    context = enter(task, info=info) + 164
    assert [u(task, context + at, 4) for at in (52, 48, 84)] == [error, 14, 0x1234]
    dsisr = (0x40000000 if code == 1 else 0x08000000) | 0x02000000 * (cause == "write")
    for name in ("ppc32", "ppc64"):
        task = make_task(name)
        width = task.abi.word_bytes
        sp = enter(task, info=info)
        gregs = sp + 80 + 320 if width == 4 else sp + 128 + 232
        trap = 0x400 if cause == "fetch" else 0x300
        assert [u(task, gregs + k * width, width) for k in (40, 41, 42)] == [trap, 0x1234, dsisr]


def test_x87_tags_of_an_i386_frame() -> None:
    task = make_task("x86_32")
    state = bytearray(task.regs.units["fpu"])
    state[2:5] = bytes((0, 2 << 3, 0b10001101))  # top is 2; physical 0, 2, 3, 7 are in use
    state[32:160] = bytes(128)  # ST0 (physical 2) is zero
    state[48:58] = bytes.fromhex("0000000000000080ff3f")  # ST1 (physical 3) is one
    state[32 + 16 * 5 : 42 + 16 * 5] = bytes.fromhex("0000000000000080ff7f")  # physical 7: infinite
    state[32 + 16 * 6 : 42 + 16 * 6] = bytes.fromhex("01000000000000000000")  # physical 0: tiny
    task.regs.units = {"fpu": bytes(state)}
    task.regs["ds"] = task.regs["ss"]
    sp = enter(task)
    fpstate = u(task, sp + 164 + 76, 4)
    assert u(task, fpstate + 8, 4) == 0xFFFF0000 | 0b10_11_11_11_00_01_11_10
    assert [u(task, fpstate + at, 4) for at in (0, 4, 16, 24)] == [
        0xFFFF0000 | int.from_bytes(state[:2], "little"),
        0xFFFF1000,
        0x73,
        0xFFFF0000 | task.regs["ss"],
    ]
    leave(task, sp)
    assert task.regs.units == {"fpu": bytes(state)}
