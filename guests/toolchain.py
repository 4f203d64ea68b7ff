"""Tool chain: one C story becomes one static ELF program, for any of the four modes.

The compiler is the `ziglang` package: a C compiler with musl for every target, installed like any
other Python package, so no cross compiler of the system is needed. The same source gives the same
bytes on every machine: nothing of paths, dates or build ids gets into the program. That is why a
program can be kept in a cache under the hash of everything that went into it.

Baselines: x86-32 has SSE2, x86-64 no AVX, ppc32 is a plain 32-bit core without AltiVec, ppc64 is
a 970. A story that wants more says so with `needs:`.

    python -m guests.toolchain guests/basics/counter.c -a ppc64 -o counter
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

from guests.stories import ARCHES, Story, StoryError, read_story

LIB_FOLDER = Path(__file__).resolve().parent / "lib"
FIRST_SOURCE = LIB_FOLDER / "program.c"
"""An empty file. zig keeps objects by flags and by the name of a program's first source: were that
the story's, the runtime would be compiled anew for each program."""
COMMON_FLAGS = (
    "-static",
    "-O2",
    "-std=gnu11",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-fno-pie",
    "-fno-stack-protector",
    "-fno-sanitize=all",
    "-fno-asynchronous-unwind-tables",
    "-fno-strict-aliasing",
    "-ffp-contract=off",
    "-Wl,--build-id=none",
    "-s",
)
FREESTANDING_FLAGS = ("-ffreestanding", "-nostdlib", "-nostdlibinc")
FREESTANDING_SOURCES = ("runtime.c", "text.c", "say.c")
HOSTED_FLAGS = ("-DGUEST_HOSTED",)
HOSTED_SOURCES = ("say.c",)


class BuildError(Exception):
    """The program could not be built; the message has the compiler's own words."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """How one mode is asked for."""

    triple: str
    cpu: str
    cpus_for_needs: dict[str, str] = field(default_factory=dict)


TARGETS = {
    "x86_32": Target(triple="x86-linux-musl", cpu="pentium4"),
    "x86_64": Target(triple="x86_64-linux-musl", cpu="x86_64"),
    "ppc32": Target(
        triple="powerpc-linux-musleabihf", cpu="ppc", cpus_for_needs={"altivec": "7400"}
    ),
    "ppc64": Target(
        triple="powerpc64-linux-musl", cpu="970", cpus_for_needs={"altivec": "970", "vsx": "pwr7"}
    ),
}


def build(
    source: Path | str,
    arch: str,
    output: Path | str,
    freestanding: bool | None = None,
    *,
    cache: Path | str | None = None,
    story_only: bool = True,
    stripped: bool = True,
) -> Path:
    """Build one story for one mode; answer the path of the program.

    Without `freestanding`, the story's own `libc:` decides, and `both` means freestanding.
    With `story_only` False it may be any C file; then warnings are no errors. `cache` is a folder
    for finished programs; the default is the user's cache folder. `stripped` False leaves the names
    of functions and variables in.
    """
    source, output = Path(source), Path(output)
    flags, sources = plan(source, arch, freestanding, story_only=story_only)
    if not stripped:
        flags.remove("-s")
        flags.append("-g0")  # zig: names of functions and variables, and nothing of paths
    kept = (Path(cache) if cache is not None else default_cache()) / _key(flags, sources)
    if not kept.is_file():
        kept.parent.mkdir(parents=True, exist_ok=True)
        _compile(flags, sources, kept)
    output.parent.mkdir(parents=True, exist_ok=True)
    _replace_with_copy(kept, output)
    return output


def default_cache() -> Path:
    """The folder where finished programs are kept."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "linux-cr" / "guests"


