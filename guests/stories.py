"""Stories: what the head comment of a guest program promises.

A guest is C plus a few comment keys, no more. The head comment is one sentence of what the story
is, and then keys; a key with an empty value is followed by an indented block:

    /* Counts to n, with a checkpoint place at every number.
     *
     * args: 3
     * prints:
     *     1
     *     2
     */

| key         | meaning                                                           | default       |
|-------------|-------------------------------------------------------------------|---------------|
| prints      | the whole console text, or                                        | nothing       |
| prints-like | a regular expression which the whole console text matches         |               |
| arches      | the modes in which the story makes sense                          | all four      |
| cr          | at-points, every-syscall, or never followed by a reason           | both places   |
| libc        | none (our runtime), musl, or both                                 | none          |
| exits       | the exit status; 128 + n if signal n ends it                      | 0             |
| order       | fixed, or any: tasks may run in any order, the text is the same   | fixed         |
| needs       | instruction sets beyond the baseline: altivec, vsx                |               |
| args        | the arguments, split as a shell would                             |               |
| stdin       | what file descriptor 0 reads; at its end, end of file             | nothing       |
| abi         | the tree of linux-cr that its kernel is of: v2, v13 ...           | v23, the last |
"""

import re
import shlex
import textwrap
from dataclasses import dataclass
from pathlib import Path

ARCHES = ("x86_32", "x86_64", "ppc32", "ppc64")
LIBCS = ("none", "musl", "both")
INSTRUCTION_SETS = ("altivec", "vsx")
CHECKPOINT_PLACES = ("at-points", "every-syscall")
LAST_ABI = "v23"
KEYS = (
    "prints",
    "prints-like",
    "arches",
    "cr",
    "libc",
    "exits",
    "order",
    "needs",
    "args",
    "stdin",
    "abi",
)
# What every story finds in its environment, wherever it runs.
ENVIRONMENT = {"GUEST": "story", "HOME": "/", "PATH": "/usr/bin:/bin"}
GUESTS_FOLDER = Path(__file__).resolve().parent


class StoryError(ValueError):
    """A head comment that cannot be understood: which file, and what is wrong."""


@dataclass(frozen=True, kw_only=True)
class Story:
    """One guest program, and what it promises."""

    path: Path
    summary: str
    prints: str = ""
    prints_like: str | None = None
    arches: tuple[str, ...] = ARCHES
    cr: tuple[str, ...] = CHECKPOINT_PLACES
    never_because: str | None = None
    libc: str = "none"
    exits: int = 0
    any_order: bool = False
    needs: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    stdin: str = ""
    abi: str = LAST_ABI

    @property
    def name(self) -> str:
        """Topic and story, as in `memory/mremap`."""
        return f"{self.path.parent.name}/{self.path.stem}"

    @property
    def builds(self) -> tuple[str, ...]:
        """The ways in which it is built: `freestanding`, `hosted`, or both."""
        return {
            "none": ("freestanding",),
            "musl": ("hosted",),
            "both": ("freestanding", "hosted"),
        }[self.libc]

    def agrees(self, console: str) -> bool:
        """Whether this console text is what the story promises."""
        if self.prints_like is not None:
            return re.fullmatch(self.prints_like, console) is not None
        return console == self.prints


def read_story(path: Path) -> Story:
    """Read the head comment of one C file."""
    return parse_story(path, path.read_text(encoding="utf-8"))


def all_stories(folder: Path = GUESTS_FOLDER) -> list[Story]:
    """Every story, sorted by name; `lib` is the runtime, `tools` are commands."""
    paths = [path for path in folder.glob("*/*.c") if path.parent.name not in ("lib", "tools")]
    return sorted((read_story(path) for path in paths), key=lambda story: story.name)


def find_story(name: str, folder: Path = GUESTS_FOLDER) -> Story:
    """The story of this name, as in `memory/mremap`."""
    path = folder / f"{name}.c"
    if not path.is_file():
        raise StoryError(f"{name}: there is no such story")
    return read_story(path)


