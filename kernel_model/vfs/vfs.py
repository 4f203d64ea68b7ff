"""The files of a kernel: its disk mounted as root, and /dev on it.

Boot makes one `Vfs` of a `Disk`; what the disk lacks of /dev, /proc and /tmp is made on it. The
disk is all that outlives the kernel: `sync()` brings to it what was stored through mappings.
What is mounted later is in `extra`, until nobody can reach it any more.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple, cast

from emu.memory import Ram
from kernel_model.abi.errno import EINVAL
from kernel_model.abi.fcntl import O_RDONLY, O_RDWR, O_WRONLY
from kernel_model.net.sockfs import SocketFile, SockFs
from kernel_model.net.unix import UnixSocket
from kernel_model.pipe import PipeFs
from kernel_model.tty.devpts import DevPts
from kernel_model.vfs.anon import AnonFs
from kernel_model.vfs.cgroupfs import CgroupFs
from kernel_model.vfs.devices import DevFs
from kernel_model.vfs.disk import Disk, DiskError
from kernel_model.vfs.filesystem import FileSystem, RealTime
from kernel_model.vfs.fs_struct import FsStruct
from kernel_model.vfs.memfs import MemFs
from kernel_model.vfs.mounts import (
    Dentry,
    Mount,
    MountNamespace,
    MountNumbers,
    Path,
    top_of,
)
from kernel_model.vfs.notify import notice_unmounted
from kernel_model.vfs.open import open_path
from kernel_model.vfs.procfs import NOTHING_MORE, MoreFiles, ProcFs

if TYPE_CHECKING:
    from kernel_model.kernel import Kernel
    from kernel_model.pids import PidNamespace
    from kernel_model.task import Task
    from kernel_model.vfs.openfile import OpenFile

ROOT_DEV, DEV_DEV, PROC_DEV, PIPE_DEV, SYS_DEV, CGROUP_DEV, ANON_DEV, PTS_DEV = range(1, 9)
SOCK_DEV = 9
FIRST_EXTRA_DEV = 16
"""Device numbers (major 0) of the file systems, as st_dev shows them."""


class MountState(NamedTuple):
    """All that is mounted: what a restart puts in place, and puts back if it fails."""

    namespaces: list[MountNamespace]
    file_systems: list[FileSystem]
    next_dev: int


_PLACES = ((b"dev", 0o755), (b"proc", 0o555), (b"sys", 0o555), (b"tmp", 0o1777))
_STREAMS = (
    (b"/dev/console.in", O_RDONLY),
    (b"/dev/console.out", O_WRONLY),
    (b"/dev/console.err", O_WRONLY),
)


class SysFs(MemFs):
    """What is mounted on /sys: directories to mount cgroups on, and nothing else."""

    type_name = b"sysfs"
    magic = 0x62656572


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
        self.sysfs = SysFs(Disk.empty(), ram, clock, SYS_DEV)
        self.procs: list[ProcFs] = []
        """One for each pid namespace that somebody has mounted; the first one's first."""
        self.cgroupfs: CgroupFs
        self.extra: list[FileSystem] = []
        """What was mounted new since boot, in that order."""
        self.lingering = False
        """Some of these are mounted nowhere any more, and still in use."""
        self.next_dev = FIRST_EXTRA_DEV
        """The device number of the next one."""
        numbers = MountNumbers()
        root = Mount(numbers.take(), self.rootfs, top_of(self.rootfs), b"rootfs")
        self.namespace = MountNamespace(numbers, root)
        """That of the first process."""
        self.namespaces = [self.namespace]
        """All of them."""
        for name, mode in _PLACES:
            place = self.rootfs.root.lookup(name)
            if place is None:
                self.rootfs.root.create(name, stat.S_IFDIR | mode, 0, 0, 0, b"")
            elif not place.is_dir:
                raise DiskError(f"/{name.decode()} of the disk is not a directory")
        self._mount(self.devfs, b"devtmpfs", b"dev")
        self._mount(self.devpts, b"devpts", b"dev", b"pts")

    def mount_proc(self, kernel: Kernel, more: MoreFiles = NOTHING_MORE) -> None:
        """Mount /proc, with entries besides its own (see procfs)."""
        self.procs.append(ProcFs(kernel, PROC_DEV, kernel.pid_ns, more=more))
        self._mount(self.procs[0], b"proc", b"proc")

    def mount_freezer(self, kernel: Kernel) -> None:
        """Mount /sys with the freezer hierarchy on /sys/fs/cgroup/freezer: the boot is over."""
        inode = self.sysfs.root
        for name in (b"fs", b"cgroup", b"freezer"):
            inode = inode.create(name, stat.S_IFDIR | 0o755, 0, 0, 0, b"")
        self._mount(self.sysfs, b"sysfs", b"sys")
        self.cgroupfs = CgroupFs(kernel, CGROUP_DEV)
        self._mount(self.cgroupfs, b"cgroup", b"sys", b"fs", b"cgroup", b"freezer")
        self.boot_is_over()

    def _mount(self, fs: FileSystem, device: bytes, *names: bytes) -> None:
        place = self.root
        for name in names:
            found = place.dentry.child(name)
            assert found is not None
            place = Path(place.mount, found).topmost()
        self.namespace.mount(fs, place, device)

    @property
    def root(self) -> Path:
        """The root directory of the first task."""
        return self.namespace.root

    # ---- what differs from the boot

    def boot_is_over(self) -> None:
        """Remember what is mounted now."""
        self._booted = self._mounted()
        self._fs_booted = {fs.dev: _signature(fs) for fs in self.file_systems()}

    def _mounted(self) -> list[object]:
        numbers: list[object] = [self.namespace.numbers.next_number, self.next_dev]
        return numbers + [(mount.number, mount.flags) for one in self.namespaces for mount in one]

    def fs_is_as_booted(self, fs: FileSystem) -> bool:
        """Whether a file system has nothing that a boot does not make."""
        return self._fs_booted.get(fs.dev) == _signature(fs)

    def is_as_booted(self) -> bool:
        """Whether all mounts are those of the boot, and what is in them too."""
        if self._mounted() != self._booted or any(one.expiring for one in self.namespace):
            return False
        return all(map(self.fs_is_as_booted, self.file_systems()))

    def file_systems(self) -> list[FileSystem]:
        """All that can be mounted, by device number."""
        boot = [self.rootfs, self.devfs, self.devpts, self.sysfs, self.cgroupfs]
        return sorted([*boot, *self.procs, *self.extra], key=lambda fs: fs.dev)

    def mount_state(self) -> MountState:
        """What is mounted now."""
        return MountState(self.namespaces, self.file_systems(), self.next_dev)

    def set_mount_state(self, state: MountState) -> None:
        """Have something else mounted; the first namespace is the first process's."""
        self.namespaces, self.next_dev = state.namespaces, state.next_dev
        self.lingering = True
        self.namespace = state.namespaces[0]
        by_dev = {fs.dev: fs for fs in state.file_systems}
        self.devfs = cast(DevFs, by_dev[DEV_DEV])
        self.sysfs = cast(SysFs, by_dev[SYS_DEV])
        self.procs = [fs for fs in state.file_systems if isinstance(fs, ProcFs)]
        self.extra = [
            fs
            for fs in state.file_systems
            if fs.dev >= FIRST_EXTRA_DEV and not isinstance(fs, ProcFs)
        ]

    # ---- file systems that come and go

    def add(self, fs: FileSystem) -> None:
        """A new file system, which has the next device number."""
        assert fs.dev == self.next_dev
        self.next_dev += 1
        self.extra.append(fs)

    def proc_of(self, pid_ns: PidNamespace) -> ProcFs:
        """The proc file system of a pid namespace."""
        for fs in self.procs:
            if fs.pid_ns is pid_ns:
                return fs
        fs = self.procs[0].of_namespace(self.next_dev, pid_ns)
        self.next_dev += 1
        self.procs.append(fs)
        return fs

    def forget_unmounted(self, kernel: Kernel) -> int:
        """Let go of file systems that nobody can reach any more; how many frames that gave back."""
        if not self.extra and len(self.procs) == 1:
            self.lingering = False
            return 0
        mounted = {mount.fs for namespace in self.namespaces for mount in namespace}
        alive = mounted | {path.mount.fs for path in places_in_use(kernel)}
        alive.update(path.inode.fs for path in places_in_use(kernel))
        gone = [fs for fs in self.extra if fs not in alive]
        self.extra = [fs for fs in self.extra if fs in alive]
        self.procs[1:] = [fs for fs in self.procs[1:] if fs in alive]
        self.lingering = any(fs not in mounted for fs in self.extra)
        for fs in gone:
            notice_unmounted(fs)
        return sum(fs.end() for fs in gone if isinstance(fs, MemFs))

    def look_again(self, kernel: Kernel) -> None:
        """Somebody may have let go of the last file of a file system that nobody sees any more."""
        if self.lingering:
            self.forget_unmounted(kernel)

    def end_namespace(self, namespace: MountNamespace, kernel: Kernel) -> None:
        """A task has left a namespace: it goes with its last one."""
        if namespace is self.namespace or namespace.holders or namespace not in self.namespaces:
            return
        if any(task.nsproxy.mnt is namespace for task in kernel.tasks.values() if not task.exited):
            return
        self.namespaces.remove(namespace)
        namespace.dissolve()
        self.forget_unmounted(kernel)

    def first_fs(self) -> FsStruct:
        """Root directory, current directory and umask of the first task."""
        return FsStruct(self.root, self.root)

    def nameless(
        self,
        mode: int,
        ino: int,
        shown: bytes,
        mount: Mount | None = None,
        above: Dentry | None = None,
    ) -> Path:
        """A file without a name, which was `shown` in the directory `above`. Raises EINVAL."""
        mount = mount or self.root.mount
        if not isinstance(mount.fs, MemFs):
            raise EINVAL("a file without a name where there are no files")
        dentry = Dentry(above or mount.root, shown, mount.fs.nameless(mode, ino))
        dentry.unlinked = True
        return Path(mount, dentry)

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

    def memory_file_systems(self) -> Iterator[MemFs]:
        """All whose files are kept in memory, the root file system's first."""
        yield from (self.rootfs, self.devfs, self.sysfs)
        yield from (fs for fs in self.extra if isinstance(fs, MemFs))

    def sync(self) -> None:
        """Bring the data of mapped files to the disk."""
        for fs in self.memory_file_systems():
            fs.sync()

    def shrink(self) -> int:
        """Give back page frames that only the page cache uses; how many."""
        return sum(fs.shrink() for fs in self.memory_file_systems())


