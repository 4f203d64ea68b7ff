"""What keeps a process from being plain is refused by name; nothing is lost in silence."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

import cr
from cr.image import types as t
from cr.image.dialects import ours, plain
from cr.image.dialects.plain_taken import plain_of
from cr.image.errors import ImageError
from cr.image.header import Header
from cr.image.ipc import Ipc
from cr.image.memory import Mm, Vma
from cr.image.network import NetState
from cr.image.security import Cred
from cr.image.signals import Signal, SignalTask, Sigpending, Sigset
from cr.image.task import Fs, RestartBlock, Task, TaskObjs
from cr.image.walk import walk
from tests.dialects.old_images import begun, changed, halfway
from tests.harness.hostile import specimen

NOT_PLAIN: dict[str, tuple[int, type[t.Framed], dict[str, object]]] = {
    "zombies": (t.HDR_TASK, Task, {"exit_state": 16}),
    "stopped tasks": (t.HDR_TASK, Task, {"state": 4}),
    "a signal for the death of the parent": (t.HDR_TASK, Task, {"pdeath_signal": 9}),
    "an alternate signal stack": (t.HDR_TASK, Task, {"sas_ss_sp": 0x5000}),
    "what a call remembers": (t.HDR_RESTART_BLOCK, RestartBlock, {"function_type": 6}),
    "who a process is": (t.HDR_CRED, Cred, {"euid": 1000}),
    "a umask of 0o77": (t.HDR_FS, Fs, {"umask": 0o77}),
    "flags of an address space": (t.HDR_MM, Mm, {"def_flags": 0x2000}),
    "memory that is shared": (t.HDR_VMA, Vma, {"vm_flags": 0x10B}),
    "pending signals": (t.HDR_SIGPENDING, Sigpending, {"signal": Sigset.of_mask(4)}),
    "blocked signals": (t.HDR_SIGNAL_TASK, SignalTask, {"blocked": Sigset.of_mask(4)}),
    "a controlling terminal": (t.HDR_SIGNAL, Signal, {"tty_objref": 5}),
    "interval timers": (t.HDR_SIGNAL, Signal, {"it_real_value": 5}),
}


@pytest.mark.parametrize("words", NOT_PLAIN)
def test_it_is_named(words: str) -> None:
    type_no, cls, values = NOT_PLAIN[words]
    native = halfway("x86_32").native
    # A dead task has no more records, so the image is none: only the refusal is looked at.
    walkable = words != "zombies"
    image = changed(native, type_no, cls, walkable=walkable, **values)
    with pytest.raises(ImageError, match=re.escape(f"v13 has no place for {words}")):
        plain_of(image, "v13")


def test_what_two_tasks_share() -> None:
    native = specimen("memory/private_file", "x86_32").image
    objs = [item.value for item in walk(native) if isinstance(item.value, TaskObjs)]
    for name in ("files_objref", "mm_objref", "fs_objref", "sighand_objref"):
        shared = {name: getattr(objs[0], name)}
        image = changed(native, t.HDR_TASK_OBJS, TaskObjs, **shared)
        with pytest.raises(ImageError, match="v13 has no place for what two tasks share"):
            plain_of(image, "v13")


def test_system_v_objects() -> None:
    native = halfway("x86_32", "ipc/messages", 13).native
    with pytest.raises(ImageError, match="v13 has no place for System V objects"):
        plain_of(native, "v13")


def test_what_is_left_of_objects_that_are_gone_is_told() -> None:
    """The next port, the next identifier: nothing that a plain process can notice."""
    kernel = begun("x86_32", "ipc/messages")
    kernel.run(cr.after_syscalls(13))
    kernel.nsproxy.ipc.remove_all()
    kernel.nsproxy.net.next_port += 1
    native = bytes(kernel.checkpoint())
    kernel.power_off()
    kinds = {item.type_no for item in walk(native)}
    assert {t.HDR_NET_STATE, t.HDR_IPC_SEQUENCE} <= kinds
    assert {ours.PORTS, ours.SEQUENCE} <= set(plain_of(native, "v13")[1])
    down = changed(native, t.HDR_NET_STATE, NetState, loopback_up=0)
    with pytest.raises(ImageError, match="v13 has no place for a loopback device that is down"):
        plain_of(down, "v13")


def test_other_limits_are_told() -> None:
    native = halfway("x86_32").native
    assert not any("limits" in one for one in plain_of(native, "v13")[1])
    limits = (replace(plain.DEFAULT_SIGNAL.rlim[0], rlim_cur=5), *plain.DEFAULT_SIGNAL.rlim[1:])
    image = changed(native, t.HDR_SIGNAL, Signal, rlim=limits)
    assert any("limits" in one for one in plain_of(image, "v13")[1])


def test_the_defaults_are_those_of_a_boot() -> None:
    """What an upgraded image gets is what a kernel gives a program."""
    items = list(walk(halfway("x86_32").native))
    header = items[0].value
    assert isinstance(header, Header) and header.constants == plain.CONSTANTS
    found = [item.value for item in items]
    for default in (
        plain.DEFAULT_SIGHAND,
        plain.DEFAULT_SIGNAL,
        plain.NOT_PENDING,
        plain.NOT_BLOCKED,
        plain.NO_RESTART,
        plain.DEFAULT_FS,
    ):
        assert default in found, default
    (cred,) = [value for value in found if isinstance(value, Cred)]
    assert cred == plain.root_cred(cred.user_ref, cred.groupinfo_ref)
    assert [value.ipc_count for value in found if isinstance(value, Ipc)] == [0, 0, 0]
