"""A task that is just enough for the file system calls: flat user memory, one kernel."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from emu.layout import Record
from emu.memory import Ram
from kernel_model.abi.errno import EFAULT, ENAMETOOLONG
from kernel_model.abi.structs import X86_64, Structs
from kernel_model.chaos import Chaos
from kernel_model.sched import Scheduler
from kernel_model.syscalls import declare
from kernel_model.vfs.disk import Disk
from kernel_model.vfs.fdtable import FdTable
from kernel_model.vfs.vfs import Vfs
from kernel_model.waitqueue import WaitQueue

BASE = 0x10000
SIZE = 1 << 20


class FakeClock:
    """Time stands still unless told."""

    def __init__(self) -> None:
        self.now = 0

    def now_ns(self) -> int:
        return self.now

    def after(self, ns: int) -> int:
        return self.now + ns

    def realtime_ns(self) -> int:
        return 1_300_000_000_000_000_000 + self.now


class FakeRandom:
    """Bytes of a counter."""

    def __init__(self) -> None:
        self.count = 0

    def bytes(self, count: int) -> bytes:
        self.count += 1
        return hashlib.shake_128(self.count.to_bytes(8, "big")).digest(count)


class FakeConsole:
    """Input from a list, output into one."""

    def __init__(self) -> None:
        self.queue = WaitQueue()
        self.tty = None
        self.input: list[bytes] = []
        self.output: list[tuple[int, bytes]] = []

    def ready(self) -> bool:
        return bool(self.input)

    def read(self, count: int) -> bytes | None:
        return self.input.pop(0)[:count] if self.input else None

    def write(self, stream: int, data: bytes) -> None:
        self.output.append((stream, data))


class FakeUser:
    """User memory: `SIZE` bytes from `BASE` on, the rest is bad."""

    def __init__(self, order: str, word_bytes: int) -> None:
        self.memory = bytearray(SIZE)
        self.order = order
        self.word_bytes = word_bytes

    def check_range(self, addr: int, count: int) -> None:
        """All of it is user space."""

    def readable(self, addr: int, count: int) -> int:
        return max(0, min(count, BASE + SIZE - addr)) if addr >= BASE else 0

    writable = readable

    def read(self, addr: int, count: int) -> bytes:
        if self.readable(addr, count) < count:
            raise EFAULT("bad address")
        return bytes(self.memory[addr - BASE : addr - BASE + count])

    def write(self, addr: int, data: bytes) -> None:
        if self.readable(addr, len(data)) < len(data):
            raise EFAULT("bad address")
        self.memory[addr - BASE : addr - BASE + len(data)] = data

    def cstring(self, addr: int, limit: int) -> bytes:
        raw = self.read(addr, self.readable(addr, limit) or 1)
        if b"\0" not in raw:
            raise ENAMETOOLONG("no end") if len(raw) == limit else EFAULT("bad address")
        return raw[: raw.index(b"\0")]

    def read_record(self, cls: type[Record], addr: int) -> Any:
        return cls.unpack(self.read(addr, cls.SIZE), self.order)  # type: ignore[arg-type]

    def write_record(self, record: Record, addr: int) -> None:
        self.write(addr, record.pack(self.order))  # type: ignore[arg-type]

    def word(self, addr: int) -> int:
        endian = "little" if self.order == "<" else "big"
        return int.from_bytes(self.read(addr, self.word_bytes), endian)  # type: ignore[arg-type]


@dataclass
class FakeCred:
    """Root unless told."""

    uid: int = 0
    euid: int = 0
    suid: int = 0
    fsuid: int = 0
    gid: int = 0
    egid: int = 0
    sgid: int = 0
    fsgid: int = 0
    groups: tuple[int, ...] = ()
    capable: bool = True

    def cap(self, name: str) -> bool:
        assert name.startswith("CAP_")
        return self.capable

    @staticmethod
    def user(uid: int) -> FakeCred:
        return FakeCred(uid, uid, uid, uid, uid, uid, uid, uid, (), False)


class FakeKernel:
    """Clock, memory, files."""

    def __init__(self, disk: Disk | None = None) -> None:
        self.clock = FakeClock()
        self.random = FakeRandom()
        self.console = FakeConsole()
        self.ram = Ram(4 << 20)
        self.chaos = Chaos(self.clock)  # type: ignore[arg-type]
        self.sched = Scheduler(self.chaos)
        self.tasks: dict[int, FakeTask] = {}
        self.vfs = Vfs(disk or Disk.empty(), self.ram, self.clock)


@dataclass
class FakeTask:
    """A task with its files; `call` runs a declared system call."""

    kernel: FakeKernel = field(default_factory=FakeKernel)
    structs: Structs = X86_64
    order: str = "<"
    word_bytes: int = 8

    def __post_init__(self) -> None:
        self.pid = self.tgid = 7
        self.dumpable = True
        self.files = FdTable()
        self.fs = self.kernel.vfs.first_fs()
        self.cred = FakeCred()
        self.abi = SimpleNamespace(
            structs=self.structs, order=self.order, word_bytes=self.word_bytes
        )
        self.user = FakeUser(self.order, self.word_bytes)
        self.signal = SimpleNamespace(rlimits={i: (1 << 62, 1 << 62) for i in range(16)})
        self.signal.rlimits[7] = (64, 64)
        self.signals: list[int] = []
        self.restart_block: Any = None

    def send_signal(self, signo: int) -> None:
        self.signals.append(signo)

    def wake(self) -> None:
        pass

    def call(self, call: declare.Syscall, *args: Any) -> int:
        return call.handler(self, *args)
