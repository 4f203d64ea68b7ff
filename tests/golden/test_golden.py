"""One small image of each arch, as text that a person has read.

When the format changes on purpose: `python -m tests.golden.test_golden`, then read the difference.
"""

import hashlib
from pathlib import Path

import pytest

from cr.image.stream import Pages
from cr.image.walk import Item
from cr.tools.info import render, summarize
from emu.layout import Record
from guests.stories import ARCHES
from kernel_model.abi.fcntl import O_CREAT, O_RDWR
from kernel_model.signals import Action, SigInfo, send, set_blocked
from tests.harness.tiny_tasks import opened, pausing

FOLDER = Path(__file__).parent
SHORT_BYTES = 40


def golden_text(arch: str) -> str:
    kernel, task = pausing(arch)
    opened(task, b"/notes", O_RDWR | O_CREAT, 3, cloexec=True).write(b"0123456789")
    task.sighand.actions[9] = Action(0x400100, 0x10000000, 0x400200, 0x2)
    set_blocked(task, 1 << 11)
    send(task, SigInfo(12, -1, pid=1, value=7))
    image = kernel.checkpoint()
    lines = [render(summarize(image)).rstrip(), ""]
    lines += [_line(item) for item in image.records]
    kernel.power_off()
    return "\n".join(lines) + "\n"


def _line(item: Item) -> str:
    value = item.value
    if isinstance(value, Record):
        text = str(value)
    elif isinstance(value, tuple):
        text = "; ".join(map(str, value))
    elif isinstance(value, Pages):
        text = ", ".join(f"{addr:#x}: {_digest(content)}" for addr, content in value)
    elif len(value) > SHORT_BYTES:
        text = _digest(value)
    else:
        text = repr(bytes(value))
    return f"{item.offset:6} {item.length:6} {item.name} ({item.role}) {item.objref or '-'} {text}"


def _digest(content: memoryview) -> str:
    return f"{len(content)} bytes {hashlib.sha256(content).hexdigest()[:16]}"


@pytest.mark.parametrize("arch", ARCHES)
def test_image_is_as_it_was_read(arch: str) -> None:
    assert golden_text(arch) == (FOLDER / f"{arch}.txt").read_text()


if __name__ == "__main__":
    for name in ARCHES:
        (FOLDER / f"{name}.txt").write_text(golden_text(name))
