"""Native -> old -> native: it is recognized, equal when written again, and runs to its end."""

from __future__ import annotations

import re

import pytest

import cr
from cr.image.dialects.table import DIALECTS, NATIVE, find, recognize
from cr.image.errors import ImageError
from cr.tools.convert import convert, upgrade
from cr.tools.info import summarize
from cr.until import Ended
from tests.dialects.old_images import ALL, ARCHES, CASES, NO_CASES, begun, ended, halfway
from tests.harness.hostile import specimen


def test_every_dialect_is_tested() -> None:
    programs = {dialect.name for dialect in DIALECTS if dialect.excerpt is None}
    assert set(ARCHES) == programs


@pytest.mark.parametrize(("name", "arch"), CASES)
def test_a_program_goes_on(name: str, arch: str) -> None:
    half = halfway(arch)
    old = convert(half.native, name).image
    found = recognize(old)
    assert found is not None and found.name == name
    upgraded = upgrade(old)
    assert upgraded.dialect == name
    assert convert(upgraded.image, name).image == old, "written again, it is another image"
    assert half.said + ended(arch, old, half.disk) == half.straight


OLDEST = {"x86_32": "v13", "ppc32": "v13", "ppc64": "v13", "x86_64": "v19"}
"""64-bit x86 came with v19: that v13 has no place for it is in NO_CASES."""


@pytest.mark.parametrize("arch", ALL)
@pytest.mark.parametrize("calls", [1, 3, 6])
def test_down_and_up_again_as_bytes(arch: str, calls: int) -> None:
    """The native image that comes back is restarted, not the old one: nothing of it is left."""
    half = halfway(arch, calls=calls)
    old = convert(half.native, OLDEST[arch]).image
    back = convert(old, NATIVE).image
    assert recognize(old) is not None and recognize(back) is None
    assert half.said + ended(arch, back, half.disk) == half.straight


@pytest.mark.parametrize(("name", "arch"), CASES)
def test_only_one_dialect_recognizes_it(name: str, arch: str) -> None:
    old = convert(halfway(arch).native, name).image
    assert [dialect.name for dialect in DIALECTS if dialect.recognizes(old)] == [name]


@pytest.mark.parametrize("arch", ALL)
def test_a_native_image_is_no_old_one(arch: str) -> None:
    native = halfway(arch).native
    assert recognize(native) is None
    assert upgrade(native).dialect == NATIVE and convert(native, NATIVE).image == native


@pytest.mark.parametrize(("name", "arch"), NO_CASES)
def test_an_arch_that_it_lacks_is_named(name: str, arch: str) -> None:
    with pytest.raises(ImageError, match=f"{name} has no place for {arch}: it"):
        convert(halfway(arch).native, name)


@pytest.mark.parametrize(("name", "arch"), CASES)
def test_at_every_system_call(name: str, arch: str) -> None:
    kernel = begun(arch)
    said, straight = b"", halfway(arch).straight
    while kernel.run(cr.after_syscalls(1)) is not Ended.EXITED:
        said += bytes(kernel.console.output)
        old = convert(bytes(kernel.checkpoint()), name).image
        kernel = kernel.reboot()
        kernel.restart(old)
    assert said + bytes(kernel.console.output) == straight
    kernel.power_off()


@pytest.mark.parametrize(
    ("story", "arch"),
    [
        ("cpu/x87_sse", "x86_32"),
        ("cpu/fpr", "ppc32"),
        ("cpu/fpr", "ppc64"),
        ("cpu/altivec", "ppc32"),
        ("cpu/vsx", "ppc64"),
    ],
)
def test_units_of_the_processor_survive_v13(story: str, arch: str) -> None:
    half = halfway(arch, story, 2)
    old = convert(half.native, "v13").image
    assert half.said + ended(arch, old, half.disk) == half.straight


CANNOT = [("powerpc-v1", "ppc64"), ("v1", "x86_32")]
"""No vector registers; no open files."""


@pytest.mark.parametrize(("name", "arch"), [case for case in CASES if case not in CANNOT])
def test_a_program_of_a_libc_goes_on(name: str, arch: str) -> None:
    half = halfway(arch, "libc/stdio_file", 9)
    old = convert(half.native, name).image
    assert half.said + ended(arch, old, half.disk) == half.straight


def test_the_first_powerpc_port_had_no_vectors() -> None:
    with pytest.raises(ImageError, match="has no place for vector registers"):
        convert(halfway("ppc64", "libc/stdio_file", 9).native, "powerpc-v1")


REFUSED = {
    "files/pipe": "open files of type PIPE",
    "memory/shared_anonymous": "memory that is shared",
    "memory/shared_file": "memory that is shared",
    "processes/threads": "threads",
    "processes/zombies": "zombies",
    "sockets/datagram": "sockets",
    "signals/nested": "signal handlers: 10 12 15",
    "terminals/watching": "terminals",
    "time/nanosleep": "a call remembers that is begun again (HRTIMER_NANOSLEEP)",
    "files/unlinked": "what linux-cr never had: UNLINKED",
}


@pytest.mark.parametrize("story", REFUSED)
def test_v13_says_what_it_has_no_place_for(story: str) -> None:
    native = specimen(story, "x86_32").image
    with pytest.raises(ImageError, match=re.escape(REFUSED[story])) as refused:
        find("v13").write(native)
    assert "v13 has no place for" in str(refused.value)


def test_what_is_left_out_is_told() -> None:
    lost = convert(halfway("x86_32").native, "v13").lost
    assert any("clock" in one for one in lost)
    assert not any("groups" in one for one in lost), "one process alone is in its own group"


def test_two_processes_keep_their_tree() -> None:
    native = specimen("memory/private_file", "x86_32").image
    before = summarize(native).tasks
    after = summarize(upgrade(convert(native, "v13").image).image).tasks
    assert len(before) == 2
    assert [(t.pid, t.ppid, t.comm, t.executable) for t in after] == [
        (t.pid, t.ppid, t.comm, t.executable) for t in before
    ]
    assert [t.descriptors for t in after] == [t.descriptors for t in before]


def test_v8_knows_one_process() -> None:
    native = specimen("memory/private_file", "x86_32").image
    with pytest.raises(ImageError, match="v8 has no place for more than one process"):
        convert(native, "v8")
