"""Nathan Lynch's second port of v13 to PowerPC, 17 February 2009.

It is what `v13` reads and writes on PowerPC: the same records, with a CPU record that says which
units the task has used. Under this name an image of x86 is refused.

Mirrors:  "powerpc checkpoint/restart" v2 on linux-cr v13.
"""

from __future__ import annotations

from dataclasses import replace

from cr.image.dialects import cr_image, v13
from cr.image.dialects.arch import powerpc_2009
from cr.image.dialects.cr_shape import CrVersion
from cr.image.dialects.powerpc_v1 import NO_OTHER
from cr.image.dialects.shape import Converted
from emu.layout import Bytes

VERSION = CrVersion("powerpc-v2", v13.NUMBERS, (powerpc_2009.SECOND,), NO_OTHER)


def write(image: Bytes) -> Converted:
    """Native -> this port."""
    return cr_image.write(image, VERSION)


DIALECT = replace(v13.DIALECT, name="powerpc-v2", write=write)
