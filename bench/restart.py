"""Checkpoint, reboot, restart: of a small task, and of a large one between touched buffers."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import cr
from bench.measure import Row
from cr.checkpoint import checkpoint_into
from cr.system import System
from kernel_model.mm.vma import VM_MAYREAD, VM_MAYWRITE, VM_READ, VM_WRITE, Vma
from tests.harness.tiny_elf import SPIN, elf

PAGE_BYTES = 4096
SMALL_BYTES = 1 << 20
LARGE_BYTES = 256 << 20
CYCLES = 25
LARGE_CYCLES = 7
REACH_MS = 15.0
REACH_GB_S = 1.5


def _task_with(size_bytes: int, memory_bytes: int) -> System:
    """A kernel with one task that has so many bytes of its own, none of them zero."""
    disk = cr.Disk.empty()
    node = disk.new_node(0o100755)
    node.store(0, elf(SPIN))
    disk.root.entries()[b"spin"] = node
    kernel = cr.boot("x86_64", disk, memory_bytes=memory_bytes)
    task = kernel.spawn("/spin", as_init=True)
    mm = task.mm
    assert mm is not None
    count = size_bytes // PAGE_BYTES
    start = mm.find_gap(size_bytes)
    flags = VM_READ | VM_WRITE | VM_MAYREAD | VM_MAYWRITE
    vma = mm.insert(Vma(start, start + size_bytes, flags))
    first = start // PAGE_BYTES
    content = memoryview(b"\x07" * size_bytes)
    mm.place_pages(vma, list(range(first, first + count)), content)
    return kernel


def _seconds(body: Callable[[], object]) -> float:
    start = time.perf_counter()
    body()
    return time.perf_counter() - start


def _small() -> Row:
    kernel = _task_with(SMALL_BYTES, 64 << 20)
    samples = []
    for _ in range(CYCLES):
        start = time.perf_counter()
        image = kernel.checkpoint()
        kernel = kernel.reboot()
        kernel.restart(image)
        samples.append(1000 * (time.perf_counter() - start))
    median = statistics.median(samples)
    return Row(
        "checkpoint + reboot + restart of a 1 MB task",
        f"{median:.1f} ms",
        f"at most {REACH_MS:.0f} ms",
        median <= REACH_MS,
    )


def _large() -> list[Row]:
    kernel = _task_with(LARGE_BYTES, 2 * LARGE_BYTES + (64 << 20))
    buffer = bytearray(LARGE_BYTES + (16 << 20))
    out, back, fresh = [], [], []
    for _ in range(LARGE_CYCLES):
        fresh.append(_seconds(kernel.checkpoint))
        start = time.perf_counter()
        length = checkpoint_into(kernel, buffer)
        out.append(time.perf_counter() - start)
        kernel = kernel.reboot()
        image = memoryview(buffer)[:length]
        back.append(_seconds(lambda kernel=kernel, image=image: kernel.restart(image)))
    rows = []
    for what, samples in (("checkpoint", out), ("restart", back)):
        speed = LARGE_BYTES / statistics.median(samples[1:]) / 1e9
        rows.append(
            Row(
                f"{what} of 256 MB, between touched buffers",
                f"{speed:.1f} GB/s",
                f"at least {REACH_GB_S} GB/s",
                speed >= REACH_GB_S,
            )
        )
    speed = LARGE_BYTES / statistics.median(fresh) / 1e9
    rows.append(Row("checkpoint of 256 MB into fresh memory", f"{speed:.1f} GB/s"))
    return rows


def rows() -> list[Row]:
    """What this file measures."""
    return [_small(), *_large()]
