"""Guest physical memory: one host buffer cut into page frames with reference counts.

Everything that a guest can see lives in frames: anonymous memory, the page cache of files,
the signal page. A frame is free (0 users) or has one user per page-table entry and per page
cache that holds it; copy-on-write is nothing but a store to a frame with more than one user.

Two things are kept for the CPUs' sake. Frame 0 is the zero frame: it is never freed and never
mapped writable. And whoever writes a frame from outside a CPU (the kernel's read() into a page
of code, a frame given to somebody else) must go through `write` or `alloc`, because a CPU may
hold translated code of it: `stale_code` then tells the machine to throw translations away.
"""

from __future__ import annotations

import mmap
from array import array

PAGE_SHIFT = 12
PAGE_SIZE = 1 << PAGE_SHIFT
PAGE_MASK = PAGE_SIZE - 1
ZERO_FRAME = 0
MACHINE_FRAMES = 8

_ZEROS = bytes(PAGE_SIZE)


class OutOfFrames(Exception):
    """Guest memory is used up; the kernel model turns this into ENOMEM or an OOM kill."""


class Ram:
    """`size_bytes` of guest physical memory (rounded up to pages), and a little behind it.

    The frames from `frame_count` on belong to the machine itself (descriptor tables, stubs): no
    guest ever gets one.
    """

    def __init__(self, size_bytes: int) -> None:
        self.frame_count = max(2, (size_bytes + PAGE_MASK) >> PAGE_SHIFT)
        self.buffer = mmap.mmap(-1, (self.frame_count + MACHINE_FRAMES) << PAGE_SHIFT)
        self.view = memoryview(self.buffer)
        self.code = bytearray(self.frame_count)
        """1 for each frame that has been mapped executable since it was allocated."""
        self.stale_code = False
        self._reset_counts()
        self._used_limit = 1

    def _reset_counts(self) -> None:
        self.users = array("I", bytes(4 * self.frame_count))
        self.users[ZERO_FRAME] = 1
        self._free: list[int] = []
        self._next = 1

    def reset(self) -> None:
        """Power-cycle: every frame is free again, and reads as zero when allocated."""
        self._used_limit = max(self._used_limit, self._next)
        self._reset_counts()
        self.code = bytearray(self.frame_count)
        self.stale_code = True

    @property
    def free_frames(self) -> int:
        """How many frames can still be allocated."""
        return len(self._free) + self.frame_count - self._next

    def alloc(self) -> int:
        """A zero-filled frame with one user. Raises OutOfFrames."""
        if self._free:
            frame = self._free.pop()
        else:
            frame = self._next
            if frame >= self.frame_count:
                raise OutOfFrames(f"all {self.frame_count} page frames are in use")
            self._next = frame + 1
            if frame >= self._used_limit:
                self.users[frame] = 1
                return frame
        start = frame << PAGE_SHIFT
        self.view[start : start + PAGE_SIZE] = _ZEROS
        self.users[frame] = 1
        return frame

    def alloc_run(self, count: int) -> list[int]:
        """`count` frames whose bytes are NOT cleared: the caller fills every one of them.

        They follow one another where memory allows, so that one copy fills many.
        Raises OutOfFrames, having allocated nothing.
        """
        if count > self.free_frames:
            raise OutOfFrames(f"{count} page frames wanted, {self.free_frames} free")
        fresh = min(count, self.frame_count - self._next)
        frames = list(range(self._next, self._next + fresh))
        self._next += fresh
        for _ in range(count - fresh):
            frames.append(self._free.pop())
        users = self.users
        for frame in frames:
            users[frame] = 1
        return frames

    def grab(self, frame: int) -> None:
        """One more user."""
        self.users[frame] += 1

    def drop(self, frame: int) -> None:
        """One user less; the last one frees the frame."""
        left = self.users[frame] - 1
        self.users[frame] = left
        if not left:
            if self.code[frame]:
                self.code[frame] = 0
                self.stale_code = True
            self._free.append(frame)

    def drop_all(self, entries: list[int]) -> None:
        """One user less for each frame of these page-table entries."""
        users, code = self.users, self.code
        for entry in entries:
            frame = entry >> PAGE_SHIFT
            left = users[frame] - 1
            users[frame] = left
            if not left:
                if code[frame]:
                    code[frame] = 0
                    self.stale_code = True
                self._free.append(frame)

    def page(self, frame: int) -> memoryview:
        """The bytes of a frame, to read from. Writing goes through `write`."""
        start = frame << PAGE_SHIFT
        return self.view[start : start + PAGE_SIZE]

    def read(self, frame: int, offset: int, length: int) -> bytes:
        """`length` bytes at `offset` of a frame; must not cross the page's end."""
        start = (frame << PAGE_SHIFT) + offset
        return self.buffer[start : start + length]

    def write(self, frame: int, offset: int, data: bytes | bytearray | memoryview) -> None:
        """Store into a frame from outside a CPU; must not cross the page's end."""
        start = (frame << PAGE_SHIFT) + offset
        self.view[start : start + len(data)] = data
        if self.code[frame]:
            self.stale_code = True

    def copy(self, frame: int) -> int:
        """A new frame with the same bytes and one user (copy-on-write). Raises OutOfFrames."""
        new = self.alloc_run(1)[0]
        source, target = frame << PAGE_SHIFT, new << PAGE_SHIFT
        self.view[target : target + PAGE_SIZE] = self.view[source : source + PAGE_SIZE]
        return new
