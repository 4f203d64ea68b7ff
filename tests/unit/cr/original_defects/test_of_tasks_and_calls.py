"""The original's own defects, one test each, by their numbers: tasks, objects, calls."""

from __future__ import annotations

import importlib
import pkgutil
import struct
from types import SimpleNamespace
from typing import Any

import pytest

import cr
import cr.syscalls
import kernel_model
from cr import ipc
from cr.collect import check_contained
from cr.context import Checkpoint, Refused, Restart
from cr.image import types as t
from cr.image.walk import walk
from cr.syscalls import restart
from cr.testing.mutation import Anatomy
from cr.tree import tasks_of
from cr.until import Ended
from guests.stories import ARCHES, find_story
from kernel_model.abi.errno import EBUSY, LinuxError
from kernel_model.abi.fcntl import O_CREAT, O_RDWR
from kernel_model.boot import bare_task
from kernel_model.clone import CloneArgs, copy_process
from kernel_model.dump import dump
from kernel_model.freezer import FreezerState
from kernel_model.signals import SIGCHLD, SigInfo, send, set_blocked
from kernel_model.syscalls.dispatch import Replaced
from kernel_model.waitqueue import Sleep
from tests.harness.frozen_trees import frozen_tree
from tests.harness.hostile import Anvil, specimen
from tests.harness.model import assert_same, cycled, every_call, run_cycled, run_straight, start
from tests.harness.tiny_tasks import opened, pausing, restarted
from tests.properties.test_failing_writes import IMAGE_FD, call, running
from tests.unit.cr.original_defects.test_of_the_image import changed, image_of, refusal

each_arch = pytest.mark.parametrize("arch", ARCHES)


def every_call_is_invisible(name: str, arch: str) -> None:
    story = find_story(name)
    case = (story, arch, story.builds[0])
    assert_same(run_cycled(*case, every_call()), run_straight(*case))


@each_arch
def test_01_the_first_error_is_in_the_image(arch: str) -> None:
    """The record was written only after a second error."""
    tree = frozen_tree("processes/zombies", arch, cr.after_syscalls(8))
    tree.root.frozen = False
    with pytest.raises(LinuxError):
        tree.checkpoint()
    image = tree.image()
    order = tree.kernel.abis[0].order
    assert struct.unpack_from(f"{order}II", image) == (t.HDR_ERROR, 8)
    assert struct.unpack_from(f"{order}II", image, 8) == (t.HDR_STRING, len(image) - 8)
    assert image[16:].startswith(b"\0[err -16] ") and b"Not frozen" in image
    tree.kernel.power_off()


@each_arch
def test_04_a_table_with_holes(arch: str) -> None:
    """Locks were looked up before it was known whether there is a file."""
    kernel, task = pausing(arch)
    opened(task, b"/a", O_RDWR | O_CREAT, 3)
    opened(task, b"/b", O_RDWR | O_CREAT, 70)
    kernel = cycled(kernel)
    (task,) = kernel.tasks.values()
    assert [fd for fd, _ in task.files.items()] == [0, 1, 2, 3, 70]
    kernel.power_off()


@each_arch
def test_05_a_message_that_is_complete(arch: str) -> None:
    """A format string had more conversions than arguments."""
    tree = frozen_tree("files/dup", arch, cr.after_syscalls(8))
    _, file = max(tree.root.files.items())
    tree.caller.files.install_at(20, file.grab())
    ctx = Checkpoint(tree.kernel, [], tree.root.fs.root, pure=False, caller=tree.caller)
    with pytest.raises(Refused) as refused:
        check_contained(ctx, tasks_of(tree.root))
    assert "%" not in refused.value.sentence and "(null)" not in refused.value.sentence
    assert "file" in refused.value.sentence
    tree.kernel.power_off()


@each_arch
def test_06_an_ipc_object_of_ones_own(arch: str) -> None:
    """Whoever owned it needed a capability, and whoever did not, none."""
    kernel = cr.boot(arch, memory_bytes=4 << 20)
    opener = bare_task(kernel, 0)
    plain = SimpleNamespace(euid=1000, cap=lambda name: False)
    ctx: Any = SimpleNamespace(opener=SimpleNamespace(cred=plain), refuse=Restart.refuse)
    image = SimpleNamespace(refuse=_raise)
    ctx.refuse = lambda sentence, errno=22: _raise(sentence, errno)
    ctx.image = image
    fields: dict[str, Any] = {
        "key": 5,
        "gid": 1000,
        "cgid": 1000,
        "mode": 0o600,
        "id": 0,
        "seq": 0,
        "sec_ref": 0,
    }
    assert ipc._restore_perm(ctx, SimpleNamespace(uid=1000, cuid=1000, **fields)).uid == 1000  # type: ignore[arg-type]
    with pytest.raises(PermissionError):
        ipc._restore_perm(ctx, SimpleNamespace(uid=0, cuid=0, **fields))  # type: ignore[arg-type]
    opener.files.drop()
    kernel.power_off()


