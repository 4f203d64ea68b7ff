"""linux-cr: checkpoint and restart as Linux had it in 2008-2011, on emulated CPUs.

The names of the library are handed on when somebody asks for them, so that `cr.image` and
`cr.tools` work without Unicorn and the kernel model.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cr.image.errors import ImageError as ImageError
    from cr.system import System as System
    from cr.system import boot as boot
    from cr.tools.image_bytes import Image as Image
    from cr.until import AfterSyscalls as AfterSyscalls
    from cr.until import AfterTime as AfterTime
    from cr.until import Ended as Ended
    from cr.until import after_syscalls as after_syscalls
    from cr.until import after_time as after_time
    from kernel_model.console import Console as Console
    from kernel_model.kernel import Deadlock as Deadlock
    from kernel_model.vfs.disk import Disk as Disk

_HOMES = {
    "AfterSyscalls": "cr.until",
    "AfterTime": "cr.until",
    "Console": "kernel_model.console",
    "Deadlock": "kernel_model.kernel",
    "Disk": "kernel_model.vfs.disk",
    "Ended": "cr.until",
    "Image": "cr.tools.image_bytes",
    "ImageError": "cr.image.errors",
    "System": "cr.system",
    "after_syscalls": "cr.until",
    "after_time": "cr.until",
    "boot": "cr.system",
}


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(home), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
