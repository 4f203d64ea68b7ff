"""The accelerator in Python: slower, and word for word the same results.

Used where no C compiler was found when the package was built. It keeps its state in the very
words that _accel.c uses, so everything above is the same code.
"""

from __future__ import annotations

import ctypes
from typing import Any

from emu import accel
from emu.accel import FIELDS
from emu.pagetable import DIRTY, EXEC, READ, WRITE

_P = ctypes.c_void_p
_U64 = ctypes.c_uint64
_U32 = ctypes.c_uint32
_INT = ctypes.c_int

_ACCESS_WRITE, _ACCESS_FETCH = 17, 18
_PROT_READ, _PROT_WRITE, _PROT_EXEC = 1, 2, 4


class _TlbEntry(ctypes.Structure):
    _fields_ = [("paddr", _U64), ("perms", _U32)]


class _Translated(ctypes.Structure):
    _fields_ = [("pc", _U64), ("icount", ctypes.c_uint16), ("size", ctypes.c_uint16)]


class Twin:
    """Offers the functions of _accel.so, as ctypes callbacks over the shared words."""

    def __init__(self, words: memoryview, library: Any) -> None:
        self._words = words
        self._signed = words.cast("B").cast("q")
        self._library = library
        self.accel_block = ctypes.CFUNCTYPE(None, _P, _U64, _U32, _P)(self._block)
        self.accel_interrupt = ctypes.CFUNCTYPE(None, _P, _U32, _P)(self._interrupt)
        self.accel_syscall = ctypes.CFUNCTYPE(None, _P, _P)(self._syscall)
        self.accel_port_in = ctypes.CFUNCTYPE(_U32, _P, _U32, _INT, _P)(self._port_in)
        self.accel_port_out = ctypes.CFUNCTYPE(None, _P, _U32, _INT, _U32, _P)(self._port_out)
        self.accel_no_such = ctypes.CFUNCTYPE(None, _P, _P)(self._no_such)
        self.accel_illegal = ctypes.CFUNCTYPE(_INT, _P, _P)(self._illegal)
        self.accel_fill = ctypes.CFUNCTYPE(_INT, _P, _U64, _INT, ctypes.POINTER(_TlbEntry), _P)(
            self._fill
        )
        self.accel_rdtsc = ctypes.CFUNCTYPE(_INT, _P, _P)(self._rdtsc)
        self.accel_rdtscp = ctypes.CFUNCTYPE(_INT, _P, _P)(self._rdtscp)
        self.accel_translated = ctypes.CFUNCTYPE(None, _P, ctypes.POINTER(_Translated), _P, _P)(
            self._translated
        )
        self._nodes: memoryview | None = None

    def accel_prepare(self, address: int) -> None:
        """Lay out the register batch: numbers and places."""
        words = self._words
        count = words[FIELDS["reg_count"]]
        first = FIELDS["reg_ids"]
        self._ids = (_INT * count)(*words[first : first + count])
        regs = address + 8 * FIELDS["regs"]
        self._places = (_P * count)(*(regs + 8 * k for k in range(count)))
        self._count = count
        self._uc = _P(words[FIELDS["uc"]])

    def accel_run(self, address: int) -> None:
        """Run from regs[0] until something stops."""
        words, signed = self._words, self._signed
        words[FIELDS["stop"]] = accel.STOP_NONE
        signed[FIELDS["left"]] = signed[FIELDS["limit"]] - signed[FIELDS["spent"]]
        words[FIELDS["held"]] = 0
        self._library.uc_reg_write_batch(self._uc, self._ids, self._places, self._count)
        words[FIELDS["error"]] = self._library.uc_emu_start(
            self._uc,
            _U64(words[FIELDS["regs"]]),
            _U64(words[FIELDS["until"]]),
            _U64(0),
            ctypes.c_size_t(0),
        )
        self._library.uc_reg_read_batch(self._uc, self._ids, self._places, self._count)
        signed[FIELDS["spent"]] = self._executed()
        if words[FIELDS["stop"]] == accel.STOP_FAULT:
            words[FIELDS["fault_addr"]] = _U64.from_address(words[FIELDS["invalid_addr"]]).value

    def _executed(self) -> int:
        signed = self._signed
        return signed[FIELDS["limit"]] - signed[FIELDS["left"]] - signed[FIELDS["held"]]

    def _stop(self, reason: int) -> None:
        self._words[FIELDS["stop"]] = reason
        self._library.uc_emu_stop(self._uc)

    def _block(self, uc: int, address: int, size: int, _: int) -> None:
        words, signed = self._words, self._signed
        left = FIELDS["left"]
        if words[FIELDS["held"]]:
            self._grow_tlb()
        if signed[left] <= 0 and address != words[FIELDS["block_end"]]:
            self._stop(accel.STOP_BUDGET)
            return
        signed[left] -= size
        words[FIELDS["block_start"]] = address
        words[FIELDS["block_end"]] = address + size

    def _grow_tlb(self) -> None:
        words, signed = self._words, self._signed
        signed[FIELDS["left"]] += signed[FIELDS["held"]]
        words[FIELDS["held"]] = 0
        words[FIELDS["fills"]] = 0
        self._library.uc_ctl(self._uc, accel.CTL_TLB_FLUSH)
        if words[FIELDS["fills_limit"]] < accel.MOST_FILLS:
            words[FIELDS["fills_limit"]] *= 2

    def _interrupt(self, uc: int, number: int, _: int) -> None:
        if self._words[FIELDS["stop"]] == accel.STOP_NONE:
            self._words[FIELDS["number"]] = number
            is_call = number == self._words[FIELDS["syscall_number"]]
            self._words[FIELDS["stop"]] = accel.STOP_SYSCALL if is_call else accel.STOP_INTERRUPT
        self._library.uc_emu_stop(self._uc)

    def _syscall(self, uc: int, _: int) -> None:
        if self._words[FIELDS["stop"]] == accel.STOP_NONE:
            self._words[FIELDS["stop"]] = accel.STOP_SYSCALL
        self._library.uc_emu_stop(self._uc)

    def _refuse(self, stop: int) -> None:
        words = self._words
        if words[FIELDS["stop"]] == accel.STOP_NONE:
            words[FIELDS["stop"]] = stop
            words[FIELDS["fault_addr"]] = self._read(words[FIELDS["pc_id"]])
        self._library.uc_emu_stop(self._uc)

    def _port_in(self, uc: int, port: int, size: int, _: int) -> int:
        self._refuse(accel.STOP_PORT)
        return 0

    def _port_out(self, uc: int, port: int, size: int, value: int, _: int) -> None:
        self._refuse(accel.STOP_PORT)

    def _no_such(self, uc: int, _: int) -> None:
        self._refuse(accel.STOP_NO_SUCH)

    def _illegal(self, uc: int, _: int) -> int:
        if self._words[FIELDS["stop"]] == accel.STOP_NONE:
            self._words[FIELDS["stop"]] = accel.STOP_ILLEGAL
        return 0

    def _fill(self, uc: int, address: int, access: int, entry: Any, _: int) -> int:
        words = self._words
        words[FIELDS["fills"]] += 1
        self._look_at_fills()
        page = address >> 12
        if words[FIELDS["window_frame"]] and page == words[FIELDS["window_page"]]:
            entry[0].paddr = words[FIELDS["window_frame"]] << 12
            entry[0].perms = _PROT_READ | _PROT_WRITE | _PROT_EXEC
            return 1
        table = words[FIELDS["table_frame"]]
        if table and page == words[FIELDS["table_page"]] and access not in (17, 18):
            entry[0].paddr = table << 12
            entry[0].perms = _PROT_READ
            return 1
        index = self._leaf(page)
        word = self.nodes[index] if index else 0
        wanted = WRITE if access == _ACCESS_WRITE else EXEC if access == _ACCESS_FETCH else READ
        if not word & wanted:
            if words[FIELDS["stop"]] == accel.STOP_NONE:
                words[FIELDS["stop"]] = accel.STOP_FAULT
                words[FIELDS["fault_access"]] = access
            return 0
        if wanted == WRITE and not word & DIRTY:
            word |= DIRTY
            self.nodes[index] = word
        entry[0].paddr = word >> 12 << 12
        perms = (_PROT_READ if word & READ else 0) | (_PROT_EXEC if word & EXEC else 0)
        if word & WRITE and word & DIRTY:
            perms |= _PROT_WRITE
        entry[0].perms = perms
        return 1

    def _look_at_fills(self) -> None:
        words, signed = self._words, self._signed
        many = words[FIELDS["fills"]] > words[FIELDS["fills_limit"]]
        if many and signed[FIELDS["left"]] > 0 and not words[FIELDS["held"]]:
            words[FIELDS["held"]] = words[FIELDS["left"]]
            words[FIELDS["left"]] = 0

    def _translated(self, uc: int, block: Any, last: int, _: int) -> None:
        words = self._words
        pc, size = block[0].pc, block[0].size
        page = pc >> 12
        if words[FIELDS["window_frame"]] and page == words[FIELDS["window_page"]]:
            return
        index = self._leaf(page)
        if not index:
            return
        start = words[FIELDS["ram"]] + (self.nodes[index] >> 12 << 12) + (pc & 4095)
        code = ctypes.string_at(start, size)
        mask, wanted = words[FIELDS["forbid_mask"]], words[FIELDS["forbid_word"]]
        mask_2, wanted_2 = words[FIELDS["forbid_mask_2"]], words[FIELDS["forbid_word_2"]]
        for at in range(0, size - 3, 4):
            word = int.from_bytes(code[at : at + 4], "big")
            if word & mask == wanted or word & mask_2 == wanted_2:
                words[FIELDS["forbid_addr"]] = pc + at
                self._stop(accel.STOP_FORBIDDEN)
                return

    @property
    def nodes(self) -> memoryview:
        """The page-table arena, found through its address as the C code does."""
        if self._nodes is None:
            address = self._words[FIELDS["nodes"]]
            size = 1 << 40  # the walk itself never leaves the arena
            self._nodes = (
                memoryview((ctypes.c_uint64 * (size >> 3)).from_address(address))
                .cast("B")
                .cast("Q")
            )
        return self._nodes

    def _leaf(self, page: int) -> int:
        if page >> 36:
            return 0
        nodes = self.nodes
        node = self._words[FIELDS["root"]]
        for shift in (27, 18, 9):
            word = nodes[node << 9 | page >> shift & 511]
            if not word:
                return 0
            node = word >> 12
        return node << 9 | page & 511

    def _read(self, number: int) -> int:
        value = _U64(0)
        ids = (_INT * 1)(number)
        places = (_P * 1)(ctypes.addressof(value))
        self._library.uc_reg_read_batch(self._uc, ids, places, 1)
        return value.value

    def _write(self, field: str, value: int) -> None:
        self._library.uc_reg_write(
            self._uc, _INT(self._words[FIELDS[field]]), ctypes.byref(_U64(value))
        )

    def _rdtsc(self, uc: int, _: int) -> int:
        words = self._words
        pc = self._read(words[FIELDS["pc_id"]])
        executed = self._executed() - (words[FIELDS["block_end"]] - pc)
        stamp = (words[FIELDS["tsc_base"]] + executed) // words[FIELDS["tsc_divisor"]]
        self._write("ax_id", stamp & 0xFFFFFFFF)
        self._write("dx_id", stamp >> 32 & 0xFFFFFFFF)
        return 1

    def _rdtscp(self, uc: int, _: int) -> int:
        self._rdtsc(uc, 0)
        self._write("cx_id", 0)
        return 1
