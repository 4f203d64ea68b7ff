"""Booting and running through the library's front door."""

import stat
from collections.abc import Callable

import pytest

import cr
from cr.system import DEFAULT_EPOCH_NS, System
from kernel_model.abi.errno import ENOENT
from kernel_model.task import Task
from tests.harness import tiny_elf as tiny


def disk_with(code: bytes) -> cr.Disk:
    disk = cr.Disk.empty()
    node = disk.new_node(stat.S_IFREG | 0o755)
    node.store(0, tiny.elf(code))
    disk.root.entries()[b"p"] = node
    return disk


def start(code: bytes, source: Callable[[int], bytes] | None = None) -> tuple[System, Task]:
    console = cr.Console(source)
    kernel = cr.boot("x86_64", disk_with(code), console=console, memory_bytes=4 << 20)
    return kernel, kernel.spawn("/p", as_init=True)


def test_runs_to_the_end() -> None:
    kernel, task = start(tiny.say(b"hello 1\n") + tiny.EXIT_3)
    assert kernel.run() is cr.Ended.EXITED
    assert (task.exit_status, kernel.console.output) == (3, b"hello 1\n")
    assert kernel.completed_calls == 2


def test_stops_after_system_calls_counted_from_now() -> None:
    kernel, _ = start(b"".join(tiny.say(b"line %d\n\n" % k) for k in range(4)) + tiny.EXIT_0)
    assert kernel.run(cr.after_syscalls(1)) is cr.Ended.REACHED
    assert kernel.console.output == b"line 0\n\n"
    assert kernel.run(cr.after_syscalls(2)) is cr.Ended.REACHED
    assert kernel.console.output == b"line 0\n\nline 1\n\nline 2\n\n"
    assert kernel.run(cr.after_syscalls(9)) is cr.Ended.EXITED


def test_stops_after_time_also_when_everybody_sleeps() -> None:
    kernel, _ = start(tiny.SLEEP_1_S)
    assert kernel.run(cr.after_time(1_000_000)) is cr.Ended.REACHED
    assert kernel.clock.now_ns() == 1_000_000
    assert kernel.run(cr.after_time(500_000_000)) is cr.Ended.REACHED
    assert kernel.clock.now_ns() == 501_000_000
    assert kernel.run() is cr.Ended.EXITED
    assert kernel.clock.now_ns() // 1_000_000 == 1000


def test_most_time() -> None:
    kernel, _ = start(tiny.SPIN)
    assert kernel.run(max_time_ns=1_000) is cr.Ended.TIMED_OUT
    assert 1_000 <= kernel.clock.now_ns() < 1_100
    assert kernel.run(cr.after_time(100), max_time_ns=1_000) is cr.Ended.REACHED
    assert kernel.run(cr.after_time(1_000), max_time_ns=100) is cr.Ended.TIMED_OUT


def test_deadlock_says_who_waits_for_what() -> None:
    kernel, _ = start(tiny.PAUSE)
    with pytest.raises(cr.Deadlock, match=r"task 1 \(p\) waits in pause"):
        kernel.run()
    assert kernel.run(max_time_ns=50) is cr.Ended.TIMED_OUT


def test_interrupt() -> None:
    kernel, _ = start(tiny.SPIN)
    kernel.interrupt()
    assert kernel.run() is cr.Ended.INTERRUPTED
    assert kernel.run(cr.after_time(10)) is cr.Ended.REACHED


def test_input_is_asked_for_when_wanted_and_no_more_of_it() -> None:
    asked = []
    pieces = iter((b"abc", b"de", b""))

    def source(count: int) -> bytes:
        asked.append(count)
        return next(pieces)

    kernel, task = start(tiny.echo(5), source)
    before = kernel.clock.now_ns()
    assert kernel.run() is cr.Ended.EXITED
    assert (kernel.console.output, asked, task.exit_status) == (b"abcde", [5, 5, 5], 0)
    assert kernel.clock.now_ns() - before < 1_000


def test_nobody_is_asked_for_input_that_nobody_waits_for() -> None:
    asked: list[int] = []
    kernel, task = start(tiny.SLEEP_1_S, lambda count: asked.append(count) or b"")
    assert kernel.run() is cr.Ended.EXITED
    assert (asked, task.exit_status) == ([], 0)


def test_poll_takes_no_input() -> None:
    asked = []

    def source(count: int) -> bytes:
        asked.append(count)
        return b"xyz"[:count] if len(asked) < 4 else b""

    kernel, _ = start(tiny.poll_then(tiny.echo(2)), source)
    assert kernel.run(cr.after_syscalls(1)) is cr.Ended.REACHED
    assert asked == [0]
    kernel.run()
    assert (asked, kernel.console.output) == ([0, 2, 2, 2], b"xyxy")


def test_reboot_keeps_the_disk_and_nothing_else() -> None:
    kernel, _ = start(tiny.say(b"hello 2\n") + tiny.SPIN, lambda count: b"later")
    kernel.console.feed(b"typed")
    kernel.run(cr.after_syscalls(1))
    kernel.clock.units += 1_000
    ram = kernel.machine.ram
    fresh = kernel.reboot()
    assert fresh is not kernel and fresh.disk is kernel.disk and fresh.machine.ram is ram
    assert fresh.settings == kernel.settings
    assert (fresh.tasks, fresh.completed_calls, fresh.clock.units) == ({}, 0, 0)
    assert fresh.console.output == b"" and kernel.console.output == b"hello 2\n"
    assert fresh.console.read(9) == b"typed"
    fresh.spawn("/p", as_init=True)
    fresh.run(cr.after_syscalls(1))
    assert fresh.console.output == b"hello 2\n"


def test_settings_reach_the_kernel() -> None:
    kernel = cr.boot("ppc64", seed=7, epoch_ns=5, memory_bytes=1 << 20, accelerate=False)
    assert kernel.settings.arch == kernel.arch == "ppc64"
    assert kernel.clock.epoch_ns == 5 and kernel.ram.frame_count == 256
    assert not kernel.machine.accelerate
    other = cr.boot("ppc64", seed=8, memory_bytes=1 << 20)
    assert kernel.random.bytes(8) != other.random.bytes(8)
    assert other.clock.epoch_ns == DEFAULT_EPOCH_NS


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(ValueError, match="no arch is called 'vax'; there are x86_32, x86_64"):
        cr.boot("vax")
    for wrong in (0, -1):
        with pytest.raises(ValueError, match="no place"):
            cr.after_syscalls(wrong)
        with pytest.raises(ValueError, match="no time"):
            cr.after_time(wrong)
    kernel = cr.boot("x86_64", memory_bytes=1 << 20)
    with pytest.raises(ENOENT):
        kernel.spawn("/nope", as_init=True)
    assert kernel.tasks == {} and kernel.pid_ns.next_number == 1


def test_places_are_values() -> None:
    assert cr.after_syscalls(3) == cr.AfterSyscalls(3)
    assert cr.after_time(4) == cr.AfterTime(4)
