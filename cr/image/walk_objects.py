"""The grammar of shared objects: what follows an OBJREF.

One half of `cr.image.walk`; see there.

Mirrors:  linux-cr, the restore operations of its object table.
"""

from collections.abc import Iterator

from cr.image import types as t
from cr.image.arch.shape import ArchFormat
from cr.image.extensions import EpollReady, IpcSequence, TtyExtra, TtyFile, Unlinked, UnlinkedData
from cr.image.files import (
    EpollItem,
    EpollItems,
    File,
    FileDesc,
    FileInotify,
    FilePipe,
    FileSocket,
    FileTable,
    file_class,
)
from cr.image.ipc import (
    Ipc,
    IpcMsg,
    IpcMsgMsg,
    IpcNs,
    IpcSem,
    IpcShm,
    Semaphore,
    SemaphoreAdjustment,
    TaskSemUndo,
    TaskSemUndoList,
)
from cr.image.locks import FileFlock, FileLease, FileOwner, RecordLock
from cr.image.memory import HugePage, Mm, PageArray, Vma
from cr.image.mounts import FilePlace, NsMounts, ProcFile, TtyInstance
from cr.image.nameless import Nameless
from cr.image.namespaces import Netdev, NetdevAddr, NetNs, Ns, UtsNs
from cr.image.network import InetOptions, NetState, SocketExtra, SocketRights
from cr.image.pipes import PipeExtra
from cr.image.security import Cred, Groupinfo, Security, User, UserNs
from cr.image.signals import Sighand
from cr.image.sockets import (
    Socket,
    SocketBuffer,
    SocketFrag,
    SocketInet,
    SocketQueue,
    SocketUnix,
)
from cr.image.stream import Reader
from cr.image.task import Fs
from cr.image.terminals import LdiscNTty, Tty
from cr.image.walk_steps import Item, Steps
from cr.image.watches import (
    DirectoryNotify,
    FileSeals,
    InotifyEvent,
    InotifyWatch,
    MmExtra,
    SocketNetlink,
)
from emu.layout import LayoutError, Record

AUXV_LIMIT = 8 * 256


