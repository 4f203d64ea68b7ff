"""What one checkpoint, or one restart, knows while it lasts.

Checkpoint only reads the kernel. Restart only creates: everything is built aside and held by the
object table, and put in place by one commit at the end, so a refused image changes nothing.

Mirrors:  linux-cr struct ckpt_ctx; ckpt_err and its %(T)%(O) context.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn

from cr.image.errors import ImageError
from cr.image.stream import Reader, Writer
from cr.objhash import Objects, RestoredObjects
from emu.printable import printable
from kernel_model.abi.errno import EINVAL, LinuxError
from kernel_model.clock import KTIME_MAX_NS

if TYPE_CHECKING:
    from cr.image.namespaces import Netdev
    from cr.image.network import NetState
    from cr.mounts import RestoredMounts
    from cr.socket_record import ParkedSocket
    from kernel_model.arch.abi import Abi
    from kernel_model.creds import UserNamespace
    from kernel_model.epoll import EpollFile
    from kernel_model.kernel import Kernel
    from kernel_model.net.namespace import NetNamespace
    from kernel_model.net.socket import Socket
    from kernel_model.pipe import Pipe
    from kernel_model.task import Task
    from kernel_model.tty.file import TtyFile
    from kernel_model.tty.terminal import Tty
    from kernel_model.vfs.fdtable import FdTable
    from kernel_model.vfs.inode import Inode
    from kernel_model.vfs.mounts import Path
    from kernel_model.vfs.openfile import OpenFile


class Refused(Exception):
    """This task cannot be checkpointed: an errno, and a sentence a person can act on."""

    def __init__(self, errno: int, reason: str, where: str = "") -> None:
        self.errno = errno
        self.reason = reason
        self.sentence = where + reason
        """The reason, and which task it is about."""
        super().__init__(self.sentence)


class Checkpoint:
    """One checkpoint: where the image goes, and what is in it already."""

    def __init__(
        self, kernel: Kernel, sink: list[Any], root: Path, *, pure: bool, caller: Task | None
    ) -> None:
        self.kernel = kernel
        self.image = Writer(sink, kernel.abis[0].order)
        self.objs = Objects()
        self.root = root
        """The root directory of the container: names in the image are relative to it."""
        self.pure = pure
        """Leave out every record that linux-cr does not know."""
        self.caller = caller
        """The task that called sys_checkpoint; None when the host did."""
        self.now_ns = kernel.clock.now_ns()
        self.task: Task | None = None
        self.image_pipe: Pipe | None = None
        """The pipe that the image is written to: it cannot be in the image itself."""
        self.image_socket: Socket | None = None
        """The socket that the image is written to: it, and its other end, cannot be in it."""
        self.files_deferred: list[EpollFile | Socket] = []
        """Of the file table that is being written: epoll sets, and sockets with something in their
        queues; what is in them follows the table."""
        self.netns = False
        """CHECKPOINT_NETNS: write network namespaces too."""
        self.nets_written: list[NetNamespace] = []
        """Network namespaces of which the state is in the image."""
        self.socket_depth = 0
        """How many sockets are being written, each because the one before refers to it."""
        self.pid_ns = kernel.pid_ns
        """The namespace of the root: its numbers are those of the image."""
        self.leases: set[OpenFile] = set()
        """Open files whose lease is written."""
        self.pids: dict[int, int] = {}
        """Number of the pid object of a pid."""
        self.mnt = kernel.vfs.namespace
        """The mounts that the root of the tree sees."""
        self.net = kernel.nsproxy.net
        """The network of the root of the tree; without CHECKPOINT_NETNS all must be in it."""
        self.user_ns: UserNamespace = kernel.root_cred.user.namespace
        """The user namespace of the root of the tree; 0 stands for it."""

    def refuse(self, error: type[LinuxError], sentence: str) -> NoReturn:
        """Say no: the task's name, the sentence, and the errno."""
        where = ""
        if self.task is not None:
            comm = printable(self.task.comm)
            where = f"[pid {self.task.pid} tsk {comm}] "
        raise Refused(error.errno, sentence, where)

    def write_object(
        self, objtype: int, thing: object, checkpoint: Callable[[Checkpoint, Any], None]
    ) -> int:
        """The number of a shared object; it is written now if it is new to the image."""
        objref, first = self.objs.intern(thing)
        if first:
            self.image.write_objref(objtype, objref)
            checkpoint(self, thing)
        return objref