def _raise(sentence: str, errno: int = 22) -> None:
    raise OSError(errno, sentence)


@each_arch
def test_07_a_segment_that_is_removed_already(arch: str) -> None:
    """SHM_DEST did not fit into the bits of the mode that were kept."""
    tree = frozen_tree("ipc/shared_segment", arch, cr.after_syscalls(6))
    kernel = tree.kernel
    (segment, *_) = kernel.nsproxy.ipc.shm.all()
    segment.doomed = True
    tree.group.set_state(FreezerState.THAWED.value.encode())
    image = kernel.checkpoint()
    kernel = kernel.reboot()
    kernel.restart(image)
    (segment, *_) = kernel.nsproxy.ipc.shm.all()
    assert segment.doomed and ", removed" in dump(kernel)
    kernel.power_off()


@each_arch
def test_08_an_early_end_among_messages(arch: str) -> None:
    """A list that was not yet made was taken apart."""
    tree = frozen_tree("ipc/messages", arch, cr.after_syscalls(13))
    image, disk = bytes(tree.kernel.checkpoint()), tree.kernel.disk
    tree.kernel.power_off()
    anvil = Anvil(type(specimen("files/pipe", arch))("messages", arch, image, disk))
    edges = [item.offset for item in walk(image) if item.name.startswith("IPC_MSG")]
    assert len(edges) >= 2
    for edge in edges:
        for cut in (edge, edge + 8, edge + 12):
            assert anvil.strike(image[:cut]) is not None
    anvil.close()


@each_arch
def test_09_pending_signals_in_their_order(arch: str) -> None:
    """The list was built with its arguments exchanged."""
    kernel, task = pausing(arch)
    set_blocked(task, (1 << 40) - 1)
    for value in (3, 1, 2):
        send(task, SigInfo(35, -1, pid=1, value=value), to_thread=True)
        send(task, SigInfo(36, -1, pid=1, value=value + 10))
    kernel, task = restarted(kernel)
    assert [info.value for info in task.pending.queue] == [3, 1, 2]
    assert [info.value for info in task.signal.pending.queue] == [13, 11, 12]
    kernel.power_off()


