"""Every record is as long as it was, and its fields lie where they lay."""

from __future__ import annotations

import importlib
import pkgutil

import pytest

import cr.image.dialects
from cr.image.dialects import cr_records
from cr.image.dialects.arch import powerpc_2009, powerpc_units, x86_2008, x86_2008_one
from emu.layout import Record, describe

GENERIC = """
Head 224  Tail 8  Tree 8  Pids 16  Task 24  Mm 96  Vma 48  PageArray 8  Files 8  FdEnt 16  FdData 24
"""
OFFSETS = """
Head.rev 14  Head.time 16  Head.flags 24  Head.release 32  Head.version 96  Head.machine 160
Pids.vppid 8  Task.task_comm_len 16  Mm.start_code 8  Mm.env_end 88  Vma.vm_start 8  Vma.vm_pgoff 40
FdEnt.close_on_exec 8  FdData.f_flags 4  FdData.f_pos 8  FdData.f_version 16
"""


def pairs(table: str) -> list[tuple[str, int]]:
    words = table.split()
    return [(name, int(size)) for name, size in zip(words[::2], words[1::2])]


def offset(cls: type[Record], name: str) -> int:
    return {row[1]: row[0] for row in describe(cls)}[name]


@pytest.mark.parametrize(("name", "size"), pairs(GENERIC))
def test_size_of_2008(name: str, size: int) -> None:
    assert getattr(cr_records, name).SIZE == size


@pytest.mark.parametrize(("field", "place"), pairs(OFFSETS))
def test_offset_of_2008(field: str, place: int) -> None:
    record, name = field.split(".")
    assert offset(getattr(cr_records, record), name) == place


def test_x86_of_2008() -> None:
    sizes = {cls.__name__: cls.SIZE for cls in x86_2008.RECORDS}
    assert sizes == {"HeadArch": 8, "Thread": 8, "Cpu": 272, "MmContext": 8}
    assert offset(x86_2008.Cpu, "uses_debug") == 264
    assert offset(x86_2008.Cpu, "used_math") == 268
    assert offset(x86_2008.Cpu, "ip") == 16 * 8
    assert offset(x86_2008.Cpu, "gs") == 24 * 8
    one = x86_2008_one.CpuWithFpu
    places = [offset(one, name) for name in ("uses_debug", "used_math", "has_fxsr", "xstate")]
    assert places == [264, 266, 268, 272]


@pytest.mark.parametrize("cls", powerpc_2009.SECOND_RECORDS[1:])
def test_alignment_of_powerpc(cls: type[Record]) -> None:
    assert offset(cls, "pt_regs_size") == 4 and offset(cls, "fpr_size") == 8
    tail = offset(cls, "tail")
    assert offset(cls, "fpr") % 8 == 0
    for name in ("dabr", "vrsave", "acc"):
        assert (tail + offset(powerpc_units.UnitsTail, name)) % 8 == 0
    for name in ("vr", "vscr"):
        assert (tail + offset(powerpc_units.UnitsTail, name)) % 16 == 0
    assert cls.SIZE % 16 == 0


def test_a_record_belongs_to_a_dialect() -> None:
    from cr.image.dialects.table import DIALECTS

    declared = {cls for dialect in DIALECTS for cls in dialect.records}
    for module in pkgutil.walk_packages(cr.image.dialects.__path__, "cr.image.dialects."):
        for value in vars(importlib.import_module(module.name)).values():
            if isinstance(value, type) and issubclass(value, Record) and value is not Record:
                if value.__module__ == module.name and not value.__name__ == "Registers":
                    assert value in declared, value
