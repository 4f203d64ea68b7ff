"""The generations of linux-cr: which calls each tree had, under which numbers, and what they meant.

No number was ever reserved upstream. Each tree put its calls behind the last one of the kernel that
it was made on, so a number means something else in the next tree, and in today's Linux: 333 of
x86-32 is checkpoint in the trees of 2008, and preadv since 2.6.30. A kernel is booted as one of
these trees (`cr.boot(abi="v13")`); an architecture that the tree had not been ported to has none of
its calls. What such a kernel writes and reads is that tree's dialect of the image format.

Mirrors:  arch/*/include/asm/unistd*.h of each tree, as the headers that user-cr took from them.
Deviates: everything else of the kernel is of one version: calls that are younger than the tree work
          where no number of the tree's own displaces them. The numbers of v21 are those of v20,
          since 2.6.34 has no new calls (UNVERIFIED), as is the number of eclone on PowerPC in v20,
          that the kernels of 32-bit tasks on x86-64 knew the calls, and the kernel versions of v2,
          v13, v18 and v23-rc1, which are those of the day of the posting.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType

from cr.image import types as t
from cr.image.dialects.table import NATIVE, find, recognize
from cr.image.errors import ImageError
from emu.layout import Bytes
from kernel_model.abi.errno import ENOSYS
from kernel_model.kernel import Kernel
from kernel_model.nsproxy import UtsNamespace

CHECKPOINT, RESTART = "checkpoint", "restart"


class Gauge(Enum):
    """Who is asked for CAP_SYS_ADMIN."""

    NOBODY = "v2 to v13: there is no sysctl"
    BOTH = "v14 to v19: ckpt_unpriv_allowed at 0 asks for it in both calls"
    EACH = "v20 on: 0 asks in both calls, 1 in restart"


@dataclass(frozen=True, slots=True)
class CallNumbers:
    """The calls of a tree on one architecture."""

    checkpoint: int
    restart: int
    clone: int | None = None
    """Of the call that makes a task with a chosen number."""


@dataclass(frozen=True, slots=True)
class Generation:
    """One tree, and the postings made from it."""

    name: str
    title: str
    dialect: str
    """Of the images that it writes and reads."""
    release: str
    """What uname says of its kernel."""
    numbers: Mapping[str, CallNumbers] | None
    """By ABI; None: those of the kernel model's own table."""
    clone: str = "eclone"
    """Name of the call that makes a task with a chosen number; empty: there is none."""
    has_log: bool = True
    """The calls have a fourth argument, the log's descriptor (from v19 on)."""
    checkpoint_flags: int = t.CHECKPOINT_SUBTREE
    restart_flags: int = (
        t.RESTART_TASKSELF
        | t.RESTART_FROZEN
        | t.RESTART_GHOST
        | t.RESTART_KEEP_LSM
        | t.RESTART_CONN_RESET
    )
    gauge: Gauge = Gauge.EACH
    has_trees: bool = True
    """checkpoint saves the tree below `pid` (from v9 on); else the caller, whatever it says."""
    has_containers: bool = True
    """Without SUBTREE, `pid` must be a container's init, frozen, and nothing may leak out."""
    string_type: int = t.HDR_STRING
    """In which record the text of a failed checkpoint is; 0: it writes none (before v14)."""

    @property
    def is_native(self) -> bool:
        """It has the format that restart knows, and records of ours in it."""
        return self.dialect == NATIVE

    def moved(self, arch: str, abis: tuple[str, ...]) -> Mapping[str, Mapping[str, int | None]]:
        """For each ABI of a kernel, where the calls are that the kernel model has elsewhere."""
        if self.numbers is None:
            return {}
        ported = arch in self.numbers
        return {abi: self._moved(self.numbers.get(abi) if ported else None) for abi in abis}

    def _moved(self, numbers: CallNumbers | None) -> dict[str, int | None]:
        found: dict[str, int | None] = {"eclone": None, CHECKPOINT: None, RESTART: None}
        if numbers is not None:
            found[CHECKPOINT], found[RESTART] = numbers.checkpoint, numbers.restart
            if self.clone:
                found[self.clone] = numbers.clone
        return found

    def write(self, native: Bytes) -> bytes:
        """A native image as this tree wrote it.

        Raises ImageError, its errno that of the calls, for what it had no place for.
        """
        if self.is_native:
            return bytes(native)
        try:
            return find(self.dialect).write(native).image
        except ImageError as bad:
            bad.errno = ENOSYS.errno
            raise

    def read(self, image: Bytes) -> bytes:
        """The native image of one that this tree wrote. Raises ImageError for any other."""
        if self.is_native:
            return bytes(image)
        dialect = recognize(image)
        if dialect is None or dialect.name != self.dialect:
            found = f"one of {dialect.name}" if dialect is not None else "another, or none"
            sentence = f"a kernel of {self.name} restarts its own images alone, this is {found}"
            raise ImageError(0, "HEADER", sentence)
        return dialect.read(image)


