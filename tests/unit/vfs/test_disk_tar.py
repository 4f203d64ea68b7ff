"""Disks go into archives and come back; nothing hostile gets further than a DiskError."""

from __future__ import annotations

import io
import os
import random
import subprocess
from pathlib import Path

import pytest

from kernel_model.syscalls import attributes, names, readwrite, truncate
from kernel_model.syscalls import open as open_calls
from kernel_model.vfs import tar
from kernel_model.vfs.disk import Disk, DiskError
from kernel_model.vfs.disk_tar import read_tar, write_tar
from tests.unit.vfs.fakes import BASE, FakeKernel, FakeTask


def packed(disk: Disk) -> bytes:
    file = io.BytesIO()
    write_tar(disk, file)
    return file.getvalue()


def put(task: FakeTask, path: bytes, content: bytes) -> None:
    fd = task.call(open_calls.open, path, 0o1102, 0o644)
    task.user.write(BASE, content)
    task.call(readwrite.write, fd, BASE, len(content))
    task.call(open_calls.close, fd)


def listing(disk: Disk) -> list[tuple[object, ...]]:
    found: list[tuple[object, ...]] = []
    stack = [(b"", disk.root)]
    while stack:
        path, node = stack.pop()
        entries = node.entries() if node.mode >> 12 == 4 else {}
        text = node.read(0, node.size) if node.mode >> 12 == 8 else b""
        times = (node.atime_ns, node.mtime_ns, node.ctime_ns)
        found.append(
            (path, node.ino, node.mode, node.uid, node.gid, node.nlink, node.rdev, times)
            + (node.target, node.size, text)
        )
        stack.extend((path + b"/" + name, child) for name, child in entries.items())
    return sorted(found, key=lambda item: str(item[0]))


@pytest.fixture
def task() -> FakeTask:
    task = FakeTask()
    put(task, b"/a", b"content of a")
    task.kernel.clock.now += 12345
    task.call(names.mkdir, b"/d", 0o750)
    put(task, b"/d/\xffname\n", b"x" * 1000)
    put(task, b"/" + b"n" * 200, b"")
    task.call(names.link, b"/a", b"/d/same")
    task.call(names.symlink, b"t" * 300, b"/link")
    task.call(names.mknod, b"/fifo", 0o010644, 0)
    task.call(names.mknod, b"/sock", 0o140644, 0)
    task.call(names.mknod, b"/node", 0o020600, 0x12345)
    task.call(attributes.chown, b"/a", 4_000_000_000, 12)
    put(task, b"/sparse", b"s")
    task.call(truncate.truncate, b"/sparse", 1 << 33)
    return task


def test_round_trip_is_the_same_archive(task: FakeTask) -> None:
    disk = task.kernel.vfs.disk
    first = packed(disk)
    disk.root.entries()[b"sparse"].size = 10
    again = read_tar(packed(disk))
    assert packed(again) == packed(disk)
    assert listing(again) == listing(disk)
    assert again.next_ino == disk.next_ino
    assert read_tar(first).root.entries()[b"sparse"].size == 1 << 33


def test_another_program_reads_it(task: FakeTask, tmp_path: Path) -> None:
    (tmp_path / "disk.tar").write_bytes(packed(task.kernel.vfs.disk))
    ran = subprocess.run(
        ["tar", "-tf", str(tmp_path / "disk.tar"), "--warning=no-unknown-keyword"],
        capture_output=True,
        check=True,
    )
    assert b"./" not in ran.stdout.split(b"\n")[1:]
    assert b"n" * 200 in ran.stdout


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    (root / "d" / "inner").mkdir(parents=True)
    (root / "d" / "inner" / "deep").write_text("deep")
    (root / "d" / "f").write_text("f of d")
    (root / "a").write_text("host a")
    (root / "b").write_text("host b")
    (root / "link").symlink_to("/etc/passwd")
    return root


