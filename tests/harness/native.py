"""Run a guest program on a real Linux: the truth that the emulated one is measured by.

x86 programs run as they are, PowerPC programs under qemu's user mode, each in an empty folder of
its own, with a fixed environment.
"""

import os
import platform
import shutil
import signal
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from guests.stories import ENVIRONMENT, Story
from guests.toolchain import build

# The oldest CPU that has what the tool chain's baseline has: a program that uses more is found out.
RUNNERS: dict[str, tuple[str, ...]] = {
    "x86_32": (),
    "x86_64": (),
    "ppc32": ("qemu-ppc", "-cpu", "750"),
    "ppc64": ("qemu-ppc64", "-cpu", "970"),
}
RUNNERS_FOR_NEEDS: dict[tuple[str, str], tuple[str, ...]] = {
    ("ppc32", "altivec"): ("qemu-ppc", "-cpu", "7400"),
    ("ppc64", "vsx"): ("qemu-ppc64", "-cpu", "power7"),
}
TIMEOUT_SECONDS = 60
# Stories that need CAP_SYS_ADMIN (ipc/first_page: CAP_SYS_RAWIO).
NEEDS_RIGHTS = {
    "files/removed_root",
    "ipc/first_page",
    "namespaces/hidden",
    "namespaces/ipc",
    "namespaces/mount_errors",
    "namespaces/mount_namespaces",
    "namespaces/mounts",
    "namespaces/setns",
    "namespaces/watched_mount",
    "process/proc_tasks",
    "sockets/devices",
    "terminals/instances",
}

# What no kernel of today does any more. The story's own comment says it too.
OLDER_LINUX: dict[str, str] = {
    "namespaces/users": "user namespaces map ids since 3.8",
    "process/no_cpu_time": "a limit of no CPU time ends the process at its next tick now",
}

# What qemu's user mode gets wrong. The story's own comment says it too.
QEMU_DEVIATES: dict[str, str] = {
    "files/bad_buffers": "it looks at every buffer first",
    "ipc/first_page": "it rounds an address of shmat in its own way",
    "memory/holes": "it forgets nothing of a range with a hole",
    "memory/around": "it looks at ranges of memory in its own way",
    "process/looking_into": "it has no get_robust_list",
    "signals/wait_killed": "it takes what would end the process",
    "sockets/levels": "it reads options and timeouts in its own way",
    "files/large": "it opens everything with O_LARGEFILE",
    "memory/data_limit": "it has no RLIMIT_DATA",
    "process/user_limits": "its own threads count as the user's processes",
    "process/proc_sys": "/proc/self/statm is its own",
    "libc/interfaces": "it waits for ever for an answer by netlink",
    "sockets/devices": "it refuses CLONE_NEWNET",
    "sockets/new_network": "it refuses CLONE_NEWNET",
    "sockets/pass_fds": "it makes more room for descriptors than the program gave",
    "sockets/unix_edges": "it has no SO_PEERNAME",
    "memory/shared_anonymous": "it refuses mremap with an old size of zero",
    "locks/whole_file": "it opens to read and write what is opened for neither",
    "locks/lease": "it does not swap si_fd",
    "signals/sigio_sockets": "it does not swap si_fd",
    "signals/sigio": "it does not swap si_band and si_fd",
    "processes/exec_from_thread": "it executes no PowerPC programs",
    "processes/pi_futex": "Linux reads the words in the other byte order",
    "processes/pi_owner_dies": "Linux reads the words in the other byte order",
    "processes/pi_mutex": "Linux reads the words in the other byte order",
    "scheduling/inheritance": "Linux reads the words in the other byte order",
    "scheduling/proc_stat": "its /proc/PID/stat shows zeros",
    "processes/robust": "it has no set_robust_list",
    "namespaces/pid_init_ends": "its clone has no new namespaces",
    "namespaces/ipc": "its clone has no new namespaces",
    "files/dnotify": "it does not swap si_fd",
    "jobs/group_errors": "it executes no PowerPC programs",
    "process/efault": "it looks at pointers in another order, and converts structures first",
    "process/efault_order": "it looks at pointers before the call does",
    "processes/execveat": "it executes no PowerPC programs",
    "processes/membarrier": "it executes no PowerPC programs",
    "namespaces/mount_errors": "it maps nothing executable",
    "process/proc_tasks": "its own threads are in /proc/self/task",
    "files/busy_text": "it executes no PowerPC programs",
    "terminals/controlling": "it does not swap the number that TIOCGSID gives",
    "terminals/settings": "it has no TCGETA",
    "signals/segv_address": "it says SEGV_MAPERR where Linux says SEGV_ACCERR",
}


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a program did, seen from outside."""

    console: str
    status: int


def runner_for(story: Story, arch: str) -> tuple[str, ...]:
    """The command before the program; nothing if the machine runs the program itself."""
    for need in story.needs:
        if (arch, need) in RUNNERS_FOR_NEEDS:
            return RUNNERS_FOR_NEEDS[arch, need]
    return RUNNERS[arch]


@cache
def may_make_namespaces() -> bool:
    """Whether this process has CAP_SYS_ADMIN, as far as unshare(1) can tell."""
    tool = shutil.which("unshare")
    if tool is None:
        return False
    done = subprocess.run([tool, "--ipc", "true"], capture_output=True, check=False)
    return done.returncode == 0


def why_not(story: Story, arch: str) -> str | None:
    """Why this machine cannot tell the truth about this story; None if it can."""
    if story.name.startswith(("checkpoint/", "generations/")):
        return "no kernel of today has the system calls checkpoint and restart"
    if story.name in OLDER_LINUX:
        return f"this kernel is too young: {OLDER_LINUX[story.name]}"
    runner = runner_for(story, arch)
    if story.name in NEEDS_RIGHTS and not may_make_namespaces():
        return "new namespaces need rights that this machine does not give"
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
    return run_program([*runner_for(story, arch), str(program), *story.args], story.stdin, work)


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
        preexec_fn=as_usual,
    )
    status = done.returncode if done.returncode >= 0 else 128 - done.returncode
    return Outcome(console=done.stdout.decode("latin-1"), status=status)


def as_usual() -> None:
    """In a new process: as at a prompt, whatever the tests themselves were started with."""
    os.umask(0o022)
    for signo in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):  # a shell's &, nohup
        signal.signal(signo, signal.SIG_DFL)
    with suppress(PermissionError):  # whoever is nicer may not go back
        os.setpriority(os.PRIO_PROCESS, 0, 0)
