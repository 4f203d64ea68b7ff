"""siginfo_t at the offsets that C libraries know, and the signals of CPU exceptions."""

from __future__ import annotations

import pytest

from emu.arch.fault_address import exact_address
from emu.stops import MemoryFault, Trapped
from kernel_model.mm.fault import BadAccess
from kernel_model.siginfo import pack_siginfo, unpack_siginfo
from kernel_model.signals import SIGCHLD, SIGIO, SIGSEGV, SigInfo
from kernel_model.traps import signal_of_fault, signal_of_trap
from tests.unit.kernel.bench import ABIS, OTHER, make_task

# (info, {field: (offset with 32-bit words, offset with 64-bit ones, bytes or 0 for a word)})
_LAYOUTS = [
    (SigInfo(10, 0, pid=7, uid=1 << 31), {"pid": (12, 16, 4), "uid": (16, 20, 4)}),
    (SigInfo(10, -6, pid=7, uid=5), {"pid": (12, 16, 4), "uid": (16, 20, 4)}),
    (SigInfo(40, -3, pid=7, uid=5, value=99), {"pid": (12, 16, 4), "value": (20, 24, 0)}),
    (SigInfo(40, -1, pid=7, uid=5, value=99), {"pid": (12, 16, 4), "value": (20, 24, 0)}),
    (
        SigInfo(14, -2, timer_id=3, overrun=4, value=5),
        {"timer_id": (12, 16, 4), "overrun": (16, 20, 4), "value": (20, 24, 0)},
    ),
    (
        SigInfo(SIGCHLD, 1, pid=7, uid=5, status=3, utime=11, stime=12),
        {"pid": (12, 16, 4), "status": (20, 24, 4), "utime": (24, 32, 0), "stime": (28, 40, 0)},
    ),
    (SigInfo(SIGSEGV, 1, addr=0xDEADBEE0), {"addr": (12, 16, 0)}),
    (SigInfo(SIGIO, 1, band=0x41, fd=9), {"band": (12, 16, 0), "fd": (16, 24, 4)}),
]


@pytest.mark.parametrize("name", sorted(ABIS))
@pytest.mark.parametrize(("info", "fields"), _LAYOUTS)
def test_offsets(name: str, info: SigInfo, fields: dict[str, tuple[int, int, int]]) -> None:
    abi = ABIS[name][1]
    data = pack_siginfo(abi, info)
    assert len(data) == 128

    def read(at: int, count: int) -> int:
        return int.from_bytes(data[at : at + count], abi.byte_order)

    assert [read(0, 4), read(4, 4), read(8, 4)] == [info.signo, 0, info.code & 0xFFFFFFFF]
    for field, (narrow, wide, count) in fields.items():
        at = narrow if abi.word_bytes == 4 else wide
        assert read(at, count or abi.word_bytes) == getattr(info, field), field
    assert unpack_siginfo(abi, data) == info


def test_values_are_cut_to_their_width() -> None:
    abi = ABIS["x86_32"][1]
    info = unpack_siginfo(abi, pack_siginfo(abi, SigInfo(40, -1, value=0x1_0000_0002, pid=-1)))
    assert (info.value, info.pid) == (2, -1)


def _store(name: str, code: str) -> tuple[int, int, int]:
    task = make_task(name)
    for register in task.regs.spec.fast:
        task.regs[register] = 0
    base, index = ("r4", "r5") if name.startswith("ppc") else (task.regs.spec.fast[2], "")
    task.regs[base] = OTHER + 0xFF0
    if index:
        task.regs[index] = 0x18
    pages = (OTHER, OTHER + 0x1000, OTHER + 0x2000)
    found = [exact_address(task.regs, bytes.fromhex(code), page, "write") for page in pages]
    return found[0], found[1], found[2]


