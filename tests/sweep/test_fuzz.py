"""The fuzzer itself: it finds planted bugs, keeps them, and is the same run each time.

(Ten thousand images in every run of the tests: tests/golden/test_releases.py.)
"""

from __future__ import annotations

import struct
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from click.testing import CliRunner

import cr
import cr.pipe
import cr.restart
from cr.cli.fuzz import Plan, strike_many
from cr.cli.main import cr as command
from cr.cli.session import disk_beside
from cr.image import types as t
from cr.image.files import File, FileDesc, FileGeneric, FilePipe
from cr.image.stream import Reader
from cr.image.walk import walk
from cr.testing.anvil import Specimen
from cr.testing.fuzz import Broken, fuzz, strike_once
from cr.testing.mutation import Anatomy, mutate
from guests.stories import find_story
from kernel_model.abi.fcntl import O_WRONLY
from kernel_model.ipc.ids import IPC_PRIVATE, new_perm
from kernel_model.ipc.namespace import IpcNamespace
from kernel_model.ipc.shm import Segment
from kernel_model.vfs.disk import Disk
from kernel_model.vfs.disk_tar import write_tar
from tests.harness.hostile import specimen, two_thirds_through
from tests.harness.model import start
from tests.harness.tiny_tasks import pausing

ARCH = "ppc32"


def image_file(folder: Path, found: Specimen) -> Path:
    path = folder / "some.img"
    path.write_bytes(found.image)
    with open(disk_beside(path), "wb") as file:
        write_tar(found.disk, file)
    return path


def test_the_same_seed_gives_the_same_images() -> None:
    whole = Anatomy(specimen("signals/queue", ARCH).image)
    donor = Anatomy(specimen("files/pipe", ARCH).image)
    first, again = (
        [mutate(whole, [donor], random) for _ in range(300)] for random in (Random(3), Random(3))
    )
    assert first == again
    assert len({image for _, image in first}) > 280
    kinds = ("flipped", "is 0x", "is that of", "longer", "of another image", "left out", "doubled")
    assert all(any(kind in what for what, _ in first) for kind in kinds)


@pytest.mark.slow
def test_two_runs_are_one() -> None:
    found = [specimen("signals/queue", ARCH), specimen("time/nanosleep", ARCH)]
    one, two = fuzz(found, 300, 5), fuzz(found, 300, 5)
    assert (one.refused, one.accepted, one.said) == (two.refused, two.accepted, two.said)
    assert one.findings == two.findings == []
    assert fuzz(found, 300, 6).said != one.said


@pytest.fixture
def another_exception(monkeypatch: pytest.MonkeyPatch) -> None:
    """One refusal is no ImageError."""
    refuse = Reader.refuse

    def wrong(self: Reader, sentence: str) -> None:
        if "there is no object" in sentence:
            raise KeyError(sentence)
        refuse(self, sentence)

    monkeypatch.setattr(Reader, "refuse", wrong)


