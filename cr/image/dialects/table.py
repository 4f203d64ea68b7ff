"""All dialects but the native one, newest first."""

from __future__ import annotations

from cr.image.dialects import powerpc_v1, v2, v8, v9, v13, v14, v16, v17, v18, v20, v21, v23_rc1
from cr.image.dialects.shape import Dialect
from emu.layout import Bytes

NATIVE = "v23-rc2"
DIALECTS: tuple[Dialect, ...] = (
    v23_rc1.DIALECT,
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
)
NAMES = (NATIVE, *(dialect.name for dialect in DIALECTS))


def find(name: str) -> Dialect:
    """The dialect of that name, which is not NATIVE."""
    (found,) = (dialect for dialect in DIALECTS if dialect.name == name)
    return found


def recognize(image: Bytes) -> Dialect | None:
    """Which old dialect this image has; None: the native one, or no image at all."""
    for dialect in DIALECTS:
        if dialect.recognizes(image):
            return dialect
    return None
