"""Security labels, as a kernel without a security module treats them.

Such a kernel has a name of its own for that, "lsm_none", and writes no labels. It restarts images
of kernels that had labels: they are read, and forgotten, unless RESTART_KEEP_LSM asks to keep them.
Then the image's module must be the kernel's own, and a label that nobody can give back is an error.

Image grammar:

    container  =  CONTAINER  BUFFER lsm-name[11]  LSM_INFO
    security   =  SECURITY  STRING label          ; before who has the label

The record's own object number names the text; `ptrref` is the number by which others name it.

Mirrors:  linux-cr security/security.c -- security_checkpoint_header, security_may_restart,
          security_checkpoint_obj, security_restore_obj (with "lsm_none").
Deviates: none; of two errnos that the original had for another module, the code's EPERM was taken
          (its readme says EINVAL).
Not modelled: any module that has labels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cr.image import security as image
from cr.image import types as t
from kernel_model.abi.errno import ENOSYS, EPERM

if TYPE_CHECKING:
    from cr.context import Checkpoint, Restart

_NAME = b"lsm_none".ljust(t.LSM_NAME_BYTES, b"\0")
_INFO = b"dummy"


@dataclass(frozen=True)
class Label:
    """A label of an image: the text, and what kind of thing it is for."""

    text: bytes
    sectype: int


def checkpoint_module(ctx: Checkpoint) -> None:
    """Write which module this kernel has, and what that has to say: nothing."""
    ctx.image.write_blob(t.HDR_BUFFER, _NAME)
    ctx.image.write_blob(t.HDR_LSM_INFO, _INFO)


def restore_module(ctx: Restart) -> None:
    """Read the module of the image's kernel; who wants to keep its labels needs the same one."""
    name = bytes(ctx.image.read_exact(t.HDR_BUFFER, t.LSM_NAME_BYTES))
    ctx.image.read_blob(t.HDR_LSM_INFO, t.LSM_INFO_LIMIT)
    if ctx.flags & t.RESTART_KEEP_LSM and name != _NAME:
        shown = name.rstrip(b"\0").decode("latin-1")
        ctx.refuse(f"labels of the security module {shown!r} cannot be kept", errno=EPERM.errno)


def restore_label(ctx: Restart) -> Label:
    """Read a label; from now on it has the number by which others name it, too."""
    record = ctx.image.read(t.HDR_SECURITY, image.Security)
    label = Label(ctx.image.read_string(t.HDR_STRING, t.LSM_LABEL_LIMIT), record.sectype)
    ctx.objs.insert(ctx, record.ptrref, t.OBJ_SECURITY_PTR, label)
    return label


def check_label(ctx: Restart, secref: int) -> None:
    """Somebody has a label, or none (0): it must be in the image, and is not kept."""
    if not secref:
        return
    ctx.objs.fetch(ctx, secref, t.OBJ_SECURITY_PTR, Label)
    if ctx.flags & t.RESTART_KEEP_LSM:
        ctx.refuse("no security module gives this label back", errno=ENOSYS.errno)
