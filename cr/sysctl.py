"""Who may checkpoint and restart: the sysctl, and its own checkpoint.

`/proc/sys/kernel/ckpt_unpriv_allowed`: 0: both calls need CAP_SYS_ADMIN; 1: only restart needs it;
2: neither does. v14 to v19 had two states, 0 and 1, for both calls (which one it was at boot is
UNVERIFIED); before there was no sysctl.

Image grammar:

    { SYSCTL }                          ; behind the pid namespaces, of a whole machine only

Mirrors:  linux-cr checkpoint/sys.c -- ckpt_unpriv_allowed.
Deviates: a number that was changed is in the image of a whole machine; Linux forgets it.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from cr.context import Checkpoint, Restart
from cr.generations import Gauge, Generation, generation_of
from cr.image import calls as image
from cr.image import types as t
from kernel_model.abi.errno import EPERM
from kernel_model.kernel import Kernel
from kernel_model.sysctl import Sysctl
from kernel_model.task import Task

ALLOWED = b"kernel/ckpt_unpriv_allowed"
SYSCTLS: Mapping[bytes, Sysctl] = MappingProxyType({ALLOWED: Sysctl(default=1, least=0, most=2)})
_TWO_STATES: Mapping[bytes, Sysctl] = MappingProxyType(
    {ALLOWED: Sysctl(default=1, least=0, most=1)}
)
CHECKPOINT, RESTART = 1, 2
"""From which number on everybody may."""


def sysctls_of(generation: Generation) -> Mapping[bytes, Sysctl]:
    """What a kernel of that tree has in /proc/sys."""
    if generation.gauge is Gauge.NOBODY:
        return {}
    return SYSCTLS if generation.gauge is Gauge.EACH else _TWO_STATES


def require(task: Task, call: int) -> None:
    """Raises EPERM if the task may not make this call, as the kernel's generation has it."""
    gauge = generation_of(task.kernel).gauge
    if gauge is Gauge.NOBODY:
        return
    least = CHECKPOINT if gauge is Gauge.BOTH else call
    if task.kernel.sysctls.values[ALLOWED] < least and not task.cred.cap("CAP_SYS_ADMIN"):
        what = "restart" if call == RESTART else "checkpoint"
        raise EPERM(f"{what} needs CAP_SYS_ADMIN")


def checkpoint_sysctls(ctx: Checkpoint) -> None:
    """Write what was changed, if the whole machine is written."""
    if ctx.caller is not None:
        return
    for path, value in ctx.kernel.sysctls.changed():
        ctx.image.write(t.HDR_SYSCTL, image.SysctlValue(value=value, path=path))


def restore_sysctls(ctx: Restart) -> dict[bytes, int]:
    """Read them; the commit sets them."""
    found: dict[bytes, int] = {}
    while ctx.image.peek() == t.HDR_SYSCTL:
        record = ctx.image.read(t.HDR_SYSCTL, image.SysctlValue)
        declared = ctx.kernel.sysctls.declared.get(record.path)
        if declared is None or not declared.least <= record.value <= declared.most:
            ctx.refuse(f"no sysctl {record.path!r} can be {record.value}")
        found[record.path] = record.value
    return found


def install_sysctls(kernel: Kernel, found: dict[bytes, int]) -> None:
    """Commit: those of the image, the others as at boot."""
    for path, value in found.items():
        kernel.sysctls.set(path, value)
