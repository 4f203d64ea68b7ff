"""v18 to v23-rc1: the sizes of their records, what they carry, what they refuse."""

from __future__ import annotations

import copy
import re
from dataclasses import replace

import pytest

import cr
from cr.image import types as t
from cr.image.dialects import records_2009, records_2010, sockets_2010, v21, v23_rc1
from cr.image.dialects.arch import (
    alignment_2009,
    powerpc_2010,
    powerpc_units,
    terminals_2010,
    x86_2010,
)
from cr.image.dialects.frames import Frame, cut, join
from cr.image.dialects.step import Passage
from cr.image.errors import ImageError
from cr.image.signals import Siginfo, Sigpending, Sigset
from cr.image.stream import byte_order
from cr.image.task import Fs, Task
from cr.image.walk import walk
from cr.tools.convert import convert, upgrade
from cr.until import Ended
from emu.layout import BIG, LITTLE, Record
from tests.dialects.old_images import MEMORY_BYTES, changed, halfway
from tests.dialects.test_sizes import offset, pairs
from tests.harness.hostile import specimen
from tests.harness.model import MAX_TIME_NS

SIZES = """
TreePids 24  TaskRc1 80  Task2010 64  Vma2010 72  IpcShm2010 120  TaskObjs2010 32  Fs2010 8
Siginfo2010 48  Sigpending2010 24  Ns2010 16
Task2009 72  Task2009Unaligned 72  TaskObjs2009 24  Cred2009 88  File2009 40  FilePipe2009 48
Cpu2009 240  Thread2010 16  HeaderArch2010 16
Socket2010 112  SocketUnix2010 256  Tty2010 72  FileSocket2009 48  FileTty2009 48
SocketBuffer2009 16  SocketInet2009 48  IpcPerms2009 48  IpcShm2009 112  IpcMsg2009 112
IpcMsgMsg2009 16  IpcSem2009 80
"""
OFFSETS = """
TaskRc1.compat_robust_futex_head_len 28  TaskRc1.robust_futex_list 40  TaskRc1.set_child_tid 48
TaskRc1.sas_ss_sp 64  TaskRc1.sas_ss_size 72  Task2010.robust_futex_head_len 36
Task2010.clear_child_tid 56  TaskObjs2010.fs_objref 16  TaskObjs2010.sighand_objref 20
TaskObjs2010.signal_objref 24  Vma2010.vm_pgoff 64  TreePids.depth 20
Task2009.set_child_tid 32  Task2009.clear_child_tid 40  Task2009.robust_futex_list 64
Task2009Unaligned.compat_robust_futex_list 52  Task2009Unaligned.robust_futex_list 60
Cred2009.cap_s 48  TaskObjs2009.sighand_objref 16  FilePipe2009.pipe_objref 40
Cpu2009.used_math 188  Cpu2009.debugreg 192  Thread2010.tls_array 16
Socket2010.socket_flags 8  Socket2010.sock_common 24  Socket2010.sock 40
SocketUnix2010.peercred_uid 16  SocketUnix2010.peercred_gid 20  SocketUnix2010.flags 24
SocketUnix2010.laddr_len 28  SocketUnix2010.raddr_len 32  SocketUnix2010.laddr 36
SocketUnix2010.raddr 146  Tty2010.index 24  Tty2010.flags 32  Tty2010.termios 40
Tty2010.winsize 64  IpcMsgMsg2009.m_ts 12  SocketInet2009.laddr 16
SocketInet2009.raddr 32  IpcShm2009.shm_segsz 56  IpcSem2009.sem_nsems 72
"""
MODULES = (
    *(records_2009, records_2010, sockets_2010),
    *(alignment_2009, powerpc_2010, terminals_2010, x86_2010),
)


def named(name: str) -> type[Record]:
    (found,) = {getattr(module, name) for module in MODULES if hasattr(module, name)}
    assert isinstance(found, type)
    return found


@pytest.mark.parametrize(("name", "size"), pairs(SIZES))
def test_sizes(name: str, size: int) -> None:
    assert named(name).SIZE == size


@pytest.mark.parametrize(("field", "place"), pairs(OFFSETS))
def test_offsets(field: str, place: int) -> None:
    record, name = field.split(".")
    assert offset(named(record), name) == place


@pytest.mark.parametrize("cls", powerpc_2010.RECORDS[2:])
def test_alignment_of_powerpc(cls: type[Record]) -> None:
    tail = offset(cls, "tail")
    assert offset(cls, "orig_gpr3") == 24 and offset(cls, "pt_regs") == 32
    assert (tail + offset(powerpc_units.UnitsTail, "vr")) % 16 == cls.SIZE % 16 == 0


def ended(arch: str, image: bytes, story: str) -> bytes:
    disk = copy.deepcopy(specimen(story, arch).disk)
    kernel = cr.boot(arch, disk, memory_bytes=MEMORY_BYTES)
    kernel.restart(image)
    assert kernel.run(max_time_ns=MAX_TIME_NS) is Ended.EXITED
    said = bytes(kernel.console.output)
    kernel.power_off()
    return said


STORIES = (
    "files/pipe",
    "memory/shared_anonymous",
    "memory/shared_file",
    "processes/threads",
    "processes/zombies",
    "processes/fork_wait",
    "signals/queue",
    "signals/nested",
    "time/interval_timer",
)


