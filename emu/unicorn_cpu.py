"""One CPU: a Unicorn engine with the model's own page tables. The only file that imports Unicorn.

The engine runs in virtual-TLB mode: it asks the fill hook (the page-table walk) for every page it
has no translation of, and a refused fill ends the run exactly at the instruction. Hooks note what
happened and stop; nothing else is done inside one.

How executed code is counted. The block hook adds a block's bytes when it begins. A fault in the
middle gives back what did not run, and the block that resumes is charged for the rest: the sum is
the same with pages present or absent. A budget ends at the first taken branch after it is spent,
never where one block merely falls through to the next: that place depends on the translator.

What was measured about Unicorn 2.1.4 and is relied on here has a test each in tests/unit/emu.
"""

from __future__ import annotations

import ctypes
import sys
from array import array
from typing import Any

import unicorn
import unicorn.ppc_const
import unicorn.unicorn_const as const
import unicorn.unicorn_py3.unicorn as binding
import unicorn.x86_const

from emu import accel
from emu.accel import FIELDS
from emu.accel.twin import Twin
from emu.arch.batch import Batch
from emu.arch.ppc import program_cause
from emu.arch.spec import UNITS_PER_NS, CpuSpec, Registers
from emu.detours import goes_on, instruction_word
from emu.memory import PAGE_SHIFT, PAGE_SIZE
from emu.pagetable import PageTable, PageTables
from emu.stops import BUDGET, SYSCALL, MemoryFault, Stop, Trapped

_CONSTS = {"x86_const": unicorn.x86_const, "ppc_const": unicorn.ppc_const}
_ENGINE: Any = unicorn  # its type hints are incomplete
_CTL_WRITE = 1 << 30
_TLB_FLUSH = const.UC_CTL_TLB_FLUSH | _CTL_WRITE
_TB_REMOVE = const.UC_CTL_TB_REMOVE_CACHE | _CTL_WRITE
_TB_FLUSH = const.UC_CTL_TB_FLUSH | _CTL_WRITE
_FIRST_FILLS = 1024
"""After so many fills the accelerator flushes the TLB, which is the engine's only way to enlarge
it; then after twice as many, and so on."""

_STOP = FIELDS["stop"]
_NUMBER = FIELDS["number"]
_TSC_BASE = FIELDS["tsc_base"]
_SPENT = FIELDS["spent"]
_LIMIT = FIELDS["limit"]
_LEFT = FIELDS["left"]
_UNTIL = FIELDS["until"]
_BLOCK_START = FIELDS["block_start"]
_BLOCK_END = FIELDS["block_end"]
_FILLS = FIELDS["fills"]
_FILLS_LIMIT = FIELDS["fills_limit"]
_ROOT = FIELDS["root"]
_FAULT_ADDR = FIELDS["fault_addr"]
_FAULT_ACCESS = FIELDS["fault_access"]
_ERROR = FIELDS["error"]
_REGS = FIELDS["regs"]

_FETCH = 18
_ACCESS = {16: "read", 17: "write", _FETCH: "fetch"}
HOOK_TYPES = {
    "block": const.UC_HOOK_BLOCK,
    "interrupt": const.UC_HOOK_INTR,
    "illegal": const.UC_HOOK_INSN_INVALID,
    "fill": const.UC_HOOK_TLB_FILL,
}
_STRUCT_WORDS = 1024
_NO_ROOT = 1 << 63
_PROBES = 0x2468ACE4, 0x13579BD8


