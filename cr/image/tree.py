"""The tree: which tasks there are, and by what numbers they know each other.

Image grammar:

    pids  =  PIDS  BUFFER { PidNumbers }             ; nr_pids entries of 8 + 4 * depth bytes
    tree  =  TREE  BUFFER { TaskPids }               ; nr_tasks entries, depth first from the root

Every pid, thread group, process group and session number is a pid object. Object numbers of pids
are consecutive and begin at Pids.offset; TaskPids holds those object numbers, for the parent too:
user-cr's restart looks parents up by them.

Mirrors:  linux-cr checkpoint_hdr.h of January 2011: ckpt_hdr_pids, ckpt_pids, ckpt_hdr_tree,
          ckpt_task_pids.
"""

from collections.abc import Iterator
from typing import Annotated

from cr.image.types import HDR_PIDS, HDR_TREE, PID_NULL, PID_ROOT, Framed
from emu.layout import Bytes, LayoutError, Order, Record, at, record, rest, s32, u32

# Linux nests pid namespaces at most this deep.
MAX_PID_DEPTH = 32


@record(size=24)
class Pids(Framed):
    """How many pid objects the BUFFER behind this record holds."""

    TYPE = HDR_PIDS

    nr_pids: u32 = at("number of pid objects")
    nr_vpids: u32 = at("numbers that they have in deeper pid namespaces, all together")
    offset: u32 = at("object number of the first pid object")
    pad: u32 = at("zero", default=0, must_be=0)


@record(size=4)
class PidNumbers(Record):
    """One pid object: its number in the root's pid namespace and in `depth` deeper ones."""

    depth: u32 = at("how many namespaces below the root's this pid is known in")
    numbers: Annotated[tuple[int, ...], rest(s32)] = at("depth + 1 numbers, outermost first")

    def invalid(self) -> str | None:
        if self.depth > MAX_PID_DEPTH:
            return f"depth {self.depth} is more than {MAX_PID_DEPTH}"
        if len(self.numbers) != self.depth + 1:
            return f"depth {self.depth} needs {self.depth + 1} numbers, not {len(self.numbers)}"
        return None


@record(size=16)
class Tree(Framed):
    """How many tasks the BUFFER behind this record holds, and the image after it."""

    TYPE = HDR_TREE

    nr_tasks: u32 = at("number of tasks, dead ones included")
    pad: u32 = at("zero", default=0, must_be=0)

    def invalid(self) -> str | None:
        return None if self.nr_tasks else "a tree has at least one task"


@record(size=24)
class TaskPids(Record):
    """The identity of one task."""

    vpid: s32 = at("object number of its pid")
    vppid: s32 = at("object number of its parent's pid; 0 when the parent is outside")
    vtgid: s32 = at("object number of its thread group's pid")
    vpgid: s32 = at("object number of its process group's pid; 0: outside; or PID_NULL, PID_ROOT")
    vsid: s32 = at("object number of its session's pid; 0: outside; or PID_NULL, PID_ROOT")
    depth: u32 = at("how deep its pid namespace lies below the root's")

    def invalid(self) -> str | None:
        if self.depth > MAX_PID_DEPTH:
            return f"depth {self.depth} is more than {MAX_PID_DEPTH}"
        if self.vpid <= 0 or self.vtgid <= 0:
            return "vpid and vtgid are object numbers and positive"
        for name in ("vpgid", "vsid"):
            number = getattr(self, name)
            if number < 0 and number not in (PID_NULL, PID_ROOT):
                return f"{name} {number} is neither an object nor PID_NULL or PID_ROOT"
        return "vppid is an object number and not negative" if self.vppid < 0 else None


def unpack_pid_numbers(data: Bytes, count: int, order: Order) -> Iterator[PidNumbers]:
    """Take `count` entries of varying length out of the BUFFER behind PIDS."""
    view = memoryview(data)
    for index in range(count):
        if len(view) < 4:
            raise LayoutError(f"PidNumbers: {count} entries are announced, {index} are here")
        depth = int.from_bytes(view[:4], "little" if order == "<" else "big")
        size = 8 + 4 * min(depth, MAX_PID_DEPTH)
        yield PidNumbers.unpack(view[:size], order)
        view = view[size:]
    if len(view):
        raise LayoutError(f"PidNumbers: {len(view)} bytes follow the last of {count} entries")