def _signature(fs: FileSystem) -> object:
    """Equal as long as nothing in a file system has changed."""
    settings: tuple[object, ...] = (fs.read_only, fs.options())
    if not isinstance(fs, MemFs) or fs.dev == ROOT_DEV:
        return settings
    disk, nodes = fs.disk, [fs.disk.root]
    for node in nodes:  # it grows while it is walked
        if node.listed and stat.S_ISDIR(node.mode):
            nodes += [child for _, child in sorted(node.entries().items())]
    seen = tuple((node.ino, node.mode, node.ctime_ns, node.nlink, node.size) for node in nodes)
    dirty = any(inode.dirty for inode in fs.inodes.values())
    return settings, disk.next_ino, disk.used_bytes, dirty, seen


def open_files(kernel: Kernel) -> Iterator[OpenFile]:
    """All that tasks have open, mapped, or on its way in messages; some of it more than once."""
    for task in kernel.tasks.values():
        if task.exited:
            continue
        yield from (file for _, file in task.files.items())
        if task.mm is not None:
            yield from (vma.file for vma in task.mm.vmas if vma.file is not None)
            if task.mm.exe is not None:
                yield task.mm.exe
        yield from task.nsproxy.net.in_flight.counts


def places_in_use(kernel: Kernel) -> Iterator[Path]:
    """Where tasks are, and the places of open files and bound sockets: what keeps a mount busy."""
    for task in kernel.tasks.values():
        if not task.exited:
            yield from (task.fs.root, task.fs.pwd)
    for file in open_files(kernel):
        if file.path is not None:
            yield file.path
        if isinstance(file, SocketFile) and isinstance(file.socket, UnixSocket):
            if file.socket.place is not None:
                yield file.socket.place
