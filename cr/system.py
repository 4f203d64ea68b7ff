"""Booting: a kernel with checkpoint and restart plugged in.

The kernel model knows nothing of C/R; it takes its system calls from the modules named here.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType

from emu.machine import Machine
from kernel_model.arch import ppc32, ppc64, x86_32, x86_64
from kernel_model.arch.abi import Abi
from kernel_model.console import Console
from kernel_model.kernel import Kernel
from kernel_model.syscalls import (
    attributes,
    descriptors,
    getdents,
    identity,
    limits,
    memory,
    multiplexed,
    names,
    open,
    poll,
    process,
    readwrite,
    signal,
    stat,
    thread_area,
    time,
    truncate,
    xattr,
)
from kernel_model.vfs.disk import Disk

MODULES: tuple[ModuleType, ...] = (
    attributes,
    descriptors,
    getdents,
    identity,
    limits,
    memory,
    multiplexed,
    names,
    open,
    poll,
    process,
    readwrite,
    signal,
    stat,
    thread_area,
    time,
    truncate,
    xattr,
)

ARCHES: dict[str, tuple[Abi, ...]] = {
    "x86_32": (x86_32.ABI,),
    "x86_64": (x86_64.ABI, x86_32.COMPAT),
    "ppc32": (ppc32.ABI,),
    "ppc64": (ppc64.ABI, ppc32.COMPAT),
}
"""The ABIs that a kernel of each arch runs, the native one first."""

DEFAULT_EPOCH_NS = 1_300_000_000 * 1_000_000_000
"""2011-03-13: when linux-cr was last posted."""
DEFAULT_MEMORY_BYTES = 512 << 20


@dataclass(frozen=True)
class Settings:
    """What a boot depends on, besides the disk."""

    arch: str
    memory_bytes: int = DEFAULT_MEMORY_BYTES
    epoch_ns: int = DEFAULT_EPOCH_NS
    seed: int = 0
    accelerate: bool = True


def boot_machine(settings: Settings, disk: Disk, console: Console, machine: Machine) -> Kernel:
    """A kernel on a machine that is at hand."""
    return Kernel(
        arch=settings.arch,
        abis=ARCHES[settings.arch],
        modules=MODULES,
        machine=machine,
        disk=disk,
        console=console,
        epoch_ns=settings.epoch_ns,
        seed=settings.seed,
    )
