"""Our own first process: four small programs (guests/tools/init.c), kept here as they were built.

A kernel brings it along as /dev/init, because a disk need not have one, and because a restarted
kernel must find the file again by its path.

Deviates: Linux's /dev has no such file.
"""

from __future__ import annotations

import importlib.resources
from functools import cache

FILE_NAME = b"init"
PATH = b"/dev/" + FILE_NAME


@cache
def program(arch: str) -> bytes:
    """The ELF file of an arch. (A pure function of its argument.)"""
    return importlib.resources.files("kernel_model.init").joinpath(arch).read_bytes()
