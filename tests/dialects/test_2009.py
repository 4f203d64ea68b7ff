"""v14 to v17: their headers, what each has no place for, what the next version gets from it."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from cr.image import types as t
from cr.image.dialects import plain, v14, v16, v17, v18
from cr.image.dialects.frames import Frame, cut, join
from cr.image.dialects.table import ALIASES, NAMES, find
from cr.image.errors import ImageError
from cr.image.files import File
from cr.image.header import Header
from cr.image.memory import Vma
from cr.image.security import Cred, Groupinfo, User
from cr.image.signals import Sighand, Signal, SignalTask, Sigset
from cr.image.stream import byte_order
from cr.image.task import RestartBlock, Task, TaskObjs
from cr.image.walk import walk
from cr.tools.convert import convert, upgrade
from emu.layout import LITTLE, Record
from tests.dialects.old_images import changed, ended, halfway
from tests.dialects.test_sizes import offset, pairs
from tests.harness.hostile import specimen

OFFSETS = """
Header2009.arch_id 16  Header2009.rev 24  Header2009.uts_release_len 26
Header2009.uts_machine_len 30  Header2009.time 32  Header2009.uflags 40
Header2009Text.rev 22  Header2009Text.time 24  Header2009Text.release 40
Task2009Plain.exit_signal 20  TaskObjs2009Plain.mm_objref 12
"""
NEWEST_LAST = ("v14", "v16", "v17", "v18")


def refused(image: bytes, name: str, words: str) -> None:
    with pytest.raises(ImageError, match=re.escape(f"{name} has no place for {words}")):
        convert(image, name)


@pytest.mark.parametrize(("field", "place"), pairs(OFFSETS))
def test_offsets(field: str, place: int) -> None:
    record, name = field.split(".")
    cls: type[Record] = getattr(v14 if record.endswith("Text") else v16, record)
    assert offset(cls, name) == place


def test_the_length_of_the_header_tells_them() -> None:
    native = halfway("x86_32").native
    sizes = {}
    for name in NEWEST_LAST:
        frames = cut(convert(native, name).image, LITTLE)
        sizes[name] = 8 + len(frames[0].payload)
        follows = frames[1].type_no
        assert follows == (2 if name == "v14" else 3)
    assert sizes == {"v14": 232, "v16": 48, "v17": 72, "v18": 72}


def test_v18_is_told_by_its_signals() -> None:
    native = halfway("x86_32").native
    later = {t.HDR_SIGNAL, t.HDR_SIGPENDING, t.HDR_SIGNAL_TASK}
    v18_types = {frame.type_no for frame in cut(convert(native, "v18").image, LITTLE)}
    v17_types = {frame.type_no for frame in cut(convert(native, "v17").image, LITTLE)}
    assert v18_types - v17_types == later and not v17_types - v18_types


EACH_STEP = [
    ("v14", "what a call remembers", t.HDR_RESTART_BLOCK, RestartBlock, {"function_type": 6}),
    ("v16", "signal handlers", t.HDR_SIGHAND, Sighand, {}),
    ("v16", "who a process is", t.HDR_CRED, Cred, {"euid": 1000}),
    ("v16", "who a process is", t.HDR_CRED, Cred, {"gid": 7}),
    ("v16", "who a process is", t.HDR_USER, User, {"uid": 5}),
    ("v16", "who a process is", t.HDR_GROUPINFO, Groupinfo, {"ngroups": 1, "groups": (5,)}),
    ("v16", "a signal for the death", t.HDR_TASK, Task, {"pdeath_signal": 9}),
    ("v17", "blocked signals", t.HDR_SIGNAL_TASK, SignalTask, {"blocked": Sigset.of_mask(4)}),
    ("v17", "interval timers", t.HDR_SIGNAL, Signal, {"it_virt_incr": 5}),
    ("v17", "a controlling terminal", t.HDR_SIGNAL, Signal, {"tty_objref": 5}),
]


@pytest.mark.parametrize(("name", "words", "type_no", "cls", "values"), EACH_STEP)
def test_what_a_version_has_no_place_for_the_next_one_has(
    name: str, words: str, type_no: int, cls: type[t.Framed], values: dict[str, object]
) -> None:
    if cls is Sighand:
        ignore = replace(plain.DEFAULT_ACTION, sa_handler=1)
        values = {"action": (ignore, *plain.DEFAULT_SIGHAND.action[1:])}
    image = changed(halfway("x86_32").native, type_no, cls, **values)
    place = NEWEST_LAST.index(name)
    for older in NEWEST_LAST[: place + 1]:
        refused(image, older, words)
    for newer in NEWEST_LAST[place + 1 :]:
        back = upgrade(convert(image, newer).image).image
        kept = [item.value for item in walk(back) if isinstance(item.value, cls)]
        assert kept == [item.value for item in walk(image) if isinstance(item.value, cls)]


@pytest.mark.parametrize(
    ("story", "name", "words"),
    [
        ("processes/zombies", "v16", "zombies"),
        ("sockets/full", "v17", "sockets"),
        ("signals/queue", "v17", "pending signals"),
    ],
)
def test_stories_that_are_too_young(story: str, name: str, words: str) -> None:
    refused(specimen(story, "x86_32").image, name, words)


def test_fifos_came_with_v18() -> None:
    half = halfway("x86_32", "files/fifo", 20)
    refused(half.native, "v17", "FIFOs")
    assert (
        half.said + ended("x86_32", convert(half.native, "v18").image, half.disk) == half.straight
    )


def test_terminals_came_with_v18() -> None:
    refused(halfway("x86_32", "terminals/canonical", 25).native, "v17", "terminals")


def unblocked(native: bytes) -> bytes:
    order = byte_order(native)
    empty = plain.NOT_BLOCKED.pack(order)
    frames = [
        Frame(frame.type_no, empty) if frame.type_no == t.HDR_SIGNAL_TASK else frame
        for frame in cut(native, order)
    ]
    return join(frames, order)


def test_threads_came_with_v17() -> None:
    native = unblocked(specimen("processes/threads", "x86_32").image)
    refused(native, "v16", "threads")
    back = upgrade(convert(native, "v17").image).image
    tree, objs = ([item.value for item in walk(native) if item.role == "tree"], [])
    assert [item.value for item in walk(back) if item.role == "tree"] != []
    objs = [item.value for item in walk(back) if isinstance(item.value, TaskObjs)]
    assert len(objs) == len(tree[0]) > 1  # type: ignore[arg-type]
    assert len({one.signal_objref for one in objs}) < len(objs)
    signals = [item for item in walk(back) if isinstance(item.value, Signal)]
    assert len(signals) == len({one.signal_objref for one in objs})


def test_open_files_of_two_processes_came_with_v17() -> None:
    native = specimen("memory/private_file", "x86_32").image
    objs = [item.value for item in walk(native) if isinstance(item.value, TaskObjs)]
    shared = changed(native, t.HDR_TASK_OBJS, TaskObjs, files_objref=objs[0].files_objref)
    refused(shared, "v16", "open files that two processes share")
    assert convert(shared, "v17").image


def test_v16_gives_every_process_the_same_credentials() -> None:
    native = specimen("memory/private_file", "x86_32").image
    old = convert(native, "v16").image
    here = cut(old, LITTLE)
    assert {bytes(f.payload[12:16]) for f in here if f.type_no == t.HDR_FILE} == {bytes(4)}
    back = upgrade(old).image
    (cred,) = [item for item in walk(back) if isinstance(item.value, Cred)]
    files = [item.value for item in walk(back) if isinstance(item.value, File)]
    assert files and {one.f_credref for one in files} == {cred.objref}
    handlers = [item.value for item in walk(back) if isinstance(item.value, Sighand)]
    assert handlers == [plain.DEFAULT_SIGHAND] * 2


def test_a_header_of_another_kernel_is_refused() -> None:
    native = halfway("x86_32").native
    frames = cut(convert(native, "v16").image, LITTLE)
    header = v16.Header2009.unpack(frames[0].payload, LITTLE)
    payload = bytearray(header.pack(LITTLE))
    payload[18:20] = (64).to_bytes(2, "little")  # uts_release_len
    with pytest.raises(ImageError, match="uts_release_len"):
        upgrade(join([Frame(1, bytes(payload)), *frames[1:]], LITTLE))
    text = cut(convert(native, "v14").image, LITTLE)
    first = v14.Header2009Text.unpack(text[0].payload, LITTLE)
    other = replace(first, machine=b"s390x").pack(LITTLE)
    with pytest.raises(ImageError, match="only 32-bit x86 is known of v14"):
        upgrade(join([Frame(1, other), *text[1:]], LITTLE))
    frames = cut(convert(native, "v17").image, LITTLE)
    third = replace(Header.unpack(frames[0].payload, LITTLE), rev=v18.REVS[0]).pack(LITTLE)
    with pytest.raises(ImageError, match="revision 3"):
        upgrade(join([Frame(1, third), *frames[1:]], LITTLE))


def test_flags_and_limits_are_told() -> None:
    native = halfway("x86_32").native
    assert v17.LIMITS not in convert(native, "v17").lost
    flagged = changed(native, t.HDR_HEADER, Header, uflags=1)
    assert v14.FLAGS in convert(flagged, "v14").lost
    limits = (replace(plain.DEFAULT_SIGNAL.rlim[0], rlim_cur=5), *plain.DEFAULT_SIGNAL.rlim[1:])
    assert v17.LIMITS in convert(changed(native, t.HDR_SIGNAL, Signal, rlim=limits), "v17").lost


def test_shared_memory_is_older_than_threads() -> None:
    native = specimen("memory/shared_anonymous", "x86_32").image
    kinds = {item.value.vma_type for item in walk(native) if isinstance(item.value, Vma)}
    back = upgrade(convert(native, "v14").image).image
    assert {item.value.vma_type for item in walk(back) if isinstance(item.value, Vma)} == kinds
    assert t.VMA_SHM_ANON in kinds


@pytest.mark.parametrize("alias", ALIASES, ids=lambda alias: alias.name)
def test_a_name_that_stands_for_another(alias: object) -> None:
    name = alias.name  # type: ignore[attr-defined]
    arch = "ppc32" if name.startswith("powerpc") else "x86_32"
    half = halfway(arch)
    old = convert(half.native, name).image
    meant = upgrade(old).dialect
    assert name in NAMES and old == convert(half.native, meant).image
    assert half.said + ended(arch, old, half.disk) == half.straight


def test_the_second_powerpc_port_is_no_port_to_x86() -> None:
    with pytest.raises(ImageError, match="powerpc-v2 has no place for x86_32"):
        find("powerpc-v2").write(halfway("x86_32").native)


def test_the_versions_that_the_issue_names() -> None:
    wanted = "v2 v6 v7 v8 v9 v10 v11 v12 v13 v14 v15 v16 v17 v18 v19 v20 v21 v23-rc1 v23-rc2"
    assert {*wanted.split(), "powerpc-v1", "powerpc-v2"} <= set(NAMES)
