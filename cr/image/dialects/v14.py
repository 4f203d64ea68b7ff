"""v14, 28 April 2009, and v15: the first with records that say their whole length.

A RECONSTRUCTION: nothing is known of v14's structs but what v16 changed. HEADER is taken to be
v13's, behind the new frame: with the texts inside (v16 gave them lengths, and BUFFERs), with the
flags of the context (v16 split them), without a number for the architecture. What a call remembers
that is begun again was x86's own until v16, and how it lay is not known: such calls are refused.

Mirrors:  linux-cr v14, v15 ("minor fixes").
Deviates: s390 and PowerPC were in the tree; of how they lay nothing is known, and both are refused.
"""

from __future__ import annotations

from typing import Annotated

from cr.image import types as t
from cr.image.dialects import plain, v16
from cr.image.dialects.arch import alignment_2009, x86_2008
from cr.image.dialects.chain import dialect_of
from cr.image.dialects.cr_records import CTX_CKPT, UTS_TEXT_BYTES
from cr.image.dialects.frames import Frame
from cr.image.dialects.probe import probe
from cr.image.dialects.step import Numbering, Passage, Step
from cr.image.task import RestartBlock
from cr.image.types import HDR_HEADER, HEADER_MAGIC, Framed
from emu.layout import Bytes, at, chars, hex64, record, u16, u64

_MACHINES = x86_2008.MACHINES
FLAGS = "the flags that the checkpoint was asked for with"


@record(size=232)
class Header2009Text(Framed):
    """First record of an image, with the names of the writing kernel."""

    TYPE = HDR_HEADER

    magic: hex64 = at("the magic that all dialects share", default=HEADER_MAGIC)
    major: u16 = at("kernel version, first number")
    minor: u16 = at("kernel version, second number")
    patch: u16 = at("kernel version, third number")
    rev: u16 = at("2, UNVERIFIED")
    time: u64 = at("seconds since the epoch when the checkpoint was taken")
    flags: u64 = at("those of the context: 1, a checkpoint", default=CTX_CKPT, must_be=CTX_CKPT)
    release: Annotated[bytes, chars(UTS_TEXT_BYTES)] = at("of the writing kernel")
    version: Annotated[bytes, chars(UTS_TEXT_BYTES)] = at("as above")
    machine: Annotated[bytes, chars(UTS_TEXT_BYTES)] = at("as above; it tells the architecture")


def _header_down(passage: Passage, frames: list[Frame]) -> list[Frame]:
    header = passage.unpack(v16.Header2009, frames[0])
    if header.uflags:
        passage.lose(FLAGS)
    release, version, machine = (bytes(frame.payload).split(b"\0")[0] for frame in frames[1:4])
    if any(len(text) > UTS_TEXT_BYTES for text in (release, version, machine)):
        passage.no(frames[0], f"texts of more than {UTS_TEXT_BYTES} bytes")
    older = Header2009Text(
        major=header.major,
        minor=header.minor,
        patch=header.patch,
        rev=header.rev,
        time=header.time,
        release=release,
        version=version,
        machine=machine,
    )
    return [passage.packed(t.HDR_HEADER, older, frames[0]), *frames[4:]]


def _header_up(passage: Passage, frames: list[Frame]) -> list[Frame]:
    header = passage.unpack(Header2009Text, frames[0])
    if header.machine.decode("latin-1") not in _MACHINES:
        passage.refuse(frames[0], f"a machine {header.machine!r}: only 32-bit x86 is known of v14")
    newer = v16.Header2009(
        arch_id=alignment_2009.ONLY_ARCH_ID,
        major=header.major,
        minor=header.minor,
        patch=header.patch,
        rev=header.rev,
        time=header.time,
        uflags=0,
    )
    texts = [
        Frame(t.HDR_BUFFER, text.ljust(t.UTS_BYTES, b"\0"), frames[0].offset)
        for text in (header.release, header.version, header.machine)
    ]
    return [passage.packed(t.HDR_HEADER, newer, frames[0]), *texts, *frames[1:]]


def _calls_down(passage: Passage, frames: list[Frame]) -> list[Frame]:
    kept: list[Frame] = []
    for frame in frames:
        if frame.type_no == t.HDR_RESTART_BLOCK:
            kind = passage.unpack(RestartBlock, frame).function_type
            if kind != t.RESTART_BLOCK_NONE:
                name = t.restart_block_name(kind)
                passage.no(frame, f"what a call remembers that is begun again ({name})")
            continue
        kept.append(frame)
    return kept


def _calls_up(passage: Passage, frames: list[Frame]) -> list[Frame]:
    found: list[Frame] = []
    for frame in frames:
        if frame.type_no == t.HDR_CPU:
            found.append(passage.packed(t.HDR_RESTART_BLOCK, plain.NO_RESTART, frame))
        found.append(frame)
    return found


STEP = Step(
    name="v14",
    missing={t.HDR_RESTART_BLOCK: "restart blocks"},
    first_down=(_header_down, _calls_down),
    last_up=(_calls_up, _header_up),
)
STEPS = (*v16.STEPS, STEP)
NUMBERING = Numbering(
    types={**v16.NUMBERING.types, t.HDR_RESTART_BLOCK: -1},
    objects=v16.NUMBERING.objects,
)


def recognizes(image: Bytes) -> bool:
    """HEADER has 232 bytes, and HEADER_ARCH follows at once."""
    found = probe(image)
    if found is None:
        return False
    first = found.frames(2)
    return first[:1] == [(1, Header2009Text.SIZE)] and [kind for kind, _ in first] == [1, 2]


DIALECT = dialect_of(
    STEPS,
    NUMBERING,
    title="v14 and v15, April 2009: a reconstruction, UNVERIFIED",
    recognizes=recognizes,
    records=(Header2009Text,),
    refuses=f"calls that a restart block begins again; {v16.REFUSES}",
    defaults=v16.DEFAULTS,
)
