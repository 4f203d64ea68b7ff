"""Checkpoint and restart themselves: a call that is half done, and what was set for them (ours)."""

from typing import Annotated

from cr.image.types import HDR_CALL_STATE, HDR_GENERATION, HDR_SYSCTL, PATH_LIMIT, Framed
from emu.layout import at, record, rest_bytes, s32, u32

DRAINING, COLLECTING, COORDINATING = range(3)
_NAME_LIMIT = 32


@record(size=16)
class CallState(Framed):
    """What a task keeps that is in the middle of checkpoint or restart; a BUFFER follows."""

    TYPE = HDR_CALL_STATE

    kind: u32 = at("0 writes an image, 1 reads one for itself, 2 reads one for a tree")
    pad: u32 = at("zero", default=0, must_be=0)
    group: Annotated[bytes, rest_bytes()] = at("0: path of the freezer group that is held; or none")

    def invalid(self) -> str | None:
        if self.kind > COORDINATING or len(self.group) > PATH_LIMIT:
            return "kind is 0 to 2, and a path has an end"
        return "who reads an image holds no group" if self.kind and self.group else None


@record(size=16)
class SysctlValue(Framed):
    """A number of /proc/sys that is not as at boot, in the image of a whole machine."""

    TYPE = HDR_SYSCTL

    value: s32 = at("the number")
    pad: u32 = at("zero", default=0, must_be=0)
    path: Annotated[bytes, rest_bytes()] = at("its path below /proc/sys")

    def invalid(self) -> str | None:
        return None if 0 < len(self.path) <= PATH_LIMIT else "a path has at least one byte"


@record(size=8)
class GenerationName(Framed):
    """Of which tree the kernel of a whole machine was, if it was not the last."""

    TYPE = HDR_GENERATION

    name: Annotated[bytes, rest_bytes()] = at("as `abi` names it: v13")

    def invalid(self) -> str | None:
        return None if 0 < len(self.name) <= _NAME_LIMIT else "a name has one to 32 bytes"
