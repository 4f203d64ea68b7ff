"""Which program is meant, and for which arch it is: from the disk, before there is a kernel.

PROGRAM is a path in the guest's root, or else a file of the host's, which then is put into the
guest's /bin. Its ELF header decides which kernel is booted.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from cr.cli.failure import Failure
from cr.system import ARCHES
from emu.elf import ElfImage, NotAnElf, parse
from kernel_model.abi.fcntl import NAME_MAX
from kernel_model.vfs.disk import Disk, DiskNode

_MOST_LINKS = 40
_MOST_SCRIPTS = 5


def find_program(disk: Disk, program: str) -> bytes:
    """The path in the guest of what the user calls `program`."""
    path = os.fsencode(program)
    node = find(disk, path)
    if node is not None and stat.S_ISREG(node.mode):
        return path
    return install(disk, Path(program))


def install(disk: Disk, program: Path) -> bytes:
    """Put a program of the host into /bin of the disk; its path there."""
    try:
        if not stat.S_ISREG(os.stat(program).st_mode):
            raise Failure(f"{program} is no regular file, so no program")
        content = program.read_bytes()
    except OSError as error:
        where = "neither in the guest nor here" if isinstance(error, FileNotFoundError) else ""
        raise Failure(f"{program}: {where or error.strerror}") from None
    except ValueError as error:
        raise Failure(f"{str(program)!r} cannot be a file name: {error}") from None
    name = os.fsencode(program.name)
    if not 0 < len(name) <= NAME_MAX:
        raise Failure(f"{program} cannot be a file name")
    folder = _bin_folder(disk)
    if folder.entries().get(name) is not None and stat.S_ISDIR(folder.entries()[name].mode):
        raise Failure(f"the guest has a directory /bin/{program.name}")
    node = disk.new_node(stat.S_IFREG | 0o755)
    node.store(0, content)
    disk.used_bytes += len(content)
    folder.entries()[name] = node
    return b"/bin/" + name


def _bin_folder(disk: Disk) -> DiskNode:
    folder = find(disk, b"/bin")
    if folder is None:
        folder = disk.new_node(stat.S_IFDIR | 0o755)
        disk.root.entries()[b"bin"] = folder
        disk.root.nlink += 1
    if not stat.S_ISDIR(folder.mode):
        raise Failure("/bin of the guest is no directory")
    return folder


def find(disk: Disk, path: bytes) -> DiskNode | None:
    """The file at a path of the disk, which symbolic links may lead to."""
    trail = [disk.root]
    todo = [name for name in reversed(path.split(b"/")) if name not in (b"", b".")]
    links = 0
    while todo:
        name = todo.pop()
        if name == b"..":
            trail = trail[:-1] or trail
            continue
        here = trail[-1]
        node = here.entries().get(name) if stat.S_ISDIR(here.mode) else None
        if node is None:
            return None
        if stat.S_ISLNK(node.mode):
            links += 1
            if links > _MOST_LINKS:
                return None
            if node.target.startswith(b"/"):
                trail = [disk.root]
            todo += [name for name in reversed(node.target.split(b"/")) if name not in (b"", b".")]
        else:
            trail.append(node)
    return trail[-1]


def arch_of(disk: Disk, path: bytes, wanted: str | None = None) -> str:
    """The arch of the kernel that runs the program at `path`, which may be a script.

    `wanted` is the kernel that the user asks for, which must be able to.
    """
    shown = os.fsdecode(path)
    for _ in range(_MOST_SCRIPTS):
        node = find(disk, path)
        if node is None or not stat.S_ISREG(node.mode):
            raise Failure(f"{shown} needs {os.fsdecode(path)}, which the guest does not have")
        if node.read(0, 2) != b"#!":
            return _arch_of_elf(disk, node, shown, wanted)
        path = node.read(2, 254).split(b"\n")[0].strip(b" \t\0").split(b" ")[0]
    raise Failure(f"{shown}: too many scripts call one another")


def _arch_of_elf(disk: Disk, node: DiskNode, shown: str, wanted: str | None) -> str:
    try:
        elf = parse(node.read(0, node.size))
    except NotAnElf as problem:
        raise Failure(f"{shown}: {problem}") from None
    able = _arches_that_run(elf)
    if not able:
        order = "little" if elf.order == "<" else "big"
        raise Failure(
            f"{shown} is for {elf.machine}, {elf.elf_class} bits, {order}-endian; "
            f"we run {', '.join(ARCHES)}"
        )
    if wanted is not None and wanted not in able:
        raise Failure(f"{shown} runs on a kernel for {' or '.join(able)}, not on {wanted}")
    if elf.interpreter is not None and find(disk, elf.interpreter) is None:
        needed = elf.interpreter.decode(errors="backslashreplace")
        raise Failure(f"{shown} is linked dynamically and its interpreter {needed} is missing")
    return wanted or able[0]


def _arches_that_run(elf: ElfImage) -> list[str]:
    """The kernels that can, the one whose own programs these are first."""
    places: list[tuple[int, str]] = []
    for arch, abis in ARCHES.items():
        for place, abi in enumerate(abis):
            same_machine = elf.machine in abi.elf_machines and elf.elf_class == abi.elf_class
            if same_machine and elf.order == abi.order:
                places.append((place, arch))
    return [arch for _, arch in sorted(places)]