class ObjectWalk(Steps):
    """The grammar of objects, one method per nonterminal; each yields what it has read."""

    def __init__(self, reader: Reader) -> None:
        super().__init__(reader)
        self._arch: ArchFormat
        self._header_arch: Record
        self._pipes: set[int] = set()
        self._groups: set[int] = set()

    def _object(self, kind: int) -> Iterator[Item]:
        methods = {
            t.OBJ_FILE_TABLE: self._file_table,
            t.OBJ_FILE: self._file,
            t.OBJ_MM: self._mm,
            t.OBJ_FS: self._fs,
            t.OBJ_IPC_NS: self._ipc_ns,
            t.OBJ_SOCK: self._sock,
            t.OBJ_TTY: self._tty,
            t.OBJ_SECURITY_PTR: self._security,
            t.OBJ_SECURITY: self._security,
            t.OBJ_NS: self._ns,
            t.OBJ_NET_NS: self._net_ns,
            t.OBJ_NETDEV: self._netdev,
            t.OBJ_SEM_UNDO: self._sem_undo,
        }
        single: dict[int, type[t.Framed]] = {
            t.OBJ_SIGHAND: Sighand,
            t.OBJ_UTS_NS: UtsNs,
            t.OBJ_USER_NS: UserNs,
            t.OBJ_CRED: Cred,
            t.OBJ_USER: User,
            t.OBJ_GROUPINFO: Groupinfo,
        }
        if kind in methods:
            yield from methods[kind]()
        elif kind in single:
            yield from self._one(single[kind])
        else:
            self._in.refuse(f"a {t.object_name(kind)} object has no records")

    def _file_table(self) -> Iterator[Item]:
        yield from self._one(FileTable)
        table = self._last
        assert isinstance(table, FileTable)
        for _ in range(table.fdt_nfds):
            yield from self._one(FileDesc)
        while (waiting := self._in.peek()) in (t.HDR_SOCKET_QUEUE, t.HDR_EPOLL_ITEMS):
            yield from self._queue() if waiting == t.HDR_SOCKET_QUEUE else self._epoll_items()
        while self._next_is(t.HDR_RECORD_LOCK):
            yield from self._one(RecordLock)
        while self._next_is(t.HDR_FILE_LEASE):
            yield from self._one(FileLease)
        while self._next_is(t.HDR_DIRECTORY_NOTIFY):
            yield from self._one(DirectoryNotify)

    def _file(self) -> Iterator[Item]:
        yield from self._any_objects()
        begin, source = self._in.position, self._in
        payload = source.read_view(t.HDR_FILE)
        # The first word tells which record this is; 0 is none.
        f_type = int.from_bytes(payload[:4], "little" if source.order == "<" else "big")
        cls = file_class(f_type)
        if cls is None:
            source.refuse(f"{t.file_name(f_type)} is no kind of file")
        file: File
        try:
            file = cls.unpack(payload, source.order)
        except LayoutError as error:
            source.refuse(str(error))
        yield self._item(begin, t.HDR_FILE, file, t.file_name(f_type))
        if f_type in (t.FILE_GENERIC, t.FILE_FIFO, t.FILE_NAMESPACE):
            yield from self._string(t.HDR_FILE_NAME, "path", t.PATH_LIMIT)
            yield from self._unlinked()
        if f_type in (t.FILE_GENERIC, t.FILE_NAMESPACE) and self._next_is(t.HDR_PROC_FILE):
            yield from self._one(ProcFile)
        if isinstance(file, FilePipe) and file.pipe_objref not in self._pipes:
            self._pipes.add(file.pipe_objref)
            limit = t.PIPE_CAPACITY
            if f_type == t.FILE_PIPE and self._next_is(t.HDR_NAMELESS):
                yield from self._one(Nameless)
            if self._next_is(t.HDR_PIPE_EXTRA):
                yield from self._one(PipeExtra)
                assert isinstance(self._last, PipeExtra)
                limit = self._last.capacity
            if self._next_is(t.HDR_PIPE_BUF):
                yield from self._blob(t.HDR_PIPE_BUF, "pipe contents", limit=limit)
        if isinstance(file, FileInotify):
            yield from self._inotify(file)
        if isinstance(file, FileSocket) and self._next_is(t.HDR_NAMELESS):
            yield from self._one(Nameless)
        if f_type == t.FILE_TTY and self._next_is(t.HDR_TTY_FILE):
            yield from self._one(TtyFile)
        if f_type == t.FILE_TTY and self._next_is(t.HDR_FILE_PLACE):
            yield from self._one(FilePlace)
        if self._next_is(t.HDR_FILE_OWNER):
            yield from self._one(FileOwner)
        if self._next_is(t.HDR_FILE_FLOCK):
            yield from self._one(FileFlock)

    def _unlinked(self) -> Iterator[Item]:
        while self._next_is(t.HDR_UNLINKED):
            yield from self._one(Unlinked)
            unlinked = self._last
            assert isinstance(unlinked, Unlinked)
            for _ in range(unlinked.nr_extents):
                yield from self._one(UnlinkedData)
            if self._next_is(t.HDR_FILE_SEALS):
                yield from self._one(FileSeals)

    def _inotify(self, file: FileInotify) -> Iterator[Item]:
        for _ in range(file.nr_watches):
            yield from self._one(InotifyWatch)
            yield from self._string(t.HDR_FILE_NAME, "watched", t.PATH_LIMIT)
            yield from self._unlinked()
        for _ in range(file.nr_events):
            yield from self._one(InotifyEvent)

    def _epoll_items(self) -> Iterator[Item]:
        yield from self._one(EpollItems)
        assert isinstance(self._last, EpollItems)
        left = self._last.num_items
        while left:
            begin = self._in.position
            items = self._in.read_records(EpollItem)
            if not 0 < len(items) <= left:
                self._in.refuse(f"{len(items)} items are not the next of {left}")
            yield self._item(begin, t.HDR_BUFFER, items, "epoll items")
            left -= len(items)
        if self._next_is(t.HDR_EPOLL_READY):
            yield from self._one(EpollReady)

    def _mm(self) -> Iterator[Item]:
        yield from self._one(Mm)
        mm = self._last
        assert isinstance(mm, Mm)
        yield from self._blob(t.HDR_BUFFER, "auxv", limit=AUXV_LIMIT)
        for _ in range(mm.map_count):
            yield from self._one(Vma)
            vma = self._last
            assert isinstance(vma, Vma)
            if vma.vma_type in t.VMA_TYPES_WITH_PAGES:
                yield from self._pages()
            while self._next_is(t.HDR_HPAGE):
                yield from self._one(HugePage)
                assert isinstance(self._last, HugePage)
                yield from self._blob(t.HDR_BUFFER, "huge page", exact=1 << self._last.shift)
        yield from self._one(self._arch.mm_context)
        for unit in self._arch.mm_units(self._last):
            yield from self._unit(unit.type_no, unit.record, unit.size_bytes)
        if self._next_is(t.HDR_MM_EXTRA):
            yield from self._one(MmExtra)

    def _pages(self) -> Iterator[Item]:
        while True:
            yield from self._one(PageArray)
            assert isinstance(self._last, PageArray)
            if not self._last.nr_pages:
                return
            begin = self._in.position
            pages = self._in.read_page_buffer(self._last.nr_pages)
            yield self._item(begin, t.HDR_BUFFER, pages, "pages")

    def _fs(self) -> Iterator[Item]:
        yield from self._one(Fs)
        for role in ("pwd", "root"):
            yield from self._string(t.HDR_FILE_NAME, role, t.PATH_LIMIT)
            yield from self._unlinked()

    def _sem_undo(self) -> Iterator[Item]:
        yield from self._one(TaskSemUndoList)
        undos = self._last
        assert isinstance(undos, TaskSemUndoList)
        for _ in range(undos.count):
            yield from self._one(TaskSemUndo)
            assert isinstance(self._last, TaskSemUndo)
            yield from self._records(SemaphoreAdjustment, self._last.semadj_count, "undo")

    def _ipc_ns(self) -> Iterator[Item]:
        yield from self._one(IpcNs)
        members = {
            t.IPC_TYPE_SHM: self._shm,
            t.IPC_TYPE_MSG: self._msg,
            t.IPC_TYPE_SEM: self._sem,
        }
        for kind, member in members.items():
            yield from self._one(Ipc)
            ipc = self._last
            assert isinstance(ipc, Ipc)
            if ipc.ipc_type != kind:
                self._in.refuse(f"ipc_type {kind} is expected here, not {ipc.ipc_type}")
            for _ in range(ipc.ipc_count):
                yield from member()
        if self._next_is(t.HDR_IPC_SEQUENCE):
            yield from self._one(IpcSequence)

    def _shm(self) -> Iterator[Item]:
        yield from self._one(IpcShm)
        yield from self._pages()

    def _msg(self) -> Iterator[Item]:
        yield from self._one(IpcMsg)
        queue = self._last
        assert isinstance(queue, IpcMsg)
        for _ in range(queue.q_qnum):
            yield from self._one(IpcMsgMsg)
            assert isinstance(self._last, IpcMsgMsg)
            left = self._last.m_ts
            while left:
                begin = self._in.position
                part = self._in.read_view(t.HDR_BUFFER)
                if not 0 < len(part) <= left:
                    self._in.refuse(f"{len(part)} bytes are not the next of a message's {left}")
                yield self._item(begin, t.HDR_BUFFER, part, "message")
                left -= len(part)

    def _sem(self) -> Iterator[Item]:
        yield from self._one(IpcSem)
        assert isinstance(self._last, IpcSem)
        yield from self._records(Semaphore, self._last.sem_nsems, "semaphores")

    def _sock(self) -> Iterator[Item]:
        yield from self._one(Socket)
        yield from self._any_objects()
        if self._next_is(t.HDR_SOCKET_UNIX):
            yield from self._one(SocketUnix)
            if self._next_is(t.HDR_STRING):
                yield from self._string(t.HDR_STRING, "bound in", t.PATH_LIMIT)
            if self._next_is(t.HDR_FILE_NAME):
                yield from self._string(t.HDR_FILE_NAME, "bound at", t.PATH_LIMIT)
        elif self._next_is(t.HDR_SOCKET_NETLINK):
            yield from self._one(SocketNetlink)
        else:
            yield from self._one(SocketInet)
        if self._next_is(t.HDR_SOCKET_EXTRA):
            yield from self._one(SocketExtra)
        if self._next_is(t.HDR_INET_OPTIONS):
            yield from self._one(InetOptions)

    def _queue(self) -> Iterator[Item]:
        yield from self._one(SocketQueue)
        queue = self._last
        assert isinstance(queue, SocketQueue)
        for _ in range(queue.skb_count):
            yield from self._one(SocketBuffer)
            buffer = self._last
            assert isinstance(buffer, SocketBuffer)
            if buffer.lin_len:
                yield from self._blob(t.HDR_BUFFER, "linear", exact=buffer.lin_len)
            for _ in range(buffer.nr_frags):
                yield from self._one(SocketFrag)
                assert isinstance(self._last, SocketFrag)
                yield from self._blob(t.HDR_BUFFER, "fragment", exact=self._last.size)
            if self._next_is(t.HDR_SOCKET_RIGHTS):
                yield from self._one(SocketRights)

    def _tty(self) -> Iterator[Item]:
        if self._next_is(t.HDR_TTY_INSTANCE):
            yield from self._one(TtyInstance)
        yield from self._one(Tty)
        if self._next_is(t.HDR_TTY_LDISC):
            yield from self._one(LdiscNTty)
            assert isinstance(self._last, LdiscNTty)
            if self._last.datalen:
                yield from self._blob(t.HDR_BUFFER, "tty input", exact=self._last.datalen)
        if self._next_is(t.HDR_TTY_EXTRA):
            yield from self._one(TtyExtra)

    def _security(self) -> Iterator[Item]:
        yield from self._one(Security)
        yield from self._string(t.HDR_STRING, "label", t.LSM_LABEL_LIMIT)

    def _ns(self) -> Iterator[Item]:
        yield from self._one(Ns)
        if self._next_is(t.HDR_NET_STATE):
            yield from self._one(NetState)
        if self._next_is(t.HDR_NS_MOUNTS):
            yield from self._one(NsMounts)

    def _net_ns(self) -> Iterator[Item]:
        yield from self._one(NetNs)
        yield from self._any_objects()

    def _netdev(self) -> Iterator[Item]:
        yield from self._one(Netdev)
        netdev = self._last
        assert isinstance(netdev, Netdev)
        if netdev.inet_addrs:
            begin = self._in.position
            addresses = self._in.read_records(NetdevAddr, netdev.inet_addrs, t.HDR_NETDEV_ADDR)
            yield self._item(begin, t.HDR_NETDEV_ADDR, addresses, "addresses")
