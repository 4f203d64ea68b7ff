"""Programs of Debian's that `make test-real` brings: where they are."""

import os
import shutil
from pathlib import Path

FOLDER = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "linux-cr" / "debian"


def busybox(architecture: str) -> Path | None:
    """A static busybox of a Debian architecture (its package busybox-static)."""
    candidates = [FOLDER / architecture / "bin" / "busybox"]
    if architecture == "amd64":
        candidates.append(Path(shutil.which("busybox") or "/bin/busybox"))
    return next((path for path in candidates if _is_static(path)), None)


def _is_static(path: Path) -> bool:
    from emu.elf import NotAnElf, parse

    try:
        return parse(path.read_bytes()).interpreter is None
    except (OSError, NotAnElf):
        return False
