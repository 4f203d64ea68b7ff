"""A folder of the host is looked at, never left, never written."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kernel_model.abi.errno import EIO, ENOENT
from kernel_model.syscalls import names, readwrite, stat
from kernel_model.syscalls import open as open_calls
from kernel_model.vfs.disk import Disk, DiskError
from kernel_model.vfs.hostdir import HostError, HostFolder
from tests.unit.vfs.fakes import BASE, FakeKernel, FakeTask


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "secret").write_text("host secret")
    root = tmp_path / "root"
    (root / "sub").mkdir(parents=True)
    (root / "sub" / "file").write_text("inside")
    (root / "up").symlink_to("../secret")
    (root / "abs").symlink_to(tmp_path / "secret")
    (root / "out").symlink_to(tmp_path)
    os.mkfifo(root / "fifo")
    return root


def boot(root: Path) -> FakeTask:
    return FakeTask(FakeKernel(Disk.from_dir(root)))


@pytest.mark.parametrize(
    "path", [b"/up", b"/abs", b"/out/secret", b"/../secret", b"/sub/../../secret"]
)
def test_no_way_out(root: Path, path: bytes) -> None:
    with pytest.raises(ENOENT):
        boot(root).call(open_calls.open, path, 0, 0)


def test_a_folder_swapped_for_a_symlink(root: Path) -> None:
    task = boot(root)
    task.call(stat.stat, b"/sub/file", BASE)
    (root / "sub").rename(root / "old")
    (root / "sub").symlink_to(root.parent)
    (root.parent / "file").write_text("outside")
    fd = task.call(open_calls.open, b"/sub/file", 0, 0)
    with pytest.raises(EIO):
        task.call(readwrite.read, fd, BASE, 100)
    with pytest.raises(HostError):
        HostFolder(root).list(b"sub")
    with pytest.raises(HostError):
        HostFolder(root).content(b"up")
    with pytest.raises(HostError):
        HostFolder(root).content(b"fifo")


def test_nothing_is_written(root: Path) -> None:
    os.chmod(root / "sub" / "file", 0o444)
    before = sorted((str(p), p.lstat().st_mtime_ns, p.lstat().st_mode) for p in root.rglob("*"))
    task = boot(root)
    fd = task.call(open_calls.open, b"/sub/file", 0o2001, 0)
    task.user.write(BASE, b" more")
    task.call(readwrite.write, fd, BASE, 5)
    task.call(names.rename, b"/sub", b"/moved")
    task.call(names.unlink, b"/up")
    task.kernel.vfs.sync()
    after = sorted((str(p), p.lstat().st_mtime_ns, p.lstat().st_mode) for p in root.rglob("*"))
    assert before == after
    fd = task.call(open_calls.open, b"/moved/file", 0, 0)
    assert task.call(readwrite.read, fd, BASE, 100) == 11
    assert task.user.read(BASE, 11) == b"inside more"


def test_nothing_of_the_host_is_told(root: Path) -> None:
    task = boot(root)
    task.call(stat.stat, b"/sub/file", BASE)
    seen = task.user.read_record(task.structs.stat, BASE)
    assert (seen.st_uid, seen.st_gid, seen.st_mtime, seen.st_dev) == (0, 0, 1_262_304_000, 1)
    assert seen.st_ino != (root / "sub" / "file").stat().st_ino


def test_no_such_folder(tmp_path: Path) -> None:
    with pytest.raises(DiskError):
        Disk.from_dir(tmp_path / "none")
