"""Run a guest program on a real Linux: the truth that the emulated one is measured by.

x86 programs run as they are, PowerPC programs under qemu's user mode, each in an empty folder of
its own, with a fixed environment.
"""

import os
import platform
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from guests.stories import Story
from guests.toolchain import build

RUNNERS: dict[str, tuple[str, ...]] = {
    "x86_32": (),
    "x86_64": (),
    "ppc32": ("qemu-ppc",),
    "ppc64": ("qemu-ppc64",),
}
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LANG": "C", "GUEST": "yes"}
TIMEOUT_SECONDS = 60

# What qemu's user mode gets wrong. The story's own comment says it too.
QEMU_DEVIATES: dict[str, str] = {}


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a program did, seen from outside."""

    console: str
    status: int


def why_not(story: Story, arch: str) -> str | None:
    """Why this machine cannot tell the truth about this story; None if it can."""
    runner = RUNNERS[arch]
    if not runner:
        if platform.system() == "Linux" and platform.machine() in ("x86_64", "AMD64"):
            return None
        return f"this machine does not run {arch} programs"
    if shutil.which(runner[0]) is None:
        return f"{runner[0]} is not installed"
    if story.name in QEMU_DEVIATES:
        return f"{runner[0]} deviates from Linux: {QEMU_DEVIATES[story.name]}"
    return None


def run_native(story: Story, arch: str, kind: str, folder: Path) -> Outcome:
    """Build the story (`kind` is freestanding or hosted) and run it in an empty folder."""
    program = build(story.path, arch, folder / "program", kind == "freestanding")
    work = folder / "work"
    work.mkdir()
    return run_program([*RUNNERS[arch], str(program), *story.args], story.stdin, work)


def run_program(command: Sequence[str], stdin: str, folder: Path) -> Outcome:
    """Run one command; a death by signal is reported as a shell would, 128 + signal."""
    done = subprocess.run(
        command,
        input=stdin.encode(),
        stdout=subprocess.PIPE,
        cwd=folder,
        env=ENVIRONMENT,
        timeout=TIMEOUT_SECONDS,
        check=False,
        preexec_fn=_usual_umask,
    )
    status = done.returncode if done.returncode >= 0 else 128 - done.returncode
    return Outcome(console=done.stdout.decode("latin-1"), status=status)


def _usual_umask() -> None:
    os.umask(0o022)