class UnicornCpu:
    """A CPU of one execution mode over shared RAM and page tables."""

    def __init__(
        self, spec: CpuSpec, tables: PageTables, first_machine_frame: int, library: Any
    ) -> None:
        self.spec = spec
        self.tables = tables
        self.ram = tables.ram
        self.resident: Registers | None = None
        self.descriptors: dict[int, int] = {}
        """What the descriptor table page holds, by slot."""
        self.batches: dict[str, Batch] = {}
        """What the arch files move; made by their set_up."""
        self._consts = _CONSTS[spec.uc_const]
        self._uc: Any = _ENGINE.Uc(getattr(const, spec.uc_arch), _mode(spec.uc_mode))
        if spec.uc_model is not None:
            self._uc.ctl_set_cpu_model(getattr(self._consts, spec.uc_model))
        self._uc.ctl_set_tcg_buffer_size(64 << 20)
        self._uc.ctl_set_tlb_mode(const.UC_TLB_VIRTUAL)
        ram_address = ctypes.addressof(ctypes.c_char.from_buffer(self.ram.buffer))
        size = len(self.ram.buffer)
        self._uc.mem_map_ptr(0, size, const.UC_PROT_ALL, ctypes.c_void_p(ram_address))
        self._handle = ctypes.c_void_p(self._uc._uch.value)
        self._block = (ctypes.c_uint64 * (accel.SIZE_BYTES // 8))()
        self._address = ctypes.addressof(self._block)
        self.words = memoryview(self._block).cast("B").cast("Q")
        self.signed = memoryview(self._block).cast("B").cast("q")
        count = len(spec.fast)
        self.reg_words = self.words[_REGS : _REGS + count]
        self._fill_block(first_machine_frame)
        self._driver: Any = library if library is not None else Twin(self.words, binding.uclib)
        self._driver.accel_prepare(self._address)
        self._run: Any = self._driver.accel_run
        self._add_hooks()
        self._flush: Any = binding.uclib.uc_ctl
        self.window_frame = first_machine_frame
        self.table_frame = first_machine_frame + 1
        self.window_write(0, bytes(PAGE_SIZE))
        self.table_write(0, bytes(PAGE_SIZE))
        self._find_invalid_addr()
        spec.set_up(self)
        self._base = self._uc.context_save()
        self._must_rebase = False

    def _fill_block(self, first_machine_frame: int) -> None:
        words, lib = self.words, binding.uclib
        words[FIELDS["uc"]] = self._handle.value or 0
        for field, function in (
            ("emu_start", lib.uc_emu_start),
            ("emu_stop", lib.uc_emu_stop),
            ("read_batch", lib.uc_reg_read_batch),
            ("write_batch", lib.uc_reg_write_batch),
            ("reg_write", lib.uc_reg_write),
            ("ctl", lib.uc_ctl),
        ):
            words[FIELDS[field]] = ctypes.cast(function, ctypes.c_void_p).value or 0
        nodes = ctypes.c_char.from_buffer(self.tables.buffer)
        words[FIELDS["nodes"]] = ctypes.addressof(nodes)
        words[FIELDS["window_page"]] = self.spec.window_page
        words[FIELDS["table_page"]] = self.spec.window_page - 1
        words[FIELDS["reg_count"]] = len(self.spec.fast)
        words[FIELDS["tsc_divisor"]] = UNITS_PER_NS
        for position, name in enumerate(self.spec.fast_ids):
            words[FIELDS["reg_ids"] + position] = self.reg_id(name)
        words[FIELDS["pc_id"]] = self.reg_id(self.spec.fast_ids[0])
        words[FIELDS["syscall_number"]] = self.spec.syscall_interrupt
        words[FIELDS["ram"]] = ctypes.addressof(ctypes.c_char.from_buffer(self.ram.buffer))
        if self.spec.forbidden is not None:
            first = FIELDS["forbid_mask"]
            words[first : first + 4] = array("Q", self.spec.forbidden)
        for field, name in self.spec.time_registers:
            words[FIELDS[field]] = self.reg_id(name)

    def _add_hooks(self) -> None:
        self._hooks: list[Any] = []
        for name, hook_type in HOOK_TYPES.items():
            self._hook(hook_type, name, None)
        if self.spec.forbidden is not None:
            self._hook(const.UC_HOOK_EDGE_GENERATED, "translated", None)
        for name, instruction in self.spec.insn_hooks:
            self._hook(const.UC_HOOK_INSN, name, getattr(self._consts, instruction))

    def _hook(self, hook_type: int, name: str, instruction: int | None) -> None:
        callback = getattr(self._driver, "accel_" + name)
        handle = ctypes.c_size_t()
        extra = () if instruction is None else (ctypes.c_int(instruction),)
        status = binding.uclib.uc_hook_add(
            self._handle,
            ctypes.byref(handle),
            ctypes.c_int(hook_type),
            ctypes.cast(callback, ctypes.c_void_p),
            ctypes.c_void_p(self._address),
            ctypes.c_uint64(1),
            ctypes.c_uint64(0),
            *extra,
        )
        if status != const.UC_ERR_OK:
            raise AssertionError(f"hook {name}: the engine answers {status}")
        self._hooks.append(callback)

    def _find_invalid_addr(self) -> None:
        # The fill hook is told the page only. The engine keeps the exact address in its own
        # structure, which has no name for it in the interface: two faults show where it is.
        engine = self.words[FIELDS["uc"]]
        places = set(range(_STRUCT_WORDS))
        for address in _PROBES:
            self._emu_start(address)
            places &= _places_of(address, ctypes.string_at(engine, 8 * _STRUCT_WORDS))
        if len(places) != 1:
            raise AssertionError(f"{self.spec.name}: no single place holds the refused address")
        self.words[FIELDS["invalid_addr"]] = engine + 8 * places.pop()

    def _emu_start(self, address: int) -> None:
        zero = ctypes.c_uint64(0)
        binding.uclib.uc_emu_start(
            self._handle, ctypes.c_uint64(address), zero, zero, ctypes.c_size_t(0)
        )

    # ---- registers by Unicorn's name, for the arch files

    def reg_id(self, name: str) -> int:
        """The number behind a name such as UC_X86_REG_CR0."""
        number: int = getattr(self._consts, name)
        return number

    def reg_read(self, name: str) -> Any:
        """One register of the engine."""
        return self._uc.reg_read(self.reg_id(name))

    def reg_write(self, name: str, value: Any) -> None:
        """Set one register of the engine."""
        self._uc.reg_write(self.reg_id(name), value)

    def reg_try_write(self, name: str, value: int) -> bool:
        """Set one register; False, and nothing done, if the engine refuses the value."""
        try:
            self.reg_write(name, value)
        except _ENGINE.UcError:
            return False
        return True

    def batch(self, places: list[tuple[str, int]], size_bytes: int) -> Batch:
        """Registers that always move together: (Unicorn's name, offset in the buffer) pairs."""
        ids = [self.reg_id(name) for name, _ in places]
        return Batch(binding.uclib, self._handle, ids, [offset for _, offset in places], size_bytes)

    # ---- the machine's own frames

    def window_write(self, offset: int, data: bytes) -> None:
        """Store into the stub window."""
        start = (self.window_frame << PAGE_SHIFT) + offset
        self.ram.view[start : start + len(data)] = data

    def window_read(self, offset: int, length: int) -> bytes:
        """Fetch from the stub window."""
        start = (self.window_frame << PAGE_SHIFT) + offset
        return self.ram.buffer[start : start + length]

    def table_write(self, offset: int, data: bytes) -> None:
        """Store into the descriptor table page."""
        start = (self.table_frame << PAGE_SHIFT) + offset
        self.ram.view[start : start + len(data)] = data

    def show_table(self) -> None:
        """From now on the descriptor table page is visible (read-only) to the CPU."""
        self.words[FIELDS["table_frame"]] = self.table_frame

    def run_stub(self, offset: int) -> None:
        """Run the machine's own code at `offset` of the window until it traps."""
        words = self.words
        words[FIELDS["window_frame"]] = self.window_frame
        words[_STOP] = 0
        words[_LEFT] = 1 << 62
        block = words[_BLOCK_START], words[_BLOCK_END]
        self._emu_start((self.spec.window_page << PAGE_SHIFT) + offset)
        words[FIELDS["window_frame"]] = 0
        words[_BLOCK_START], words[_BLOCK_END] = block
        words[_ROOT] = _NO_ROOT  # the window is to be forgotten before a task runs

    def flush_tlb(self) -> None:
        """Forget all translations of addresses."""
        self._flush(self._handle, _TLB_FLUSH)
        self.words[_FILLS] = 0
        self.words[_FILLS_LIMIT] = _FIRST_FILLS

    def flush_code(self) -> None:
        """Forget all translated code."""
        self._flush(self._handle, _TB_FLUSH)

    def forget_code(self, start: int, end: int) -> None:
        """Forget what was translated of some addresses, all in one page."""
        self._flush(self._handle, _TB_REMOVE, ctypes.c_uint64(start), ctypes.c_uint64(end))

    # ---- running a task

    def load(self, registers: Registers) -> None:
        """Make a task's system words and units the CPU's."""
        old = self.resident
        if registers.cpu is not None and registers.cpu is not self:
            registers.leave()
        self.spec.swap(self, None if old is None or old.fresh else old, registers)
        if old is not None:
            old.cpu = None
        registers.cpu = self
        self.resident = registers

    def store(self, registers: Registers) -> None:
        """Bring a resident task's system words and units up to date."""
        if not registers.fresh:
            self.spec.store(self, registers)
            registers.fresh = True

    def run(
        self, registers: Registers, table: PageTable, budget: int, now: int, *, resumed: bool
    ) -> tuple[Stop, int]:
        """Run until a stop: what it was, and the bytes of code spent.

        `now` is the virtual time at which the run begins, in bytes of code. `resumed` says that
        the task's last stop was a fault: the block goes on as if nothing had interrupted it.
        """
        words = self.words
        if self._must_rebase:
            self._rebase()
        if registers is not self.resident:
            self.load(registers)
            words[_BLOCK_START] = words[_BLOCK_END] = registers.words[0] if resumed else 0
        self.table = table
        if not resumed:
            words[_BLOCK_START] = words[_BLOCK_END] = 0
        words[_TSC_BASE] = now
        self.signed[_SPENT] = 0
        self.signed[_LIMIT] = budget
        registers.fresh = False
        self.reg_words[:] = registers.view
        while True:
            if words[_ROOT] != table.root:
                self.flush_tlb()
                words[_ROOT] = table.root
            self._run(self._address)
            if words[_STOP] == accel.STOP_SYSCALL and not words[_UNTIL]:
                registers.view[:] = self.reg_words
                return SYSCALL, self.signed[_SPENT]
            if not goes_on(self, registers):
                break
        reason = self._classify(words[_STOP])
        registers.view[:] = self.reg_words
        return reason, self.signed[_SPENT]

    def _rebase(self) -> None:
        # The engine keeps the last exception and would make the next one a double fault.
        if self.resident is not None:
            self.resident.leave()
        self._uc.context_restore(self._base)
        self._must_rebase = False

    def give_back(self, pc: int) -> None:
        """Of the block that was charged when it began, what lies from `pc` on did not run."""
        words = self.words
        if words[_BLOCK_START] <= pc < words[_BLOCK_END]:
            self.signed[_SPENT] -= words[_BLOCK_END] - pc
            words[_BLOCK_END] = pc
            words[_BLOCK_START] = pc

    def _classify(self, stop: int) -> Stop:
        words = self.words
        pc = self.reg_words[0]
        if stop == accel.STOP_INTERRUPT:
            trap = self.spec.traps.get(words[_NUMBER], self.spec.unknown_trap)
            pc -= trap.back
            self.reg_words[0] = pc
            self.give_back(pc)
            self._must_rebase = self.spec.rebase_after_exception
            if trap.kind == "program":
                return Trapped(program_cause(instruction_word(self, pc)))
            return Trapped(trap.kind)
        if stop == accel.STOP_SYSCALL:
            return SYSCALL
        if stop == accel.STOP_BUDGET:
            return BUDGET
        if stop == accel.STOP_FAULT:
            self.give_back(pc)
            return MemoryFault(words[_FAULT_ADDR], _ACCESS[words[_FAULT_ACCESS]])
        if stop in (accel.STOP_ILLEGAL, accel.STOP_FORBIDDEN):
            self.give_back(pc)
            self._must_rebase = self.spec.rebase_after_exception
            return Trapped("illegal")
        if stop in (accel.STOP_PORT, accel.STOP_NO_SUCH):
            self.reg_words[0] = words[_FAULT_ADDR]
            self.give_back(words[_FAULT_ADDR])
            return Trapped("protection" if stop == accel.STOP_PORT else "illegal")
        raise AssertionError(f"{self.spec.name}: stopped at {pc:#x}, error {words[_ERROR]}")

    def close(self) -> None:
        """Take the last task's state out; the engine goes with the object."""
        if self.resident is not None:
            self.resident.leave()


def _places_of(word: int, content: bytes) -> set[int]:
    """Which of the words of `content` are `word`. (Once in each boot: it must be quick.)"""
    pattern = word.to_bytes(8, sys.byteorder)
    places = set()
    at = content.find(pattern)
    while at >= 0:
        if at % 8 == 0:
            places.add(at // 8)
        at = content.find(pattern, at + 1)
    return places


def _mode(names: str) -> int:
    mode = 0
    for name in names.split("|"):
        mode |= getattr(const, name)
    return mode
