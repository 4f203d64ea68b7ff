"""The project's own Python files, read once: what the house rules look at."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = ("emu", "kernel_model", "cr", "guests")
EVERYTHING = (*PRODUCT, "tests", "bench")


@dataclass(frozen=True)
class Source:
    """One file: its path below the project's root, and its text."""

    path: PurePosixPath
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, str(self.path))

    @property
    def module(self) -> str:
        """The dotted name under which it is imported."""
        parts = self.path.with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    @property
    def is_product(self) -> bool:
        return self.path.parts[0] in PRODUCT


def all_sources() -> list[Source]:
    return list(_read_all())


def snippet(path: str, text: str) -> Source:
    """A file that exists only in a test."""
    return Source(PurePosixPath(path), text)


def _read_all() -> Iterator[Source]:
    for room in EVERYTHING:
        for path in sorted((ROOT / room).rglob("*.py")):
            relative = PurePosixPath(path.relative_to(ROOT).as_posix())
            yield Source(relative, path.read_text(encoding="utf-8"))