_OF_2008 = CallNumbers(333, 334)
_OF_2009 = CallNumbers(323, 324, 325)
_ON_2_6_33 = CallNumbers(324, 325, 323)
_ON_2_6_37 = CallNumbers(346, 347, 345)
_NUMBERS_V13 = {"x86_32": _OF_2008, "ppc32": CallNumbers(319, 320), "ppc64": CallNumbers(319, 320)}
_NUMBERS_V18 = {"x86_32": CallNumbers(338, 339, 337), "ppc32": _OF_2009, "ppc64": _OF_2009}
_NUMBERS_V20 = {
    "x86_32": CallNumbers(339, 340, 338),
    "x86_64": CallNumbers(301, 302, 300),
    "ppc32": _ON_2_6_33,
    "ppc64": _ON_2_6_33,
}
_NUMBERS_V23_RC1 = {
    "x86_32": CallNumbers(342, 343, 341),
    "x86_64": CallNumbers(304, 305, 303),
    "ppc32": _ON_2_6_37,
    "ppc64": _ON_2_6_37,
}
_OLDEST = {
    "clone": "",
    "has_log": False,
    "checkpoint_flags": 0,
    "restart_flags": 0,
    "gauge": Gauge.NOBODY,
    "has_containers": False,
    "string_type": 0,
}
LAST = Generation(
    "v23",
    "the last, on 3.0 (2012)",
    NATIVE,
    UtsNamespace.release.decode(),
    None,
    checkpoint_flags=t.CHECKPOINT_SUBTREE | t.CHECKPOINT_NETNS,
)
_ALL = (
    Generation(
        "v2",
        "August 2008: a process saves itself",
        "v2",
        "2.6.27-rc3-cr-v2",
        {"x86_32": _OF_2008},
        has_trees=False,
        **_OLDEST,  # type: ignore[arg-type]
    ),
    Generation(
        "v13",
        "January 2009, and the port to PowerPC on it",
        "v13",
        "2.6.29-rc2-cr-v13",
        _NUMBERS_V13,
        **_OLDEST,  # type: ignore[arg-type]
    ),
    Generation(
        "v18",
        "September 2009",
        "v18",
        "2.6.31-ckpt-v18",
        _NUMBERS_V18,
        clone="clone_with_pids",
        has_log=False,
        restart_flags=t.RESTART_TASKSELF | t.RESTART_FROZEN | t.RESTART_GHOST,
        gauge=Gauge.BOTH,
        string_type=4,
    ),
    Generation("v20", "March 2010", "v20", "2.6.33-ckpt-v20", _NUMBERS_V20),
    Generation(
        "v21",
        "May 2010",
        "v21",
        "2.6.34-rc5-ckpt-v21",
        _NUMBERS_V20,
        checkpoint_flags=LAST.checkpoint_flags,
    ),
    Generation(
        "v23-rc1",
        "January 2011",
        "v23-rc1",
        "2.6.37-ckpt-v23-rc1",
        _NUMBERS_V23_RC1,
        checkpoint_flags=LAST.checkpoint_flags,
    ),
    LAST,
)
GENERATIONS: Mapping[str, Generation] = MappingProxyType({one.name: one for one in _ALL})
"""By the name that `abi` of a boot takes; the oldest first."""


def generation_of(kernel: Kernel) -> Generation:
    """Which one a kernel was booted as."""
    return GENERATIONS[kernel.generation]


def generation_named(name: str) -> Generation:
    """The one of that name. Raises ValueError, with a sentence."""
    if name not in GENERATIONS:
        raise ValueError(f"no abi is called {name!r}; there are {', '.join(GENERATIONS)}")
    return GENERATIONS[name]
