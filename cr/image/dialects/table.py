"""All dialects but the native one, newest first, and the names of versions that wrote the same."""

from __future__ import annotations

from cr.image.dialects import (
    powerpc_v1,
    powerpc_v2,
    v1,
    v2,
    v8,
    v9,
    v13,
    v14,
    v16,
    v17,
    v18,
    v20,
    v21,
    v21_minimal,
    v23_rc1,
)
from cr.image.dialects.shape import Alias, Dialect
from emu.layout import Bytes

NATIVE = "v23-rc2"
DIALECTS: tuple[Dialect, ...] = (
    v23_rc1.DIALECT,
    v21_minimal.DIALECT,
    v21.DIALECT,
    v20.DIALECT,
    v18.DIALECT,
    v17.DIALECT,
    v16.DIALECT,
    v14.DIALECT,
    v13.DIALECT,
    powerpc_v1.DIALECT,
    v9.DIALECT,
    v8.DIALECT,
    v2.DIALECT,
    v1.DIALECT,
)
ALIASES: tuple[Alias, ...] = (
    Alias("v22", v21.DIALECT, "it brought a port to ARM, and left all other records as they were"),
    Alias("v19", v20.DIALECT, "v20 is v19 with mistakes mended, on a newer kernel"),
    Alias("v15", v14.DIALECT, "it mended mistakes of v14"),
    Alias("v12", v13.DIALECT, "v13 changed the code only"),
    Alias("v11", v13.DIALECT, "v12 changed the code only"),
    Alias("v10", v13.DIALECT, "v11 dropped open symbolic links, which are refused here anyway"),
    Alias("powerpc-v2", powerpc_v2.DIALECT, "v13 on PowerPC is Nathan Lynch's second port"),
    Alias("v7", v8.DIALECT, "v8 can checkpoint another process, and writes the same"),
    Alias("v6", v8.DIALECT, "v7 saves the FPU from the right address, which no reader can tell"),
)
"""Versions whose images cannot be told from those of a dialect."""
NAMES = (NATIVE, *(one.name for one in DIALECTS), *(alias.name for alias in ALIASES))


def find(name: str) -> Dialect:
    """The dialect of that name, which is not NATIVE; of an alias, the one that it stands for."""
    known = {one.name: one for one in DIALECTS} | {one.name: one.dialect for one in ALIASES}
    return known[name]


def recognize(image: Bytes) -> Dialect | None:
    """Which old dialect this image has; None: the native one, or no image at all."""
    for dialect in DIALECTS:
        if dialect.recognizes(image):
            return dialect
    return None
