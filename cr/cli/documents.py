"""Writes the generated documents: `python -m cr.cli.documents [FOLDER]`.

docs/FORMAT.md comes from the records of the image, docs/DIALECTS.md from those of older versions,
docs/GENERATIONS.md from the table of linux-cr's trees, docs/SYSCALLS.md from the declared calls,
docs/LIMITS.md from the refusals in the sources.
"""

from __future__ import annotations

import sys
from pathlib import Path

from cr.cli import generations, limits
from cr.image import schema
from cr.image.dialects import document as dialects
from cr.system import ARCHES, modules
from kernel_model.syscalls import document


def documents() -> dict[str, str]:
    """Name -> text."""
    abis = {name: native[0] for name, native in ARCHES.items()}
    return {
        "DIALECTS.md": dialects.format_document(),
        "FORMAT.md": schema.format_document(),
        "GENERATIONS.md": generations.format_document(),
        "LIMITS.md": limits.format_document(),
        "SYSCALLS.md": document.format_document(modules(), abis),
    }


def main(folder: str = "docs") -> None:
    """Write them all."""
    for name, text in documents().items():
        Path(folder, name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
