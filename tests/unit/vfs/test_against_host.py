"""The same calls on a folder of the host and on a disk: the same results, the same errnos."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from kernel_model.abi.errno import LinuxError
from kernel_model.syscalls import attributes, getdents, names, readwrite, stat, truncate
from kernel_model.syscalls import open as open_calls
from tests.unit.vfs.fakes import BASE, FakeTask

PART = st.sampled_from(["a", "b", "c", "dd", ".", "..", "l", "n" * 255, "n" * 256])
PATHS = st.builds(
    lambda parts, slash: "/".join(parts) + slash,
    st.lists(PART, min_size=1, max_size=3),
    st.sampled_from(["", "", "", "/"]),
)
MODES = st.sampled_from([0o755, 0o644, 0o700, 0o4711])
FLAGS = st.sampled_from(
    [
        os.O_RDONLY,
        os.O_RDWR,
        os.O_WRONLY | os.O_TRUNC,
        os.O_RDWR | os.O_CREAT,
        os.O_RDWR | os.O_CREAT | os.O_EXCL,
        os.O_RDWR | os.O_CREAT | os.O_TRUNC,
        os.O_WRONLY | os.O_APPEND | os.O_CREAT,
        os.O_RDONLY | os.O_NOFOLLOW,
        os.O_RDONLY | os.O_DIRECTORY,
        os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW,
    ]
)


def result_of(call: Callable[[], Any]) -> Any:
    try:
        return call()
    except OSError as error:
        return errno.errorcode[error.errno or 0]
    except LinuxError as error:
        return error.name


class SameAsHost(RuleBasedStateMachine):
    """Every rule does one thing twice and compares."""

    def __init__(self) -> None:
        super().__init__()
        self.home = os.path.realpath(tempfile.mkdtemp())
        self.umask = os.umask(0o022)
        self.before = os.getcwd()
        self.task = FakeTask()
        os.chdir(self.home)
        self.task.call(names.chdir, b"/tmp")
        # Deep enough that no path of the rules leads out: what lies above differs.
        for _ in range(8):
            os.mkdir("home")
            os.chdir("home")
            self.task.call(names.mkdir, b"home", 0o755)
            self.task.call(names.chdir, b"home")
        self.fds: list[tuple[int, int]] = []

    def teardown(self) -> None:
        for fd, _ in self.fds:
            os.close(fd)
        os.chdir(self.before)
        os.umask(self.umask)
        shutil.rmtree(self.home)

    def inside(self, *paths: str) -> bool:
        """Whether the host would stay in our folder. Nothing else is ever touched."""
        here = os.getcwd()
        reals = [os.path.realpath(os.path.join(here, path)) for path in paths]
        return all(real.startswith(self.home + "/home") for real in reals)

    def same(self, host: Callable[[], Any], call: Any, *args: Any) -> Any:
        ours = result_of(lambda: self.task.call(call, *args))
        theirs = result_of(host)
        theirs = 0 if theirs is None else theirs
        assert ours == theirs, f"{call.name}{args}: ours {ours}, the host's {theirs}"
        return ours

    @rule(path=PATHS, mode=MODES)
    def mkdir(self, path: str, mode: int) -> None:
        if not self.inside(path):
            return
        self.same(lambda: os.mkdir(path, mode & 0o777), names.mkdir, path.encode(), mode & 0o777)

    @rule(path=PATHS)
    def rmdir(self, path: str) -> None:
        if not self.inside(path):
            return
        self.same(lambda: os.rmdir(path), names.rmdir, path.encode())

    @rule(path=PATHS)
    def unlink(self, path: str) -> None:
        if not self.inside(path):
            return
        self.same(lambda: os.unlink(path), names.unlink, path.encode())

    @rule(old=PATHS, new=PATHS)
    def rename(self, old: str, new: str) -> None:
        if not self.inside(old, new):
            return
        self.same(lambda: os.rename(old, new), names.rename, old.encode(), new.encode())

    @rule(old=PATHS, new=PATHS)
    def link(self, old: str, new: str) -> None:
        if not self.inside(old, new):
            return
        self.same(
            lambda: os.link(old, new, follow_symlinks=False),
            names.link,
            old.encode(),
            new.encode(),
        )

    @rule(text=st.sampled_from(["a", "b/c", "../home/a", "l", "dd/", ""]), path=PATHS)
    def symlink(self, text: str, path: str) -> None:
        if not self.inside(path):
            return
        self.same(lambda: os.symlink(text, path), names.symlink, text.encode(), path.encode())

    @rule(path=PATHS, mode=MODES)
    def chmod(self, path: str, mode: int) -> None:
        if not self.inside(path):
            return
        self.same(lambda: os.chmod(path, mode), attributes.chmod, path.encode(), mode)

    @rule(path=PATHS, size=st.sampled_from([0, 1, 4095, 5000]))
    def truncate(self, path: str, size: int) -> None:
        if not self.inside(path):
            return
        self.same(lambda: os.truncate(path, size), truncate.truncate, path.encode(), size)

    @rule(path=PATHS, flags=FLAGS)
    def open(self, path: str, flags: int) -> None:
        if not self.inside(path):
            return
        theirs = result_of(lambda: os.open(path, flags, 0o644))
        ours = result_of(lambda: self.task.call(open_calls.open, path.encode(), flags, 0o644))
        if isinstance(theirs, int) and isinstance(ours, int) and len(self.fds) < 8:
            self.fds.append((theirs, ours))
        elif isinstance(theirs, int) and isinstance(ours, int):
            os.close(theirs)
            self.task.call(open_calls.close, ours)
        else:
            assert ours == theirs, f"open({path}, {flags:o})"

    @rule(which=st.integers(0, 7), size=st.sampled_from([1, 100, 4096, 5000]))
    def write(self, which: int, size: int) -> None:
        if which < len(self.fds):
            data = bytes(i % 251 for i in range(size))
            self.task.user.write(BASE, data)
            fd, ours = self.fds[which]
            self.same(lambda: os.write(fd, data), readwrite.write, ours, BASE, size)

    @rule(which=st.integers(0, 7), size=st.sampled_from([1, 100, 4096, 5000]))
    def read(self, which: int, size: int) -> None:
        if which < len(self.fds):
            theirs, ours = self.fds[which]
            expected = result_of(lambda: os.read(theirs, size))
            got = result_of(lambda: self.task.call(readwrite.read, ours, BASE, size))
            if isinstance(got, int):
                got = self.task.user.read(BASE, got)
            assert got == expected

    @rule(
        which=st.integers(0, 7),
        offset=st.sampled_from([0, 10, 5000, -1, -10]),
        whence=st.integers(0, 2),
    )
    def lseek(self, which: int, offset: int, whence: int) -> None:
        if which < len(self.fds):
            fd, ours = self.fds[which]
            if not os.path.isdir(f"/proc/self/fd/{fd}"):
                self.same(
                    lambda: os.lseek(fd, offset, whence), readwrite.lseek, ours, offset, whence
                )

    @rule(path=PATHS)
    def readlink(self, path: str) -> None:
        if not self.inside(path):
            return
        theirs = result_of(lambda: os.readlink(path.encode()))
        ours = result_of(lambda: self.task.call(stat.readlink, path.encode(), BASE, 4096))
        if isinstance(ours, int):
            ours = self.task.user.read(BASE, ours)
        assert ours == theirs

    @rule(path=PATHS, follow=st.booleans())
    def stat(self, path: str, follow: bool) -> None:
        if not self.inside(path):
            return
        theirs = result_of(lambda: os.stat(path, follow_symlinks=follow))
        call = stat.stat if follow else stat.lstat
        ours = result_of(lambda: self.task.call(call, path.encode(), BASE))
        if isinstance(theirs, str):
            assert ours == theirs
            return
        seen = self.task.user.read_record(self.task.structs.stat, BASE)
        assert seen.st_mode == theirs.st_mode
        if not os.path.isdir(path):
            assert (seen.st_size, seen.st_nlink) == (theirs.st_size, theirs.st_nlink)

    @invariant()
    def same_names(self) -> None:
        fd = self.task.call(open_calls.open, b".", os.O_RDONLY, 0)
        count = self.task.call(getdents.getdents64, fd, BASE, 60000)
        self.task.call(open_calls.close, fd)
        data, found = self.task.user.read(BASE, count), []
        while data:
            length = int.from_bytes(data[16:18], "little")
            found.append(data[19:length].partition(b"\0")[0])
            data = data[length:]
        assert found == [b".", b"..", *sorted(os.listdir(b"."))]


TestSameAsHost = SameAsHost.TestCase
TestSameAsHost.settings = settings(
    max_examples=40,
    stateful_step_count=40,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    database=None,
    suppress_health_check=list(HealthCheck),
)