class Restart:
    """One restart: where the image comes from, and what was made of it already."""

    def __init__(
        self, kernel: Kernel, image: bytes | memoryview, opener: Task, flags: int = 0
    ) -> None:
        self.kernel = kernel
        self.image = Reader(image)
        self.objs = RestoredObjects()
        self.flags = flags
        """RESTART_*."""
        self.opener = opener
        """A task with the rights and the root directory by which names are opened."""
        self.abi: Abi = kernel.abis[0]
        """Of the task that is being restored."""
        self.clock_shift_ns = 0
        """From the image's virtual clock to this kernel's."""
        self.now_ns = kernel.clock.now_ns()
        """What relative times of the image are relative to."""
        self.header_arch: Any = None
        self.pid_numbers: dict[int, tuple[int, ...]] = {}
        """A pid's numbers, in the root's pid namespace and below, by that of its pid object."""
        self.net: NetNamespace = opener.nsproxy.net
        """The network namespace of the task that is being restored."""
        self.alone = False
        """The kernel runs nothing else: it takes over what the image's kernel remembered."""
        self.netdevs: list[Netdev] = []
        """Devices of the network namespace that is being restored."""
        self.net_states: list[tuple[NetNamespace, NetState]] = []
        """What network namespaces remember, from the commit on."""
        self.sockets: list[ParkedSocket] = []
        """All sockets; they are linked with each other when the image was read."""
        self.queues_deferred: list[ParkedSocket] = []
        """Sockets of which the queues are still to come."""
        self.undo: list[Callable[[], None]] = []
        """What to do if the image is refused: the newest first."""
        self.has_machine = False
        """The image is not pure: what is not said in records of ours is not so."""
        self.at_end: list[Callable[[], None]] = []
        """What else to let go of when the objects are gone; the newest first."""
        self.lock_order: dict[tuple[Inode, FdTable], int] = {}
        """The places of owners of record locks among those of the same inode."""
        self.nameless: set[tuple[int, int]] = set()
        """Device and inode numbers of pipes and sockets that have come."""
        self.masters: dict[Tty, TtyFile] = {}
        """Open files of pty masters that no FILE record has asked for yet."""
        self.late_directories: list[OpenFile] = []
        """Open directories of tasks, which are there from the commit on."""
        self.mounts: RestoredMounts
        """What is mounted, by the numbers that the image uses."""
        self.committed = False
        """What was built is in place: the restart can fail no more."""
        self._numbers = kernel.vfs.numbers()

    def clock_time(self, then_ns: int) -> int:
        """A time of the image's virtual clock on this kernel's; one before its boot is 0."""
        return min(max(0, then_ns + self.clock_shift_ns), KTIME_MAX_NS)

    def end(self) -> None:
        """Let go of all that nobody took; a refused image leaves the kernel as it was."""
        self.image.on_objref = None
        if not self.committed:
            for parked in self.sockets:
                parked.forget()
        self.objs.drop_all()
        for let_go in reversed(self.at_end):
            let_go()
        if not self.committed:
            for undo in reversed(self.undo):
                undo()
            self.kernel.vfs.set_numbers(self._numbers)

    def refuse(self, sentence: str, *, errno: int = EINVAL.errno) -> NoReturn:
        """This image cannot be restored."""
        try:
            self.image.refuse(sentence)
        except ImageError as error:
            error.errno = errno
            raise

    def attempt(self, action: Callable[[], Any]) -> Any:
        """Do what the kernel may refuse; its errno and sentence become the restart's."""
        try:
            return action()
        except LinuxError as error:
            self.refuse(f"{type(error).__name__}: {error}", errno=error.errno)
