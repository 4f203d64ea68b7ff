"""docs/LIMITS.md: what cannot be checkpointed, read from the refusals themselves.

Checkpoint refuses in one way: `ctx.refuse(ERRNO, sentence)`. This reads those calls in the sources
of `cr`, so the list cannot say anything that the code does not.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cr

_HEAD = """# What cannot be checkpointed

Made from the sources by `python -m cr.cli.documents`; do not edit.

Every refusal of `sys_checkpoint` and of `kernel.checkpoint()`, in the file that knows the object.
The log line and the ERROR record name the task; `…` stands for a name or a number.
What has no system call here (ptrace, hugetlb, AIO, POSIX message queues) cannot be met; such calls
are in docs/SYSCALLS.md. A restart refuses what docs/FORMAT.md does not allow, with EINVAL.
"""


@dataclass(frozen=True, order=True)
class Limit:
    """One refusal."""

    where: str
    line: int
    errno: str
    sentence: str


def limits() -> list[Limit]:
    """All refusals of a checkpoint, by file and line."""
    folder = Path(cr.__file__).parent
    paths = [*folder.glob("*.py"), *(folder / "arch").glob("*.py")]
    return sorted(limit for path in paths for limit in _limits_of(path, folder))


def _limits_of(path: Path, folder: Path) -> Iterator[Limit]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        if (
            node.func.attr == "refuse"
            and len(node.args) == 2
            and isinstance(node.args[0], ast.Name)
        ):
            where = path.relative_to(folder.parent).as_posix()
            yield Limit(where, node.lineno, node.args[0].id, _words(node.args[1]))


def _words(text: ast.expr) -> str:
    if isinstance(text, ast.Constant):
        return str(text.value)
    if isinstance(text, ast.JoinedStr):
        return "".join(_words(part) for part in text.values)
    return "…"


def format_document() -> str:
    """The page."""
    lines = [_HEAD, "| where | errno | because |", "|---|---|---|"]
    told = dict.fromkeys((each.where, each.errno, each.sentence) for each in limits())
    lines += [f"| `{where}` | {errno} | {sentence} |" for where, errno, sentence in told]
    return "\n".join(lines) + "\n"
