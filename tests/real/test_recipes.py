"""The shell recipes of 2009, verbatim: freezer group, checkpoint, kill, restart, our own tools.

busybox is the shell; the tools of guests/tools are the commands.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from guests.stories import GUESTS_FOLDER
from guests.toolchain import build
from tests.harness.debian import busybox_for
from tests.harness.real import make_root, restarted, run

pytestmark = [pytest.mark.real, pytest.mark.slow]
APPLETS = ("sh", "mkdir", "sleep", "cat", "mount", "hostname", "ls", "kill")
MODES = ("x86_32", "x86_64", "ppc32", "ppc64")
TICKS = """/* Says a line five times a second. */
#include "guest.h"
int main(void)
{
    for (int i = 1; i <= 5; i++) {
        struct timespec moment = {0, 200000000};
        nanosleep(&moment, NULL);
        say("tick %d\\n", i);
    }
    return 4;
}
"""
RECIPE = """
exec 2>&1
mkdir /cgroup
mount -t cgroup -o freezer freezer /cgroup
F=/cgroup
mkdir $F/0
ticks &
pid=$!
echo $pid > $F/0/tasks
sleep 0.5
checkpoint -o /tmp/early $pid
echo not frozen: $?
echo FROZEN > $F/0/freezer.state
cat $F/0/freezer.state
checkpoint -o /tmp/image $pid
echo checkpoint: $?
checkpoint -o /tmp/image $pid
echo again: $?
kill -9 $pid
echo THAWED > $F/0/freezer.state
wait $pid
echo original: $?
restart /tmp/image
echo copy: $?
restart /tmp/early
echo no image: $?
"""
SAID = """tick 1
tick 2
[err -16] [pid 6 tsk ticks] Not frozen or wrong cgroup
checkpoint: Resource busy
not frozen: 1
FROZEN
checkpoint: 0
checkpoint: /tmp/image: File exists
again: 1
Killed
original: 137
tick 3
tick 4
tick 5
copy: 4
restart: the image ends before its tree
no image: 1
"""


@pytest.fixture(params=MODES)
def root(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, Path]:
    """(mode, a root with busybox as /bin/sh and the tools)."""
    mode: str = request.param
    program = busybox_for(mode)
    if program is None:
        pytest.skip(f"there is no busybox for {mode}")
    folder = tmp_path / "root"
    folder.mkdir()
    make_root(folder)
    for name in ("busybox", *APPLETS):
        shutil.copy(program, folder / "bin" / name)
    for name in ("checkpoint", "restart", "nsexec"):
        build(GUESTS_FOLDER / "tools" / f"{name}.c", mode, folder / "bin" / name, False)
    ticks = tmp_path / "ticks.c"
    ticks.write_text(TICKS)
    build(ticks, mode, folder / "bin" / "ticks", False)
    return mode, folder


def test_freeze_checkpoint_kill_restart(root: tuple[str, Path]) -> None:
    mode, folder = root
    (folder / "recipe").write_text(RECIPE)
    straight = run(mode, folder, ["/bin/sh", "/recipe"])
    assert straight.console.decode() == SAID
    assert straight.not_modelled == {}
    restarted(mode, folder, ["/bin/sh", "/recipe"], straight, cycles=6)


CONTAINER = """
exec 2>&1
hostname outside
nsexec -u hostname inside
hostname
nsexec -z 77 sh -c 'echo number $$'
nsexec -m sh -c 'mount -t tmpfs none /tmp; echo x >/tmp/hidden; ls /tmp'
ls /tmp
nsexec -pg -P /tmp/number sh -c 'exec ticks </dev/null >/tmp/out 2>&1' &
sleep 0.5
pid=$(cat /tmp/number)
echo FROZEN > /sys/fs/cgroup/freezer/$pid/freezer.state
checkpoint -o /tmp/image $pid
echo subtree: $?
checkpoint -c -o /tmp/whole $pid
echo container: $?
kill -9 $pid
echo THAWED > /sys/fs/cgroup/freezer/$pid/freezer.state
wait
cat /tmp/out
nsexec -p sh -c 'echo I am $$; exit 3'
echo ended: $?
"""
CONTAINER_SAID = """outside
number 77
hidden
subtree: 0
container: 0
tick 1
tick 2
I am 1
ended: 3
"""


def test_containers(root: tuple[str, Path]) -> None:
    mode, folder = root
    (folder / "recipe").write_text(CONTAINER)
    straight = run(mode, folder, ["/bin/sh", "/recipe"])
    assert straight.console.decode() == CONTAINER_SAID
    assert straight.not_modelled == {}
    restarted(mode, folder, ["/bin/sh", "/recipe"], straight, cycles=6)
