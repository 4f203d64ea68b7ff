"""Images on their way: into a descriptor, and out of one.

A checkpoint is complete before its first byte leaves, and is then drained like any long write: a
pipe that is full makes the task sleep, and it goes on where it was. Restart collects whole records
up to TAIL in the same way, never a byte beyond, and looks at them only then. What is under way is
data of the task (`task.call_state`), so no frame waits, and a checkpoint of the task can carry it.

Mirrors:  linux-cr checkpoint/sys.c -- ckpt_kwrite, ckpt_kread.
Deviates: the original wrote and read as it went along, so that a broken image was noticed half-way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cr.call_states import Collecting, Draining
from cr.generations import generation_of
from cr.image.extent import extent_of
from kernel_model.abi.errno import EINTR, EIO, EPIPE
from kernel_model.waitqueue import Sleep

if TYPE_CHECKING:
    from kernel_model.task import Task
    from kernel_model.vfs.openfile import OpenFile

_PIECE_BYTES = 1 << 20


def drain(task: Task, state: Draining, file: OpenFile) -> None:
    """Write what is left. Sleeps where the file does; a signal makes it EINTR."""
    while state.done < len(state.image):
        try:
            count = file.write_some(task, state.image[state.done : state.done + _PIECE_BYTES])
        except Sleep:
            refuse_interruption(task)
            raise
        if not count:
            raise EIO("the descriptor takes no more of the image, and does not say why")
        state.done += count


def collect(task: Task, state: Collecting, file: OpenFile) -> None:
    """Read whole records up to TAIL. Sleeps where the file does, keeping what was read.

    Raises ImageError where they cannot be records of this kernel's dialect.
    """
    extent = state.extent
    if extent is None:
        extent = state.extent = extent_of(generation_of(task.kernel).dialect)
    limit = task.kernel.ram.frame_count << 13
    while not extent.complete:
        while len(state.image) < extent.wanted:
            piece = _read(task, file, min(extent.wanted - len(state.image), _PIECE_BYTES))
            if not piece:
                raise EPIPE("the image ends before its tail")
            state.image += piece
        extent.advance(state.image, limit)


def _read(task: Task, file: OpenFile, count: int) -> bytes:
    try:
        return file.read_for(task, count)
    except Sleep:
        refuse_interruption(task)
        raise


def refuse_interruption(task: Task) -> None:
    """Neither call is begun again after a signal: half of the image has been moved."""
    if task.has_signal():
        raise EINTR("a signal came first")
