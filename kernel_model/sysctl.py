"""Numbers of the kernel that root may change, as files of /proc/sys.

The kernel model has none of its own; floors above declare theirs at boot (procfs.MoreFiles).

Mirrors: Linux kernel/sysctl.c (proc_dointvec_minmax).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kernel_model.abi.errno import EINVAL


@dataclass(frozen=True)
class Sysctl:
    """One number: what it is at boot, and what it may be."""

    default: int
    least: int
    most: int


class Sysctls:
    """The numbers of one kernel, by their paths below /proc/sys."""

    def __init__(self, declared: Mapping[bytes, Sysctl]) -> None:
        self.declared = declared
        self.values = {path: each.default for path, each in declared.items()}

    def text(self, path: bytes) -> bytes:
        """As a file shows it."""
        return b"%d\n" % self.values[path]

    def write(self, path: bytes, text: bytes) -> None:
        """A write to the file. Raises EINVAL."""
        try:
            value = int(text.strip(b" \t\n\0"))
        except ValueError:
            raise EINVAL(f"{text!r} is no number") from None
        self.set(path, value)

    def set(self, path: bytes, value: int) -> None:
        """Raises EINVAL if the number may not be so."""
        each = self.declared[path]
        if not each.least <= value <= each.most:
            raise EINVAL(f"{value} is not between {each.least} and {each.most}")
        self.values[path] = value

    def changed(self) -> list[tuple[bytes, int]]:
        """Those that are not as at boot."""
        return [
            (path, value)
            for path, value in sorted(self.values.items())
            if value != self.declared[path].default
        ]
