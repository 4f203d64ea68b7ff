"""Security labels and RESTART_KEEP_LSM, in a kernel that has no security module."""

from __future__ import annotations

import copy
import struct

import pytest

import cr
from cr.context import Restart
from cr.image import security as image
from cr.image import types as t
from cr.image.errors import ImageError
from cr.image.stream import Writer, byte_order
from cr.image.walk import walk
from cr.restart import read_image
from cr.system import System
from cr.testing.anvil import Specimen
from cr.testing.mutation import Anatomy
from guests.stories import ARCHES, find_story
from kernel_model.abi.errno import ENOSYS, EPERM
from kernel_model.boot import bare_task
from kernel_model.dump import dump
from tests.harness.hostile import state_of
from tests.harness.model import MEMORY_BYTES, start

HOLDERS = {
    "CRED.sec_ref": "ipc/messages",
    "FILE.f_secref": "ipc/messages",
    "IPC_MSG.perms.sec_ref": "ipc/messages",
    "IPC_MSG_MSG.sec_ref": "ipc/messages",
    "IPC_SHM.perms.sec_ref": "ipc/shared_segment",
}
LABEL = b"system_u:system_r:checkpointed_t"


def specimen(story: str, arch: str) -> Specimen:
    kernel = start(find_story(story), arch, find_story(story).builds[0])
    kernel.run(cr.after_syscalls(6 if story == "ipc/shared_segment" else 13))
    found = Specimen(story, arch, bytes(kernel.checkpoint()), kernel.disk)
    kernel.power_off()
    return found


def labelled(found: Specimen, holder: str, *, refers_to: int = 1, size: int = 0) -> bytes:
    """The image with a label, which the first holder of that kind has.

    `refers_to` 1: the number by which others name a label; 0: that of the text, which is no label.
    """
    base = Anatomy(found.image)
    order = byte_order(found.image)
    words = [(item, word) for item, words in zip(base.items, base.words) for word in words]
    record = holder.partition(".")[0]
    item, word = next((item, word) for item, word in words if word.where == holder)
    assert item.name == record
    number = (
        max(
            struct.unpack_from(f"{order}i", found.image, word.offset)[0]
            for _, word in words
            if "objref" in word.where
        )
        + 1
    )
    pieces: list[bytes] = []
    writer = Writer(pieces, order)
    writer.write_objref(t.OBJ_SECURITY, number)
    writer.write(t.HDR_SECURITY, image.Security(ptrref=number + 1, sectype=4))
    writer.write_string(t.HDR_STRING, LABEL.ljust(size, b"x"))
    changed = bytearray(found.image)
    struct.pack_into(f"{order}i", changed, word.offset, number + refers_to)
    changed[item.offset : item.offset] = b"".join(map(bytes, pieces))
    return bytes(changed)


def fresh(found: Specimen) -> System:
    return cr.boot(found.arch, copy.deepcopy(found.disk), memory_bytes=MEMORY_BYTES)


def restart(kernel: System, image: bytes, flags: int = 0) -> None:
    """As the host does it; or only as far as the image is read, with flags of sys_restart."""
    if not flags:
        kernel.restart(image)
        return
    opener = bare_task(kernel, 0)
    ctx = Restart(kernel, image, opener, flags)
    try:
        read_image(ctx)
    finally:
        ctx.end()
        opener.files.drop()


def restarted(found: Specimen, image: bytes, flags: int = 0) -> System:
    kernel = fresh(found)
    restart(kernel, image, flags)
    return kernel


def refused(found: Specimen, image: bytes, flags: int = 0) -> ImageError:
    kernel = fresh(found)
    for abi in kernel.abis:
        if abi.vdso:
            kernel.vdso_page(abi)
    before = state_of(kernel)
    with pytest.raises(ImageError) as error:
        restart(kernel, image, flags)
    assert state_of(kernel) == before
    kernel.power_off()
    return error.value


@pytest.mark.parametrize("arch", ARCHES)
def test_no_module_writes_its_name_and_no_label(arch: str) -> None:
    items = list(walk(specimen("ipc/messages", arch).image))
    (name,) = [item for item in items if item.role == "lsm name"]
    (info,) = [item for item in items if item.role == "lsm info"]
    assert (bytes(name.value), bytes(info.value)) == (b"lsm_none\0\0\0", b"dummy")
    assert not any(item.name == "SECURITY" for item in items)


@pytest.mark.parametrize("arch", ARCHES)
@pytest.mark.parametrize("holder", HOLDERS)
def test_labels_are_read_and_forgotten(holder: str, arch: str) -> None:
    found = specimen(HOLDERS[holder], arch)
    plain, other = restarted(found, found.image), restarted(found, labelled(found, holder))
    assert dump(plain) == dump(other)
    assert other.checkpoint() == plain.checkpoint()
    plain.power_off()
    other.power_off()


@pytest.mark.parametrize("arch", ARCHES)
@pytest.mark.parametrize("holder", HOLDERS)
def test_a_label_that_should_be_kept_is_not_supported(holder: str, arch: str) -> None:
    found = specimen(HOLDERS[holder], arch)
    restarted(found, found.image, t.RESTART_KEEP_LSM).power_off()
    error = refused(found, labelled(found, holder), t.RESTART_KEEP_LSM)
    assert (error.errno, error.sentence) == (
        ENOSYS.errno,
        "no security module gives this label back",
    )


@pytest.mark.parametrize("arch", ARCHES)
def test_another_module_matters_only_if_labels_are_kept(arch: str) -> None:
    found = specimen("ipc/messages", arch)
    other = found.image.replace(b"lsm_none\0\0\0", b"smack\0\0\0\0\0\0")
    assert other != found.image
    restarted(found, other).power_off()
    error = refused(found, other, t.RESTART_KEEP_LSM)
    assert error.errno == EPERM.errno
    assert "'smack' cannot be kept" in error.sentence


@pytest.mark.parametrize("arch", ARCHES)
def test_a_label_must_be_one(arch: str) -> None:
    found = specimen("ipc/messages", arch)
    assert "not a " in refused(found, labelled(found, "CRED.sec_ref", refers_to=0)).sentence
    assert "no object" in refused(found, labelled(found, "CRED.sec_ref", refers_to=2)).sentence
    longest = t.LSM_LABEL_LIMIT - 1
    restarted(found, labelled(found, "CRED.sec_ref", size=longest)).power_off()
    too_long = refused(found, labelled(found, "CRED.sec_ref", size=longest + 1))
    assert too_long.record == "STRING"
