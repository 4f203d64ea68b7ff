"""Credentials: restored as they were, and refused to who may not give them."""

from dataclasses import replace

import pytest

from cr.context import Restart
from cr.image.errors import ImageError
from cr.restart import read_image
from cr.system import System
from kernel_model.boot import bare_task
from kernel_model.creds import Cred, Groups
from kernel_model.task import Task
from tests.harness.tiny_tasks import pausing, restarted


def test_ids_groups_and_capabilities() -> None:
    kernel, task = pausing("x86_64")
    task.cred = replace(task.cred, uid=5, euid=6, suid=7, fsuid=6, gid=8, cap_effective=0b1010)
    task.cred = replace(task.cred, group_info=Groups((1, 2, 3)))
    expected = task.cred
    _, task = restarted(kernel)
    assert (task.cred.uid, task.cred.euid, task.cred.suid, task.cred.fsuid) == (5, 6, 7, 6)
    assert (task.cred.gid, task.cred.groups) == (8, (1, 2, 3))
    assert task.cred.cap_effective == expected.cap_effective


def read_as(kernel: System, image: bytes, cred: Cred) -> ImageError:
    opener: Task = bare_task(kernel, 0)
    opener.cred = cred
    ctx = Restart(kernel, image, opener)
    with pytest.raises(ImageError) as refused:
        read_image(ctx)
    ctx.end()
    return refused.value


def test_who_has_no_privilege_cannot_give_any() -> None:
    kernel, task = pausing("x86_64")
    image = kernel.checkpoint()
    root = task.cred
    kernel = kernel.reboot()
    poor = replace(root, uid=9, euid=9, suid=9, cap_permitted=0, cap_effective=0)
    refused = read_as(kernel, image, poor)
    assert refused.errno == 1 and "capabilities" in refused.sentence


def test_ids_of_somebody_else() -> None:
    kernel, task = pausing("x86_64")
    task.cred = replace(task.cred, uid=4, cap_permitted=0, cap_effective=0, cap_bounding=0)
    image = kernel.checkpoint()
    kernel = kernel.reboot()
    refused = read_as(kernel, image, replace(task.cred, uid=0))
    assert refused.errno == 1 and "user ids" in refused.sentence
