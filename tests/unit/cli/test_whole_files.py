"""Files are there whole or not at all."""

import os
from pathlib import Path
from typing import BinaryIO

import pytest

from cr.cli.failure import Failure
from cr.cli.whole_files import Staging, check_folder


def test_nothing_appears_before_commit(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    two.write_bytes(b"older and longer")
    mask = os.umask(0o027)
    try:
        with Staging() as files:
            files.write(one, lambda file: file.write(b"1"))
            files.write(two, lambda file: file.write(b"2"))
            assert not one.exists() and two.read_bytes() == b"older and longer"
            files.commit()
    finally:
        os.umask(mask)
    assert (one.read_bytes(), two.read_bytes()) == (b"1", b"2")
    assert one.stat().st_mode & 0o777 == 0o640
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one", "two"]


def test_a_writer_that_fails_leaves_nothing(tmp_path: Path) -> None:
    def fail(file: BinaryIO) -> None:
        file.write(b"half")
        raise OSError(28, os.strerror(28))

    (tmp_path / "two").write_bytes(b"old")
    with pytest.raises(Failure, match="two cannot be written: No space left"), Staging() as files:
        files.write(tmp_path / "one", lambda file: file.write(b"1"))
        files.write(tmp_path / "two", fail)
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("two", b"old")]


def test_a_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("target")
    with Staging() as files:
        files.write(tmp_path / "link", lambda file: file.write(b"1"))
        files.commit()
    assert (tmp_path / "link").is_symlink() and (tmp_path / "target").read_bytes() == b"1"


def test_a_device_is_not_replaced() -> None:
    with pytest.raises(Failure, match="/dev/full cannot be written: No space"), Staging() as files:
        files.write(Path("/dev/full"), lambda file: file.write(b"1"))
    with Staging() as files:
        files.write(Path("/dev/null"), lambda file: file.write(b"1"))
        files.commit()
    assert Path("/dev/null").is_char_device() and Path("/dev/full").is_char_device()


def test_places_where_nothing_can_be_written(tmp_path: Path) -> None:
    check_folder(tmp_path / "new")
    with pytest.raises(Failure, match="there is no folder"):
        check_folder(tmp_path / "no" / "new")
    with pytest.raises(Failure, match="it is a directory"):
        check_folder(tmp_path)
    with pytest.raises(Failure, match="cannot be written"), Staging() as files:
        files.write(tmp_path / "no" / "new", lambda file: file.write(b""))
