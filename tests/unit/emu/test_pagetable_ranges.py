"""Ranges of a page table at once: sharing them with a child, giving them up."""

from __future__ import annotations

from emu.memory import Ram
from emu.pagetable import DIRTY, READ, RESIDENT, WRITE, PageTable, PageTables

FLAGS = RESIDENT | READ | WRITE | DIRTY
FIRST, LAST = 500, 1100
PAGES = (505, 511, 512, 700, 1023, 1024, 1099)
OUTSIDE = (499, 1100, 1 << 30)


def _table() -> tuple[Ram, PageTable]:
    ram = Ram(1 << 20)
    table = PageTable(PageTables(ram))
    for page_no in PAGES + OUTSIDE:
        table.set(page_no, ram.alloc(), FLAGS)
    table.arena.stale = False
    return ram, table


def test_share_all() -> None:
    ram, table = _table()
    child = PageTable(table.arena)
    table.share_all(child, FIRST, LAST, WRITE)
    assert [page_no for page_no, _ in child.entries(0, 1 << 31)] == list(PAGES)
    for page_no in PAGES:
        entry = table.get(page_no)
        assert entry == child.get(page_no)
        assert entry & 0xFFF == FLAGS & ~WRITE
        assert ram.users[entry >> 12] == 2
    for page_no in OUTSIDE:
        assert table.get(page_no) & 0xFFF == FLAGS
        assert ram.users[table.get(page_no) >> 12] == 1
    assert table.arena.stale


def test_share_all_without_a_loss_flushes_nothing() -> None:
    _, table = _table()
    child = PageTable(table.arena)
    table.share_all(child, FIRST, LAST, 0)
    assert child.get(700) & 0xFFF == FLAGS
    assert not table.arena.stale


def test_take_all_and_drop_all() -> None:
    ram, table = _table()
    expected = [table.get(page_no) for page_no in PAGES]
    free = ram.free_frames
    taken = table.take_all(FIRST, LAST)
    assert taken == expected and table.arena.stale
    assert [page_no for page_no, _ in table.entries(0, 1 << 31)] == sorted(OUTSIDE)
    ram.drop_all(taken)
    assert ram.free_frames == free + len(PAGES)


def test_drop_all_tells_of_code() -> None:
    ram, table = _table()
    ram.code[table.get(512) >> 12] = 1
    ram.drop_all(table.take_all(FIRST, LAST))
    assert ram.stale_code