@each_arch
def test_10_the_group_of_the_root(arch: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A task of another group was asked for its state."""
    tree = frozen_tree("processes/zombies", arch, cr.after_syscalls(8))
    other = tree.kernel.freezer.new_child(b"other")
    monkeypatch.setattr(tree.file, "write", _sleep)
    with pytest.raises(Sleep):
        tree.checkpoint()
    assert tree.group.state is FreezerState.CHECKPOINTING
    assert other.state is FreezerState.THAWED
    tree.kernel.power_off()


def _sleep(data: bytes) -> int:
    raise Sleep


@each_arch
def test_11_an_error_of_deferred_work(arch: str) -> None:
    """What was put off could fail, and nobody looked."""
    story = find_story("events/epoll_level")
    kernel = start(story, arch, story.builds[0])
    while True:
        assert kernel.run(cr.after_syscalls(1)) is Ended.REACHED
        image = bytes(kernel.checkpoint())
        wheres = {word.where for words in Anatomy(image).words for word in words}
        found = [where for where in wheres if where.endswith("file_objref")]
        if found:
            break
    kernel.power_off()
    error = refusal(arch, changed(image, found[0], 9999), kernel.disk)
    assert "there is no object 9999" in error.sentence


def test_17_a_long_message(monkeypatch: pytest.MonkeyPatch) -> None:
    """The length was computed as if nothing had been cut off."""
    tree = frozen_tree("processes/zombies", "x86_64", cr.after_syscalls(8))

    def refuse(ctx: Checkpoint, *given: Any) -> None:
        ctx.refuse(EBUSY, "x" * 5000)

    monkeypatch.setattr(cr.syscalls, "_tasks", refuse)
    with pytest.raises(LinuxError):
        tree.checkpoint()
    image = tree.image()
    assert 1000 < len(image) < 1100 and image.endswith(b"xxx\0")
    tree.kernel.power_off()


@each_arch
def test_21_a_deadline_to_the_nanosecond(arch: str) -> None:
    """Times were in seconds, and what was left counted from the restart on."""
    every_call_is_invisible("time/nanosleep", arch)
    every_call_is_invisible("time/interval_timer", arch)


@each_arch
def test_22_an_unknown_restart_function(arch: str) -> None:
    """BUG()."""
    error = refusal(arch, changed(image_of(arch), "RESTART_BLOCK.function_type", 9))
    assert error.errno == 22 and "function_type 9" in error.sentence


@pytest.mark.slow
@pytest.mark.parametrize("arch", ["x86_64", "ppc32"])
def test_24_more_than_256_tasks(arch: str) -> None:
    """The array of pids was overrun; the tool's buffer ended at about 170."""
    kernel, root = pausing(arch)
    for _ in range(300):
        copy_process(root, CloneArgs(SIGCHLD))
    kernel = cycled(kernel)
    assert len(kernel.tasks) == 301
    kernel.power_off()


def test_25_what_was_refused_once_is_not_refused_for_ever() -> None:
    """A counter of what could not be saved went below zero."""
    tree = frozen_tree("files/pipe", "ppc64", cr.after_syscalls(30))
    for _ in range(3):
        tree.root.frozen = False
        with pytest.raises(LinuxError):
            tree.checkpoint()
        tree.root.frozen = True
        assert tree.checkpoint() > 0
    tree.kernel.power_off()


@each_arch
def test_27_an_eventfd(arch: str) -> None:
    """BUG(), then EBUSY."""
    every_call_is_invisible("events/eventfd", arch)


@each_arch
def test_28_times_of_zombies(arch: str) -> None:
    """What they had used was lost."""
    tree = frozen_tree("processes/zombies", arch, cr.after_syscalls(8))
    tree.group.set_state(b"THAWED")
    zombies = [task for task in tree.kernel.tasks.values() if task.exited]
    assert zombies and all(task.signal.run_units for task in zombies)
    used = [(task.pid, task.exit_code, task.signal.run_units) for task in zombies]
    kernel = tree.kernel
    image = kernel.checkpoint()
    kernel = kernel.reboot()
    kernel.restart(image)
    again = [task for task in kernel.tasks.values() if task.exited]
    assert [(task.pid, task.exit_code, task.signal.run_units) for task in again] == used
    kernel.power_off()


@pytest.mark.parametrize("arch", ARCHES[2:])
def test_30_vector_units_of_powerpc(arch: str) -> None:
    """A wrong mask, and no VSCR."""
    every_call_is_invisible("cpu/altivec", arch)
    if arch == "ppc64":
        every_call_is_invisible("cpu/vsx", arch)


@each_arch
def test_32_credentials_of_a_peer(arch: str) -> None:
    """A pair of ids became an object's number, in the same revision."""
    every_call_is_invisible("sockets/credentials", arch)


@each_arch
def test_33_a_short_write(arch: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was taken for a whole one."""
    kernel, task, file = running(arch)
    assert call(task) == 1
    whole = file.pread(0, file.position)
    file.seek(0, 0)
    written = file.write
    monkeypatch.setattr(file, "write", lambda data: written(data[:100]))
    assert call(task) == 2
    assert file.pread(0, file.position) == whole
    file.seek(0, 0)
    monkeypatch.setattr(file, "write", lambda data: 0)
    with pytest.raises(LinuxError) as error:
        call(task)
    assert error.value.name == "EIO" and task.call_state is None
    kernel.power_off()


@each_arch
def test_36_units_that_are_not_in_the_image(arch: str) -> None:
    """They kept what the restarting task had in them."""
    kernel, task, file = running(arch)
    before = dict(task.regs.units)
    call(task)
    file.seek(0, 0)
    for unit, size in ((name, len(state)) for name, state in task.regs.units.items()):
        task.regs.units[unit] = b"\x55" * size
    with pytest.raises(Replaced):
        restart.handler(task, task.pid, IMAGE_FD, t.RESTART_TASKSELF, -1)
    assert dict(task.regs.units) == before
    kernel.power_off()


@each_arch
def test_37_an_error_is_negative(arch: str) -> None:
    """A damaged image could make the call return a positive number."""
    kernel, task, file = running(arch)
    call(task)
    whole = file.pread(0, file.position)
    for place in range(0, len(whole), 997):
        file.pwrite(place, bytes([whole[place] ^ 0x80]))
        file.seek(0, 0)
        try:
            restart.handler(task, task.pid, IMAGE_FD, t.RESTART_TASKSELF, -1)
        except LinuxError as error:
            assert error.errno > 0  # the call returns its negative
        except Replaced:
            break  # in the contents of a page: nobody can know
        file.pwrite(place, whole[place : place + 1])
    else:
        pytest.fail("no byte was in a page")
    kernel.power_off()


def test_38_every_part_can_be_imported() -> None:
    """Some configurations did not compile."""
    for package in (cr, kernel_model):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith(("__main__", "plugin")):
                importlib.import_module(module.name)