@pytest.mark.parametrize(
    ("name", "code", "page", "addr"),
    [
        ("x86_32", "8903", 0, 0xFF0),  # mov %eax,(%ebx)
        ("x86_32", "894310", 1, 0x1000),  # mov %eax,16(%ebx)
        ("x86_64", "488943f8", 0, 0xFE8),  # mov %rax,-8(%rbx)
        ("x86_64", "674889430c", 0, 0xFFC),  # mov %rax,12(%ebx)
        ("x86_64", "674889430c", 1, 0x1000),  # the same one crosses into the next page
        ("ppc32", "90640000", 0, 0xFF0),  # stw r3,0(r4)
        ("ppc32", "9064fff8", 0, 0xFE8),  # stw r3,-8(r4)
        ("ppc32", "7c64292e", 1, 0x1008),  # stwx r3,r4,r5
        ("ppc64", "f8640009", 0, 0xFF8),  # stdu r3,8(r4)
    ],
)
def test_exact_address(name: str, code: str, page: int, addr: int) -> None:
    assert _store(name, code)[page] == OTHER + addr


def test_exact_address_through_a_segment() -> None:
    task = make_task("x86_64")
    task.regs["fs_base"] = OTHER + 0x123
    code = bytes.fromhex("64488b042508000000")  # mov %fs:8,%rax
    assert exact_address(task.regs, code, OTHER, "read") == OTHER + 0x12B
    task = make_task("x86_32")
    task.regs["gs"] = 0x33
    task.regs["tls0"] = 0x50CFF2001123FFFF
    code = bytes.fromhex("65a108000000")  # mov %gs:8,%eax
    assert exact_address(task.regs, code, OTHER + 0x1000, "read") == 0x5000112B - 0x50000000 + OTHER


@pytest.mark.parametrize(
    ("name", "code", "cause", "signal"),
    [
        ("ppc32", "7fe00008", "program", (5, 1)),
        ("ppc64", "08000000", "program", (5, 1)),  # tdi
        ("ppc64", "0c830005", "program", (5, 1)),
        ("ppc32", "7c6000a6", "privileged", (4, 5)),  # mfmsr
        ("ppc32", "00000000", "illegal", (4, 1)),
        ("x86_64", "0f0b", "illegal", (4, 2)),
        ("x86_64", "f7f1", "divide", (8, 1)),
        ("x86_32", "f4", "protection", (11, 0x80)),
    ],
)
def test_signals_of_exceptions(name: str, code: str, cause: str, signal: tuple[int, int]) -> None:
    task = make_task(name)
    task.regs.words[task.abi.pc] = OTHER
    task.user.write(OTHER, bytes.fromhex(code))
    info = signal_of_trap(task, Trapped(cause))
    assert (info.signo, info.code) == signal
    assert info.addr == (0 if cause == "protection" else OTHER)


def test_floating_point_exceptions() -> None:
    for status, mxcsr, code in ((0x04, 0x1F80, 3), (0x01, 0x1F80, 7), (0, 0x1F80 & ~0x400 | 8, 4)):
        task = make_task("x86_32")
        state = bytearray(task.regs.units["fpu"])
        state[:4] = bytes((0, 0, status, 0))
        state[24:28] = mxcsr.to_bytes(4, "little")
        task.regs.units = {"fpu": bytes(state)}
        assert signal_of_trap(task, Trapped("float")).code == code


def test_addresses_that_are_no_page_faults() -> None:
    task = make_task("x86_64")
    for addr, code in ((1 << 47, 0x80), (1 << 63, 0x80), (0xFFFF8 << 44, 1), (0x1000, 1)):
        stop = MemoryFault(addr, "read")
        assert signal_of_fault(task, stop, BadAccess(addr, 1)).code == code
    task = make_task("ppc64")
    assert signal_of_fault(task, MemoryFault(1 << 62, "read"), BadAccess(0, 1)).code == 1


def test_alignment_tells_the_operand() -> None:
    task = make_task("ppc32")
    task.regs.words[task.abi.pc] = OTHER
    task.user.write(OTHER, bytes.fromhex("7c802028"))  # lwarx r4,0,r4
    task.regs["r4"] = OTHER + 5
    info = signal_of_trap(task, Trapped("alignment"))
    assert (info.signo, info.code, info.addr) == (7, 1, OTHER + 5)