def parse_story(path: Path, text: str) -> Story:
    """Understand the head comment in this C text; `path` only names it."""
    summary, values = _split_keys(path, _head_comment(path, text))
    if "prints" in values and "prints-like" in values:
        raise StoryError(f"{path}: prints and prints-like exclude each other")
    places, never_because = _checkpoint_places(path, values.get("cr"))
    return Story(
        path=path,
        summary=summary,
        prints=values.get("prints", ""),
        prints_like=values.get("prints-like"),
        arches=_words(path, "arches", values, ARCHES) or ARCHES,
        cr=places,
        never_because=never_because,
        libc=(_words(path, "libc", values, LIBCS) or ("none",))[0],
        exits=_exit_status(path, values.get("exits", "0")),
        any_order=_any_order(path, values.get("order", "fixed")),
        needs=_words(path, "needs", values, INSTRUCTION_SETS),
        args=tuple(shlex.split(values.get("args", ""))),
        stdin=values.get("stdin", ""),
        abi=values.get("abi", LAST_ABI),
    )


def _head_comment(path: Path, text: str) -> list[str]:
    found = re.match(r"/\*(.*?)\*/", text, re.DOTALL)
    if found is None:
        raise StoryError(f"{path}: the file does not begin with a C comment")
    lines = found[1].split("\n")
    # The first line follows the opening; every other one has a star before it.
    return [lines[0].strip()] + [re.sub(r"^ ?\* ?", "", line).rstrip() for line in lines[1:]]


def _split_keys(path: Path, lines: list[str]) -> tuple[str, dict[str, str]]:
    summary = [lines[0]] if lines[0] else []
    values: dict[str, str] = {}
    block: list[str] | None = None
    blocks: dict[str, list[str]] = {}
    for line in lines[1:]:
        key, colon, value = line.partition(":")
        if colon and re.fullmatch(r"[a-z-]+", key):
            if key not in KEYS:
                raise StoryError(f"{path}: no key is called {key!r}; there are {', '.join(KEYS)}")
            if key in values or key in blocks:
                raise StoryError(f"{path}: {key} is said twice")
            block = None
            if value.strip():
                ends = "\n" if key in ("prints", "stdin") else ""
                values[key] = value.strip() + ends
            else:
                block = blocks[key] = []
        elif block is not None and (not line or line.startswith(" ")):
            block.append(line)
        elif values or blocks:
            if line:
                raise StoryError(f"{path}: {line!r} is no key and not indented below one")
        elif line:
            summary.append(line)
    if not summary:
        raise StoryError(f"{path}: the head comment does not say what the story is")
    for key, body in blocks.items():
        block_text = textwrap.dedent("\n".join(body)).strip("\n")
        if key != "prints-like" and block_text:
            block_text += "\n"
        values[key] = block_text
    return " ".join(summary), values


def _words(path: Path, key: str, values: dict[str, str], known: tuple[str, ...]) -> tuple[str, ...]:
    words = tuple(values.get(key, "").split())
    for word in words:
        if word not in known:
            raise StoryError(f"{path}: {key}: {word!r} is not one of {', '.join(known)}")
    if key == "libc" and len(words) > 1:
        raise StoryError(f"{path}: libc: say none, musl or both")
    return words


def _checkpoint_places(path: Path, value: str | None) -> tuple[tuple[str, ...], str | None]:
    if value is None:
        return CHECKPOINT_PLACES, None
    first, *rest = value.split(maxsplit=1)
    if first == "never":
        if not rest:
            raise StoryError(f"{path}: cr: never: say why")
        return (), rest[0].strip("()")
    return _words(path, "cr", {"cr": value}, CHECKPOINT_PLACES), None


def _any_order(path: Path, value: str) -> bool:
    if value not in ("fixed", "any"):
        raise StoryError(f"{path}: order: {value!r} is neither fixed nor any")
    return value == "any"


def _exit_status(path: Path, value: str) -> int:
    if not re.fullmatch(r"\d{1,3}", value) or int(value) > 255:
        raise StoryError(f"{path}: exits: {value!r} is not an exit status from 0 to 255")
    return int(value)