@pytest.mark.parametrize("story", STORIES)
@pytest.mark.parametrize(
    ("name", "arch"), [("v18", "x86_32"), ("v18", "ppc32"), ("v20", "x86_64"), ("v23-rc1", "ppc64")]
)
def test_they_carry_more_than_2008(story: str, name: str, arch: str) -> None:
    native = specimen(story, arch).image
    old = convert(native, name).image
    assert upgrade(old).dialect == name
    assert ended(arch, old, story) == ended(arch, native, story)


def refused(image: bytes, name: str, words: str) -> None:
    with pytest.raises(ImageError, match=re.escape(f"{name} has no place for {words}")):
        convert(image, name)


def test_what_fields_cannot_hold_is_named() -> None:
    native = halfway("x86_64").native
    stack = changed(native, t.HDR_TASK, Task, sas_ss_sp=0x5000, sas_ss_size=8192)
    refused(stack, "v21", "TaskRc1.sas_ss_sp = 20480: without it, it is 0")
    assert upgrade(convert(stack, "v23-rc1").image).dialect == "v23-rc1"
    umask = changed(native, t.HDR_FS, Fs, umask=0o077)
    refused(umask, "v20", "Fs.umask = 63")
    convert(umask, "v23-rc1")
    flags = changed(native, t.HDR_TASK, Task, flags=t.PF_SUPERPRIV)
    assert v23_rc1.FLAGS in convert(flags, "v23-rc1").lost


@pytest.mark.parametrize(
    ("story", "arch", "name", "words"),
    [
        ("files/unlinked", "x86_32", "v23-rc1", "what linux-cr never had: UNLINKED"),
        ("terminals/hangup", "x86_64", "v23-rc1", "what linux-cr never had: TTY_FILE"),
        ("files/pipe", "x86_64", "v18", "x86_64: it came later"),
    ],
)
def test_what_a_version_lacks_is_named(story: str, arch: str, name: str, words: str) -> None:
    refused(specimen(story, arch).image, name, words)


def test_every_signal_comes_back_as_it_was() -> None:
    blank = dict.fromkeys(Siginfo.__dataclass_fields__, 0)  # type: ignore[attr-defined]
    queue = (
        Siginfo(**blank | {"csi_signo": 17, "csi_code": 1, "csi_status": 3, "csi_utime": 5}),
        Siginfo(**blank | {"csi_signo": 11, "csi_code": 1, "csi_addr": 0x1234}),
        Siginfo(**blank | {"csi_signo": 40, "csi_code": -1, "csi_int": 7, "csi_ptr": 7}),
    )
    pending = Sigpending(nr_pending=3, signal=Sigset.of_mask(1), siginfo=queue)
    for order in (LITTLE, BIG):
        passage = Passage("v21", order)
        frame = Frame(t.HDR_SIGPENDING, pending.pack(order))
        older = v21._signals_down(passage, [frame])
        assert len(older[0].payload) == 16 + 3 * 48
        assert bytes(v21._signals_up(passage, older)[0].payload) == frame.payload
    timer = replace(queue[2], csi_overrun=1)
    frame = Frame(t.HDR_SIGPENDING, replace(pending, nr_pending=1, siginfo=(timer,)).pack(LITTLE))
    with pytest.raises(ImageError, match="of a timer or of a file"):
        v21._signals_down(Passage("v21", LITTLE), [frame])


def test_nested_pids_are_plain_numbers_and_come_back() -> None:
    native = halfway("x86_32").native
    order = byte_order(native)
    frames = cut(convert(native, "v23-rc1").image, order)
    tree = [k for k, frame in enumerate(frames) if frame.type_no == 101][0]
    line = records_2010.TreePids.unpack(frames[tree + 1].payload, order)
    deeper = replace(line, depth=1)
    image = join(
        [
            *frames[: tree + 1],
            Frame(t.HDR_BUFFER, deeper.pack(order)),
            Frame(t.HDR_BUFFER, (1).to_bytes(4, "little")),
            *frames[tree + 2 :],
        ],
        order,
    )
    newer = upgrade(image).image
    (numbers,) = [item.value for item in walk(newer) if item.role == "pids"]
    assert [one.numbers for one in numbers] == [(line.vpid, 1)]  # type: ignore[union-attr]
    assert convert(newer, "v23-rc1").image == image
    refused(newer, "v20", "pid namespaces below that of the first process")
    with pytest.raises(ImageError, match="a depth of 1, which has no numbers"):
        upgrade(
            join(
                [
                    *frames[: tree + 1],
                    Frame(4, deeper.pack(order)),
                    Frame(4, b""),
                    *frames[tree + 2 :],
                ],
                order,
            )
        )


def test_our_units_have_no_number_in_old_images() -> None:
    """CPU_FP and its like are ours: of 201 to 299, PowerPC had none."""
    frames = cut(convert(halfway("ppc32").native, "v20").image, BIG)
    place = next(k for k, frame in enumerate(frames) if frame.type_no == 107)
    for number in (t.HDR_CPU_FP, t.HDR_CPU_DABR, t.HDR_CPU_SPE):
        more = [*frames[: place + 1], Frame(number, bytes(8)), *frames[place + 1 :]]
        with pytest.raises(ImageError, match="v20 has no such record"):
            upgrade(join(more, BIG))