def tree_of(root: Path) -> list[tuple[str, int, int, bytes]]:
    return sorted(
        (str(path), path.lstat().st_mtime_ns, path.lstat().st_mode, path.read_bytes())
        if path.is_file() and not path.is_symlink()
        else (str(path), path.lstat().st_mtime_ns, path.lstat().st_mode, b"")
        for path in root.rglob("*")
    )


def test_only_changes_above_a_host_folder_are_written(folder: Path) -> None:
    before = tree_of(folder)
    task = FakeTask(FakeKernel(Disk.from_dir(folder)))
    base = len(packed(task.kernel.vfs.disk))
    put(task, b"/d/new", b"new")
    task.call(names.unlink, b"/b")
    task.call(names.rename, b"/d", b"/e")
    task.call(names.link, b"/a", b"/e/a2")
    task.call(attributes.chmod, b"/e/inner/deep", 0o600)
    put(task, b"/e/f", b"changed")
    disk = task.kernel.vfs.disk
    archive = packed(disk)
    assert b"deep" in archive and b"host a" not in archive
    assert len(archive) > base
    again = read_tar(archive, Disk.from_dir(folder))
    assert packed(again) == archive
    assert listing(again) == listing(disk)
    assert tree_of(folder) == before


def test_host_files_are_the_same_in_every_run(folder: Path) -> None:
    one, two = listing(Disk.from_dir(folder)), listing(Disk.from_dir(folder))
    os.utime(folder / "a", (1, 1))
    assert one == two == listing(Disk.from_dir(folder))


def test_cut_and_flipped_archives(task: FakeTask) -> None:
    task.kernel.vfs.disk.root.entries()[b"sparse"].size = 10
    archive = packed(task.kernel.vfs.disk)
    for cut in range(0, len(archive) - 1024, 97):
        with pytest.raises(DiskError):
            read_tar(archive[:cut])
    source = random.Random(1)
    for _ in range(400):
        broken = bytearray(archive)
        broken[source.randrange(len(broken))] ^= 1 << source.randrange(8)
        try:
            packed(read_tar(bytes(broken)))
        except DiskError:
            continue


def archive_of(*members: tar.Member) -> bytes:
    return b"".join(tar.pack(iter(members)))


@pytest.mark.parametrize(
    "member",
    [
        tar.Member(b"../up"),
        tar.Member(b"a/../../up"),
        tar.Member(b"n" * 300),
        tar.Member(b"x", pax={"path": b"x\0y"}),
        tar.Member(b"h", tar.HARD_LINK, link=b"nowhere"),
        tar.Member(b"h", tar.HARD_LINK, link=b"."),
        tar.Member(b"f/below", content=b""),
        tar.Member(b"l", pax={"LINUXCR.lower": b"etc/passwd"}),
        tar.Member(b"s", pax={"LINUXCR.size": b"-1"}),
        tar.Member(b"s", pax={"LINUXCR.size": b"9" * 25}),
        tar.Member(b"s", pax={"LINUXCR.ino": b"2"}),
        tar.Member(b"s", pax={"LINUXCR.ino": b"x"}),
        tar.Member(b"s", pax={"mtime": b"9" * 29}),
        tar.Member(b"s", pax={"GNU.sparse.realsize": b"99999999999"}),
        tar.Member(b"s", "V"),
    ],
)
def test_hostile_members(member: tar.Member) -> None:
    root = tar.Member(b".", tar.DIRECTORY, 0o755, pax={"LINUXCR.ino": b"2"})
    with pytest.raises(DiskError):
        read_tar(archive_of(root, tar.Member(b"f", content=b"file"), member))


def test_deeper_than_python_recurses() -> None:
    disk = read_tar(archive_of(tar.Member(b"d/" * 1200 + b"f", content=b"deep")))
    assert packed(read_tar(packed(disk))) == packed(disk)


def test_same_size_and_times_but_other_bytes(folder: Path) -> None:
    disk = Disk.from_dir(folder)
    disk.root.entries()[b"a"].store(0, b"HOST")
    assert (
        read_tar(packed(disk), Disk.from_dir(folder)).root.entries()[b"a"].read(0, 6) == b"HOST a"
    )
