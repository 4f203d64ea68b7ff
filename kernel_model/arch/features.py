"""A kernel on a CPU that lacks something: what a program is told, and what becomes SIGILL.

Mirrors: Linux arch/powerpc/kernel/cputable.c (cpu_user_features) and traps.c, where an instruction
         of a unit that the kernel does not serve is illegal.
Not modelled: the VRSAVE register is there without AltiVec too, and belongs to nobody, as in Linux.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kernel_model.arch.abi import Abi


@dataclass(frozen=True)
class Feature:
    """What a CPU of this arch may lack."""

    hwcap: int
    """Its bit in AT_HWCAP."""
    needed_by: tuple[str, ...] = ()
    """The features that go with it."""


def parse(text: str) -> tuple[str, ...]:
    """-altivec,-vsx: the names. Raises ValueError with a sentence."""
    names = []
    for word in text.split(",") if text else ():
        if not word.startswith("-") or len(word) < 2:
            raise ValueError(f"{word!r} is no CPU feature to leave out, such as -altivec")
        names.append(word[1:])
    return tuple(names)


def lacking(abis: tuple[Abi, ...], names: Collection[str]) -> tuple[Abi, ...]:
    """The ABIs of a kernel whose CPU lacks these features. Raises ValueError with a sentence."""
    if not names:
        return abis
    native = abis[0]
    for name in names:
        if name not in native.features:
            known = ", ".join(f"-{each}" for each in native.features) or "nothing"
            raise ValueError(f"a CPU of {native.name} cannot lack {name!r}; it can lack {known}")
    return tuple(_without(abi, names) for abi in abis)


def _without(abi: Abi, names: Collection[str]) -> Abi:
    gone = set(names)
    for name in names:
        gone.update(abi.features[name].needed_by if name in abi.features else ())
    hwcap = abi.hwcap
    for name in gone & set(abi.features):
        hwcap &= ~abi.features[name].hwcap
    return replace(abi, hwcap=hwcap, absent_units=frozenset(gone))
