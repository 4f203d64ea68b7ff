"""How a system call is declared: the annotations are the ABI.

    @syscall(partial="O_DIRECT is refused with EINVAL")
    def pipe2(task: Task, fildes: Ptr, flags: Flags) -> int:
        \"\"\"Create a pipe; store the two descriptors at `fildes`.\"\"\"

The parameter annotations say how an argument is decoded from registers (sign, width, pairs on
32-bit ABIs), how the trace prints it and what docs/SYSCALLS.md shows. A declared handler is a
value (`Syscall`); the kernel's table is built at boot from the list of modules it is given.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from types import ModuleType
from typing import Annotated, Any


class Kind(Enum):
    """How one argument travels and prints."""

    INT = "int"  # a C int: 32 bits, signed
    UINT = "uint"  # a C unsigned int: 32 bits
    LONG = "long"  # a word of the ABI, signed
    SIZE = "size"  # a word of the ABI, unsigned
    OFF64 = "off64"  # loff_t: one register, or a pair of them on 32-bit ABIs
    PTR = "ptr"  # a user address
    PATH = "path"  # a user address of a C string; the handler receives the bytes
    FLAGS = "flags"  # as UINT, printed in hex


Int = Annotated[int, Kind.INT]
Fd = Annotated[int, Kind.INT]
UInt = Annotated[int, Kind.UINT]
Long = Annotated[int, Kind.LONG]
Off = Annotated[int, Kind.LONG]
Size = Annotated[int, Kind.SIZE]
Off64 = Annotated[int, Kind.OFF64]
Ptr = Annotated[int, Kind.PTR]
Path = Annotated[bytes, Kind.PATH]
Flags = Annotated[int, Kind.FLAGS]

Handler = Callable[..., int]


@dataclass(frozen=True, eq=False)
class Syscall:
    """A handler with what its declaration says."""

    name: str
    handler: Handler
    kinds: tuple[Kind, ...]
    parameters: tuple[str, ...]
    partial: str | None
    doc: str


def syscall(*, name: str | None = None, partial: str | None = None) -> Callable[[Handler], Syscall]:
    """Declare a handler. `partial` says in words what is missing compared with Linux."""

    def declare(handler: Handler) -> Syscall:
        parameters = list(inspect.signature(handler).parameters)[1:]
        # eval_str resolves the postponed annotations while Annotated metadata is kept.
        hints = inspect.get_annotations(handler, eval_str=False)
        scope = {**handler.__globals__}
        kinds = tuple(_kind(hints[p], scope, handler.__name__, p) for p in parameters)
        return Syscall(
            name or handler.__name__,
            handler,
            kinds,
            tuple(parameters),
            partial,
            inspect.getdoc(handler) or "",
        )

    return declare


def _kind(hint: Any, scope: dict[str, Any], function: str, parameter: str) -> Kind:
    resolved = scope.get(hint) if isinstance(hint, str) else hint
    for meta in getattr(resolved, "__metadata__", ()):
        if isinstance(meta, Kind):
            return meta
    raise TypeError(f"{function}({parameter}): {hint!r} is not an argument kind of declare.py")


def declared(module: ModuleType) -> list[Syscall]:
    """The system calls that a module declares, in the order of its text."""
    return [value for value in vars(module).values() if isinstance(value, Syscall)]
