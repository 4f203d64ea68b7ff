"""The files of a kernel: its disk mounted as root, and /dev on it.

Boot makes one `Vfs` of a `Disk`; what the disk lacks of /dev, /proc and /tmp is made on it. The
disk is all that outlives the kernel: `sync()` brings to it what was stored through mappings.
"""

from __future__ import annotations

import stat
from collections.abc import Mapping
from typing import TYPE_CHECKING

from emu.memory import Ram
from kernel_model.abi.fcntl import O_RDONLY, O_RDWR, O_WRONLY
from kernel_model.net.sockfs import SockFs
from kernel_model.pipe import PipeFs
from kernel_model.tty.devpts import DevPts
from kernel_model.vfs.anon import AnonFs
from kernel_model.vfs.cgroupfs import CgroupFs
from kernel_model.vfs.devices import DevFs
from kernel_model.vfs.disk import Disk, DiskError
from kernel_model.vfs.fs_struct import FsStruct
from kernel_model.vfs.inode import FileSystem, RealTime
from kernel_model.vfs.memfs import MemFs
from kernel_model.vfs.mounts import Dentry, MountNamespace, Path
from kernel_model.vfs.open import open_path
from kernel_model.vfs.proc_text import TaskText
from kernel_model.vfs.procfs import ProcFs

if TYPE_CHECKING:
    from kernel_model.kernel import Kernel
    from kernel_model.task import Task

ROOT_DEV, DEV_DEV, PROC_DEV, PIPE_DEV, SYS_DEV, CGROUP_DEV, ANON_DEV, PTS_DEV = range(1, 9)
SOCK_DEV = 9
"""Device numbers (major 0) of the file systems, as st_dev shows them."""

_PLACES = ((b"dev", 0o755), (b"proc", 0o555), (b"sys", 0o555), (b"tmp", 0o1777))
_STREAMS = (
    (b"/dev/console.in", O_RDONLY),
    (b"/dev/console.out", O_WRONLY),
    (b"/dev/console.err", O_WRONLY),
)


class Vfs:
    """The initial mount namespace and the file systems of one kernel."""

    def __init__(self, disk: Disk, ram: Ram, clock: RealTime) -> None:
        self.disk = disk
        self.rootfs = MemFs(disk, ram, clock, ROOT_DEV)
        self.devfs = DevFs(ram, clock, DEV_DEV)
        self.pipefs = PipeFs(ram, clock, PIPE_DEV)
        self.anonfs = AnonFs(ram, clock, ANON_DEV)
        self.sockfs = SockFs(ram, clock, SOCK_DEV)
        self.devpts = DevPts(ram, clock, PTS_DEV)
        self.namespace = MountNamespace(self.rootfs)
        for name, mode in _PLACES:
            place = self.rootfs.root.lookup(name)
            if place is None:
                self.rootfs.root.create(name, stat.S_IFDIR | mode, 0, 0, 0, b"")
            elif not place.is_dir:
                raise DiskError(f"/{name.decode()} of the disk is not a directory")
        self.mount(b"dev", self.devfs, b"devtmpfs")
        devfs = self.namespace.root_mount.children[self._child(b"dev")]
        pts = devfs.root.child(b"pts")
        assert pts is not None
        self.namespace.mount(self.devpts, Path(devfs, pts), b"devpts")

    def mount_proc(
        self,
        kernel: Kernel,
        *,
        root_files: Mapping[bytes, TaskText] | None = None,
        task_files: Mapping[bytes, TaskText] | None = None,
    ) -> None:
        """Mount /proc, with entries besides its own (see procfs)."""
        fs = ProcFs(kernel, PROC_DEV, root_files=root_files, task_files=task_files)
        self.mount(b"proc", fs, b"proc")

    def mount_freezer(self, kernel: Kernel) -> None:
        """Mount /sys with the freezer hierarchy on /sys/fs/cgroup/freezer."""
        sysfs = MemFs(Disk.empty(), self.rootfs.ram, self.rootfs.clock, SYS_DEV)
        inode = sysfs.root
        for name in (b"fs", b"cgroup", b"freezer"):
            inode = inode.create(name, stat.S_IFDIR | 0o755, 0, 0, 0, b"")
        self.mount(b"sys", sysfs, b"sysfs")
        mount = self.namespace.root_mount.children[self._child(b"sys")]
        dentry = mount.root
        for name in (b"fs", b"cgroup", b"freezer"):
            found = dentry.child(name)
            assert found is not None
            dentry = found
        self.namespace.mount(CgroupFs(kernel, CGROUP_DEV), Path(mount, dentry), b"cgroup")

    def _child(self, name: bytes) -> Dentry:
        dentry = self.root.dentry.child(name)
        assert dentry is not None
        return dentry

    @property
    def root(self) -> Path:
        """The root directory of the first task."""
        return self.namespace.root

    def mount(self, name: bytes, fs: FileSystem, device: bytes) -> None:
        """Mount a file system on a directory of the root directory, at boot."""
        self.namespace.mount(fs, Path(self.root.mount, self._child(name)), device)

    def first_fs(self) -> FsStruct:
        """Root directory, current directory and umask of the first task."""
        return FsStruct(self.root, self.root)

    def nameless(self, mode: int, ino: int, shown: bytes) -> Path:
        """A file of the root file system without a name, for restart; `shown` is what it was."""
        inode = self.rootfs.nameless(mode, ino)
        dentry = Dentry(self.root.dentry, shown.lstrip(b"/"), inode)
        dentry.unlinked = True
        return Path(self.root.mount, dentry)

    def open_console(self, task: Task) -> None:
        """Give the first task its descriptors 0, 1 and 2."""
        if task.kernel.console.tty is not None:
            file = open_path(task, b"/dev/console", O_RDWR)
            for fd in range(3):
                task.files.install_at(fd, file.grab() if fd else file)
            return
        for fd, (path, flags) in enumerate(_STREAMS):
            task.files.install_at(fd, open_path(task, path, flags))

    def unmount(self) -> None:
        """The end: the disk is complete, and keeps nothing that has no name."""
        self.sync()
        self.rootfs.forget_nameless()

    def numbers(self) -> tuple[int, ...]:
        """The inode numbers that come next: a restart that is refused gives them back."""
        return self.disk.next_ino, self.pipefs.next_ino, self.sockfs.next_ino

    def set_numbers(self, numbers: tuple[int, ...]) -> None:
        """The opposite of `numbers`; nothing with a later number is left."""
        self.disk.next_ino, self.pipefs.next_ino, self.sockfs.next_ino = numbers

    def sync(self) -> None:
        """Bring the data of mapped files to the disk."""
        self.rootfs.sync()

    def shrink(self) -> int:
        """Give back page frames that only the page cache uses; how many."""
        return self.rootfs.shrink() + self.devfs.shrink()
