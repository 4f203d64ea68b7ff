"""Times that are far away: behind 2038 and 2106, before 1970, at the end of virtual time."""

from pathlib import Path

import pytest

import cr
from cr.system import System
from cr.until import AfterBlocks
from kernel_model.clock import END_UNITS, LATEST_BOOT_NS, UNITS_PER_NS
from tests.harness.model import cycled, disk_with, heard, program_bytes

SOURCE = Path(__file__).with_name("far_times.c")
MODES = ("x86_32", "x86_64", "ppc32", "ppc64")
ARCHES = pytest.mark.parametrize("arch", MODES)


def start(arch: str, what: str, epoch_s: int = 1_300_000_000) -> System:
    disk = disk_with(program_bytes(SOURCE, arch, freestanding=False))
    kernel = cr.boot(arch, disk, memory_bytes=16 << 20, epoch_ns=epoch_s * 10**9)
    kernel.spawn("/bin/program", what)
    return kernel


@ARCHES
@pytest.mark.parametrize("epoch_s", [2_208_988_800, 4_323_369_600], ids=["2040", "2107"])
def test_a_word_keeps_the_low_half_of_a_time(arch: str, epoch_s: int) -> None:
    assert set(heard(start(arch, "now", epoch_s)).decode().split()) == {str(epoch_s & 0xFFFF_FFFF)}


def test_the_latest_boot() -> None:
    latest = LATEST_BOOT_NS // 10**9
    assert set(heard(start("x86_64", "now", latest)).decode().split()) == {
        str(latest & 0xFFFF_FFFF)
    }
    with pytest.raises(ValueError, match="the latest is"):
        start("x86_64", "now", latest + 1)


@ARCHES
def test_stamps_of_a_file_at_both_ends(arch: str) -> None:
    last = "9223372036.854775807" if arch.endswith("64") else "2147483647.000000004"
    assert heard(start(arch, "stamps")).decode() == f"-5.000000003 {last}\n"


@ARCHES
def test_more_overruns_than_an_int_can_count(arch: str) -> None:
    assert heard(start(arch, "overruns")) == b"2147483647 2147483647\n"


@ARCHES
def test_sleeps_for_decades(arch: str) -> None:
    kernel = start(arch, "30")
    assert kernel.run(cr.after_time(20 * 31_536_000 * 10**9)) is cr.Ended.REACHED
    kernel = cycled(kernel)
    assert kernel.run() is cr.Ended.EXITED
    assert kernel.console.output == b"good morning\n"
    assert kernel.clock.now_ns() // 10**9 == 30 * 31_536_000


@pytest.mark.parametrize("arch", ["x86_64", "ppc32"])
def test_virtual_time_has_an_end(arch: str) -> None:
    kernel = start(arch, "40")
    assert kernel.run() is cr.Ended.TIMED_OUT
    assert kernel.clock.units == END_UNITS
    assert kernel.console.output == b"good night\n"
    kernel = cycled(kernel)
    for until in (None, cr.after_syscalls(1), cr.after_time(1), AfterBlocks(1)):
        assert kernel.run(until) is cr.Ended.TIMED_OUT
    assert kernel.clock.units // UNITS_PER_NS == kernel.clock.now_ns()
