"""A task of any ABI with a stack, a [vdso] page and registers full of noise, and no program."""

from __future__ import annotations

from functools import cache
from random import Random

from cr.system import ARCHES, Settings, boot_machine
from emu.arch import x86_fpu
from emu.arch.modes import MODES
from emu.arch.spec import Registers
from emu.machine import Machine
from kernel_model.arch.abi import Abi
from kernel_model.arch.x86_signal_fpu import canonical
from kernel_model.boot import bare_task
from kernel_model.console import Console
from kernel_model.exec import MAY_ALL, VDSO_ADDR, map_vdso_at
from kernel_model.kernel import Kernel
from kernel_model.mm.address_space import AddressSpace
from kernel_model.mm.vma import VM_READ, VM_WRITE, Vma
from kernel_model.task import Task
from kernel_model.vfs.disk import Disk

STACK, STACK_BYTES = 0x40000000, 0x40000
OTHER, OTHER_BYTES = 0x50000000, 0x10000
"""A second range, for alternate stacks and function descriptors."""

ABIS: dict[str, tuple[str, Abi]] = {
    abi.mode if abi is not ARCHES[arch][0] or arch == "x86_32" else abi.name: (arch, abi)
    for arch in ARCHES
    for abi in ARCHES[arch]
} | {"ppc32": ("ppc32", ARCHES["ppc32"][0]), "ppc32 compat": ("ppc64", ARCHES["ppc64"][1])}


@cache
def _kernel(arch: str) -> Kernel:
    settings = Settings(arch, memory_bytes=16 << 20)
    return boot_machine(settings, Disk.empty(), Console(), Machine(settings.memory_bytes))


def make_task(name: str, seed: int = 1, *, vdso: bool = True) -> Task:
    """A task of the ABI `name`, with noise in all its registers and units."""
    arch, abi = ABIS[name]
    kernel = _kernel(arch)
    task = bare_task(kernel, 7)
    task.abi = abi
    task.regs = Registers(MODES[abi.mode])
    task.mm = mm = AddressSpace(kernel.machine.tables, abi.task_size, abi.task_size)
    for start, length in ((STACK, STACK_BYTES), (OTHER, OTHER_BYTES)):
        mm.insert(Vma(start, start + length, VM_READ | VM_WRITE | MAY_ALL))
    if vdso and abi.vdso:
        map_vdso_at(kernel, mm, abi, VDSO_ADDR)
    task.known_elf_flags = 2
    make_noise(task, seed)
    task.regs.words[abi.sp] = STACK + STACK_BYTES - 0x1238
    return task


def make_noise(task: Task, seed: int) -> None:
    """Random values that the CPU can hold in every register and unit."""
    random, regs = Random(seed), task.regs
    for position in range(len(regs.words)):
        regs.words[position] = random.getrandbits(8 * task.abi.word_bytes)
    regs.words[task.abi.pc] = 0x10000 + 4 * random.randrange(1000)
    if regs.spec.uc_arch == "UC_ARCH_X86":
        wide = task.abi.word_bytes == 8
        flags = 0x202 | random.getrandbits(12) & 0x8D5
        regs["rflags" if wide else "eflags"] = flags
        initial = regs.spec.initial_units[x86_fpu.UNIT]
        state = canonical(random.randbytes(512), initial, 16 if wide else 8)
        regs.units = {x86_fpu.UNIT: state}
    else:
        regs["cr"] = random.getrandbits(32)
        regs["xer"] = random.getrandbits(32) & 0xE000007F
        regs.units = {unit: _noise(random, unit) for unit in regs.spec.fresh_units}


def _noise(random: Random, unit: str) -> bytes:
    if unit == "fp":
        return random.randbytes(256) + bytes(4) + random.randbytes(4)
    if unit == "vsx":
        return random.randbytes(256)
    return (
        random.randbytes(512)
        + bytes(12)
        + bytes.fromhex("00010001")
        + random.randbytes(4)
        + bytes(4)
    )


def state_of(task: Task) -> dict[str, object]:
    """All that a handler must not change."""
    regs = task.regs
    names = (*regs.spec.fast, *regs.spec.system)
    return {**{name: regs[name] for name in names}, **regs.units, "blocked": task.blocked}