@pytest.mark.slow
@pytest.mark.usefixtures("another_exception")
def test_another_exception_is_a_finding(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = image_file(tmp_path, specimen("files/pipe", ARCH))
    done = CliRunner().invoke(
        command, ["fuzz", str(path), "--count", "400", "--keep", str(tmp_path / "kept")]
    )
    assert done.exit_code == 1, done.output
    assert "KeyError" in done.output
    kept = tmp_path / "kept" / "finding-1.img"
    assert "repeat: cr fuzz --strike" in kept.with_suffix(".txt").read_text()
    again = CliRunner().invoke(command, ["fuzz", "--strike", str(kept), str(path)])
    assert again.exit_code == 1 and "KeyError" in again.output
    monkeypatch.undo()
    again = CliRunner().invoke(command, ["fuzz", "--strike", str(kept), str(path)])
    assert again.exit_code == 0, again.output


@pytest.mark.slow
@pytest.mark.usefixtures("another_exception")
def test_a_process_of_several_keeps_what_it_finds_at_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A Ctrl-C ends it without another word; its findings are there, under its own seed."""
    plan = Plan((), 4000, 1, 2, tmp_path / "kept", None)
    monkeypatch.setattr("cr.testing.fuzz._BATCH", 50)
    toll = strike_many(plan, [specimen("files/pipe", ARCH)], 400, 7)
    assert toll.findings and all(finding.seed == 7 for finding in toll.findings)
    kept = sorted(path.name for path in plan.keep.glob("*.img"))
    assert kept == sorted(f"finding-7-{n}.img" for n in range(1, len(toll.findings) + 1))
    assert "--strike" in (plan.keep / "finding-7-1.txt").read_text()


@pytest.mark.slow
def test_what_a_refusal_leaves_behind_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    """And the image that did it is kept, though the kernel is not looked at each time."""
    fill = cr.pipe._fill

    def leak(ctx: object, record: object, pipe: object, inode: object) -> object:
        try:
            return fill(ctx, record, pipe, inode)  # type: ignore[arg-type]
        except Exception:
            ctx.kernel.ram.alloc()  # type: ignore[attr-defined]
            raise

    monkeypatch.setattr(cr.pipe, "_fill", leak)
    toll = fuzz([specimen("files/pipe", ARCH)], 400, 1)
    assert toll.findings
    assert all("free frames" in finding.problem for finding in toll.findings)


def test_an_image_that_does_not_restart_is_no_corpus(tmp_path: Path) -> None:
    found = specimen("signals/queue", ARCH)
    path = image_file(tmp_path, Specimen("bare", ARCH, found.image, Disk.empty()))
    done = CliRunner().invoke(command, ["fuzz", str(path)])
    assert done.exit_code == 2 and "does not restart as it is" in done.output
    path.write_bytes(b"nothing")
    done = CliRunner().invoke(command, ["fuzz", str(path)])
    assert done.exit_code == 2 and "is no image" in done.output


def test_an_ipc_namespace_goes_with_its_last_task() -> None:
    """Found by the fuzzer: its segments were nobody's, and kept their pages."""
    kernel, task = pausing(ARCH)
    namespace = IpcNamespace(kernel.clock)
    task.nsproxy = replace(task.nsproxy, ipc=namespace)
    segment = Segment(kernel.ram, namespace, new_perm(task, IPC_PRIVATE, 0o600), 4096)
    namespace.shm.get(task, IPC_PRIVATE, 0o600, lambda other: None, lambda: segment)
    segment.page(0, write=True)
    task.exit_group(0)
    assert namespace.shm.all() == [] and segment.pages == {}
    kernel.power_off()


def test_a_program_is_a_regular_file() -> None:
    """Found by the fuzzer: a console as program was read only when a signal came."""
    found = specimen("files/pipe", "ppc64")
    base = Anatomy(found.image)
    *_, exe = [word for words in base.words for word in words if word.where == "MM.exe_objref"]
    console = next(item for item in base.items if isinstance(item.value, FileDesc))
    assert isinstance(console.value, FileDesc)
    image = bytearray(found.image)
    struct.pack_into(">I", image, exe.offset, console.value.fd_objref)
    said = strike_once(found, bytes(image))
    assert said == "BUFFER: the program is no regular file"


def test_a_connection_that_was_refused_says_no_goodbye() -> None:
    """Found by the fuzzer: half-closed without a remote address, it sent a FIN to nobody."""
    found = specimen("sockets/tcp_talk", "x86_64")
    words = [word for words in Anatomy(found.image).words for word in words]
    ports = [word for word in words if word.where == "SOCKET_INET.dport"]
    answers = set()
    for port in ports:
        image = bytearray(found.image)
        struct.pack_into("<I" if port.size == 4 else "<H", image, port.offset, 0)
        answers.add(strike_once(found, bytes(image)))
    assert "TAIL: a connection without addresses" in answers
    assert not any(isinstance(answer, Broken) for answer in answers)


def with_leaders(*numbers: int) -> bytes:
    """The image of a process of threads, that says that these are the tasks' leaders."""
    found = specimen("processes/threads", "x86_32")
    image = bytearray(found.image)
    words = [word for words in Anatomy(found.image).words for word in words]
    places = [word for word in words if word.where == "tree.vtgid"]
    for word, number in zip(places, numbers):
        struct.pack_into("<I", image, word.offset, number)
    return bytes(image)


def test_a_leader_is_no_thread_of_another() -> None:
    """Found by the fuzzer: two tasks, each the thread of the other, ended as a group of nobody."""
    found = specimen("processes/threads", "x86_32")
    assert isinstance(strike_once(found, with_leaders(1, 2, 2)), str)
    said = strike_once(found, with_leaders(1, 3, 2))
    assert said == "TAIL: the leader of thread # is not before it in the tree"


def test_two_processes_share_no_signal_struct() -> None:
    found = specimen("processes/threads", "x86_32")
    said = strike_once(found, with_leaders(1, 2, 3))
    assert said == "TAIL: task # shares its signals with a task of another group"


def test_an_image_of_an_older_tree_is_struck_on_a_kernel_of_that_tree() -> None:
    story = find_story("generations/pipe_v13")
    kernel = start(story, ARCH, story.builds[0])
    kernel.run(cr.after_syscalls(4))
    image = kernel.checkpoint()
    kernel.power_off()
    found = Specimen(story.name, ARCH, bytes(image), kernel.disk)
    assert str(strike_once(found, found.image)).startswith("went on")


def test_nobody_sleeps_in_a_call_that_has_ended() -> None:
    """Found by the fuzzer: it was to sleep again in no call at all."""
    found = two_thirds_through(find_story("events/epoll_mask"), "x86_64")
    image = bytearray(found.image)
    words = [word for words in Anatomy(found.image).words for word in words]
    *_, flags = [word for word in words if word.where == "SYSCALL_PROGRESS.flags"]
    struct.pack_into("<I", image, flags.offset, 1)
    said = strike_once(found, bytes(image))
    assert said == "SYSCALL_PROGRESS: a task that sleeps in a call that a signal has ended"


def test_a_removed_fifo_is_no_regular_file() -> None:
    """Found by the fuzzer: opened as one, it waited for a reader."""
    found = two_thirds_through(find_story("files/unlinked_fifo"), ARCH)
    image = bytearray(found.image)
    fifo = next(item for item in walk(found.image) if isinstance(item.value, FilePipe))
    assert isinstance(fifo.value, FilePipe)
    shape = {name: getattr(fifo.value, name) for name in File.__annotations__ if name != "TYPE"}
    generic = FileGeneric(**shape | {"f_type": t.FILE_GENERIC, "f_flags": O_WRONLY})
    frame = struct.pack(">II", t.HDR_FILE, 8 + FileGeneric.fixed_bytes())
    end = fifo.offset + fifo.length
    image[fifo.offset : end] = frame + generic.pack(">")
    said = strike_once(found, bytes(image))
    assert said == "UNLINKED: b#: somebody has a lease on it, or a FIFO waits"


def test_a_restart_block_of_another_call_is_not_taken() -> None:
    """Found by the fuzzer: a futex call took what poll is said to have kept."""
    found = two_thirds_through(find_story("scheduling/inheritance"), "x86_32")
    words = [word for words in Anatomy(found.image).words for word in words]
    kinds = [word for word in words if word.where == "RESTART_BLOCK.function_type"]
    answers = []
    for word in kinds:
        changed = bytearray(found.image)
        struct.pack_into("<I", changed, word.offset, t.RESTART_BLOCK_POLL)
        answers.append(strike_once(found, bytes(changed)))
    assert len(answers) > 2
    assert not any(isinstance(answer, Broken) for answer in answers), answers


def test_a_time_that_no_structure_can_tell() -> None:
    """Found by the fuzzer: IPC_STAT of a 32-bit kernel has 32 bits for a time."""
    found = two_thirds_through(find_story("ipc/whole_system"), "x86_32")
    words = [word for words in Anatomy(found.image).words for word in words]
    times = [word for word in words if word.where.endswith(("time", "tim"))]
    assert {word.where.partition(".")[0] for word in times} >= {"IPC_MSG", "IPC_SEM", "IPC_SHM"}
    for time in times:
        if time.where.startswith("IPC_"):
            image = bytearray(found.image)
            struct.pack_into("<Q", image, time.offset, 1 << 54)
            answer = strike_once(found, bytes(image))
            assert not isinstance(answer, Broken) and "seconds since the epoch" in answer


def test_a_truth_that_is_a_number() -> None:
    """Found by the fuzzer: TCP_NODELAY is kept as 1, and a socket's record has a byte for it."""
    found = two_thirds_through(find_story("sockets/tcp_talk"), "x86_64")
    option = struct.pack("<IIi", 6, 1, 1)
    image = bytes(found.image)
    assert image.count(option) == 1
    changed = image.replace(option, struct.pack("<IIi", 6, 1, -4095))
    answer = strike_once(found, changed)
    assert answer == "INET_OPTIONS: option # of level # cannot be -#"
