"""Programs of Debian's that `make test-real` brings, or builds: where they are."""

import os
import shutil
from pathlib import Path

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "linux-cr"
FOLDER = CACHE / "debian"
BUILT = CACHE / "built"
"""By mode: programs that Debian has no binaries of, built from source."""

LIBRARIES = {"amd64": "x86_64-linux-gnu", "i386": "i386-linux-gnu"}
LOADERS = {"amd64": "lib64/ld-linux-x86-64.so.2", "i386": "lib/ld-linux.so.2"}


def busybox(architecture: str) -> Path | None:
    """A static busybox of a Debian architecture (its package busybox-static)."""
    candidates = [FOLDER / architecture / "bin" / "busybox"]
    if architecture == "amd64":
        candidates.append(Path(shutil.which("busybox") or "/bin/busybox"))
    return next((path for path in candidates if _is_static(path)), None)


def program(architecture: str, path: str) -> Path | None:
    """A program of a package that was unpacked aside; else, of this machine's own packages."""
    aside = FOLDER / architecture / path
    if aside.is_file():
        return aside
    own = Path("/") / path
    return own if architecture == "amd64" and own.is_file() else None


def built(mode: str, name: str) -> Path | None:
    """A program that was built from source for a mode."""
    path = BUILT / mode / name
    return path if path.is_file() else None


def busybox_for(mode: str) -> Path | None:
    """A static busybox for a mode: Debian's, or built from Debian's source for PowerPC."""
    architecture = {"x86_32": "i386", "x86_64": "amd64"}.get(mode)
    return busybox(architecture) if architecture else built(mode, "busybox")


def copy_libraries(architecture: str, root: Path, names: tuple[str, ...]) -> bool:
    """Put the dynamic loader and some libraries into a root; False if one is missing."""
    base = FOLDER / architecture if architecture != "amd64" else Path("/")
    triple = LIBRARIES[architecture]
    loader = LOADERS[architecture]
    sources = [(base / loader, root / loader)]
    for name in names:
        found = [base / top / triple / name for top in ("lib", "usr/lib")]
        source = next((path for path in found if path.exists()), found[0])
        sources.append((source, root / "lib" / triple / name))
    for source, target in sources:
        if not source.exists():
            return False
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)
    return True


def _is_static(path: Path) -> bool:
    from emu.elf import NotAnElf, parse

    try:
        return parse(path.read_bytes()).interpreter is None
    except (OSError, NotAnElf):
        return False