def plan(
    source: Path, arch: str, freestanding: bool | None, *, story_only: bool = True
) -> tuple[list[str], list[Path]]:
    """The compiler's flags and the C files for one program."""
    if arch not in TARGETS:
        raise BuildError(f"no mode is called {arch!r}; there are {', '.join(TARGETS)}")
    try:
        story = read_story(source)
    except StoryError as error:
        if story_only:
            raise BuildError(f"cannot read the story: {error}") from error
        story = Story(path=source, summary="", libc="musl")
    except (OSError, UnicodeDecodeError) as error:
        raise BuildError(f"cannot read the story: {error}") from error
    if freestanding is None:
        freestanding = story.libc != "musl"
    target = TARGETS[arch]
    cpu = target.cpu
    for need in story.needs:
        if need not in target.cpus_for_needs:
            raise BuildError(f"{source}: {arch} cannot have what the story needs: {need}")
        cpu = target.cpus_for_needs[need]
    common = [flag for flag in COMMON_FLAGS if story_only or flag != "-Werror"]
    flags = ["-target", target.triple, f"-mcpu={cpu}", *common]
    flags += FREESTANDING_FLAGS if freestanding else HOSTED_FLAGS
    own = FREESTANDING_SOURCES if freestanding else HOSTED_SOURCES
    return flags, [source, *(LIB_FOLDER / name for name in own)]


def _key(flags: Sequence[str], sources: Sequence[Path]) -> str:
    """A hash over everything that can change the program."""
    digest = hashlib.sha256()
    headers = [*LIB_FOLDER.rglob("*.h"), *sources[0].parent.glob("*.h")]
    for text in (_compiler_version(), *flags):
        digest.update(text.encode() + b"\0")
    for path in (FIRST_SOURCE, *sources, *sorted(headers)):
        content = path.read_bytes()
        digest.update(f"{path.name} {len(content)}\0".encode() + content)
    return f"{sources[0].stem}-{digest.hexdigest()[:32]}"


def _compiler_version() -> str:
    try:
        return metadata.version("ziglang")
    except metadata.PackageNotFoundError as error:
        message = "the compiler is missing: python -m pip install ziglang"
        raise BuildError(message) from error


def _compile(flags: Sequence[str], sources: Sequence[Path], output: Path) -> None:
    story, *runtime = (path.resolve() for path in sources)
    with tempfile.TemporaryDirectory(dir=output.parent) as scratch:
        program = Path(scratch) / "program"
        command = [sys.executable, "-m", "ziglang", "cc", *flags]
        command += [f"-ffile-prefix-map={LIB_FOLDER}=lib", "-I", str(LIB_FOLDER)]
        command += [str(FIRST_SOURCE), f"./{story.name}", *map(str, runtime)]
        if "-nostdlib" in flags:
            command.append("-lcompiler_rt")  # 64-bit division on 32-bit modes
        command += ["-o", str(program.resolve())]
        done = subprocess.run(
            command, cwd=story.parent, capture_output=True, text=True, check=False
        )
        if done.returncode != 0 or not program.is_file():
            words = (done.stderr + done.stdout).strip()
            raise BuildError(f"{sources[0]} does not build:\n{words}")
        os.replace(program, output)


def _replace_with_copy(kept: Path, output: Path) -> None:
    # Never write into a file in place: another process may be running it.
    handle, name = tempfile.mkstemp(dir=output.parent, prefix=output.name)
    os.close(handle)
    try:
        shutil.copyfile(kept, name)
        os.chmod(name, 0o755)
        os.replace(name, output)
    except OSError:
        os.unlink(name)
        raise


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line: build one file."""
    parser = argparse.ArgumentParser(prog="python -m guests.toolchain", description=build.__doc__)
    parser.add_argument("source", type=Path, metavar="FILE.c")
    parser.add_argument("-a", "--arch", required=True, choices=ARCHES)
    parser.add_argument("-o", "--output", required=True, type=Path)
    parser.add_argument("--hosted", action="store_true", help="link musl")
    parser.add_argument("--freestanding", action="store_true", help="link our own runtime")
    parser.add_argument("--cache", type=Path, help="keep finished programs in this folder")
    options = parser.parse_args(arguments)
    if options.hosted and options.freestanding:
        parser.error("--hosted and --freestanding exclude each other")
    freestanding = options.freestanding if options.hosted or options.freestanding else None
    try:
        build(options.source, options.arch, options.output, freestanding, cache=options.cache)
    except BuildError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
