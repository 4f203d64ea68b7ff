"""A small image with at least one of everything, written by hand for the tests to read."""

from cr.image import (
    calls,
    files,
    header,
    ipc,
    locks,
    memory,
    mounts,
    nameless,
    namespaces,
    network,
    pipes,
    security,
    signals,
    sockets,
    task,
    terminals,
    tree,
    watches,
)
from cr.image import extensions as ours
from cr.image import types as t
from cr.image.arch import powerpc, x86
from cr.image.arch.formats import FORMATS
from cr.image.stream import Writer
from emu.layout import BIG, LITTLE, Order, Record
from tests.properties.records import blank

PAGE = bytes(range(256)) * 16
CONSTANTS = header.Constants(
    task_comm_len=16,
    at_vector_size=44,
    signal_nsig=64,
    uts_sysname_len=65,
    uts_nodename_len=65,
    uts_release_len=65,
    uts_version_len=65,
    uts_machine_len=65,
    uts_domainname_len=65,
    rlimit_nlimits=16,
    n_tty_buf_size=4096,
    tty_termios_nccs=19,
)


def order_of(arch_id: int) -> Order:
    return BIG if arch_id in (t.ARCH_PPC32, t.ARCH_PPC64) else LITTLE


class Specimen:
    """Builds the image; keeps the object numbers that it has given out."""

    def __init__(self, arch_id: int) -> None:
        self.arch = FORMATS[arch_id]
        self.image = bytearray()
        self.w = Writer(self.image, order_of(arch_id))
        self.next_objref = 3  # two pid objects come first

    def begin(self, objtype: int) -> int:
        number, self.next_objref = self.next_objref, self.next_objref + 1
        self.w.write_objref(objtype, number)
        return number

    def put(self, cls: type[Record], **values: object) -> None:
        self.w.write(cls.TYPE, blank(cls, **values))  # type: ignore[attr-defined,arg-type]

    def build(self) -> bytes:
        self.before_tree()
        self.w.write(
            t.HDR_MACHINE,
            ours.Machine(
                clock_units=20_000,
                boot_time_ns=0,
                slice_left=7,
                next_pid=3,
                random_bytes=4,
                nr_running=1,
                run_queue=(1,),
            ),
        )
        self.w.write_blob(t.HDR_BUFFER, b"seed")
        self.put(ours.Chaos, seed=3, wild=1)
        self.put(calls.GenerationName, name=b"v21")
        self.put(nameless.NamelessNumbers, next_pipe=5, next_socket=6)
        self.put(ours.PidNamespace, init=2, next_number=4)
        self.put(calls.SysctlValue, value=2, path=b"kernel/x")
        self.put(ours.FreezerGroup, name_bytes=2, content=b"/g" + bytes(4))
        self.mounts()
        self.live_task()
        self.put(task.Task, exit_state=16, state=64, exit_code=0x100)
        self.w.write_string(t.HDR_STRING, b"zombie", t.TASK_COMM_BYTES)
        self.put(ours.TaskTimes, run_units=7)
        self.put(header.Tail)
        return bytes(self.image)

    def before_tree(self) -> None:
        w = self.w
        self.put(
            header.Header,
            arch_id=self.arch.arch_id,
            major=2,
            minor=6,
            patch=37,
            rev=t.CHECKPOINT_VERSION,
            constants=CONSTANTS,
        )
        for text in (b"2.6.37", b"#1", b"machine"):
            w.write_string(t.HDR_BUFFER, text, t.UTS_BYTES)
        extra = {"xstate_size": 512} if self.arch.header_arch is x86.HeaderArch else {"parts": 7}
        self.put(self.arch.header_arch, **extra)
        self.put(header.Container)
        w.write_string(t.HDR_BUFFER, b"lsm_none", t.LSM_NAME_BYTES)
        w.write_blob(t.HDR_LSM_INFO, b"dummy")
        self.put(tree.Pids, nr_pids=2, nr_vpids=1, offset=1)
        w.write_records(
            [tree.PidNumbers(depth=0, numbers=(1,)), tree.PidNumbers(depth=1, numbers=(2, 1))]
        )
        self.put(tree.Tree, nr_tasks=2)
        w.write_records(
            [
                tree.TaskPids(vpid=1, vppid=0, vtgid=1, vpgid=1, vsid=1, depth=0),
                tree.TaskPids(vpid=2, vppid=1, vtgid=2, vpgid=1, vsid=t.PID_ROOT, depth=0),
            ]
        )

    def mounts(self) -> None:
        self.put(
            mounts.Mounts,
            nr_file_systems=1,
            nr_mounts=1,
            nr_namespaces=1,
            next_mount=2,
            next_dev=17,
        )
        self.put(mounts.MountFs, dev=16, kind=mounts.FS_TMPFS, nr_pieces=1, size_bytes=3)
        self.put(mounts.MountData, content=b"tar")
        self.put(
            mounts.Mount,
            number=1,
            namespace=1,
            dev=16,
            device_bytes=5,
            root_bytes=1,
            content=b"tmpfs/",
        )

    def live_task(self) -> None:
        w = self.w
        self.put(task.Task)
        w.write_string(t.HDR_STRING, b"hello", t.TASK_COMM_BYTES)
        self.put(self.arch.thread)
        self.put(task.RestartBlock, function_type=t.RESTART_BLOCK_POLL, arg_4=10)
        self.cpu()
        self.put(ours.TaskTimes, run_units=99)
        self.put(ours.SyscallProgress, done_bytes=12)
        self.put(ours.TaskExtra, nice=-5)
        self.put(calls.CallState, group=b"")
        self.w.write_blob(t.HDR_BUFFER, b"the rest of an image")
        cred = self.cred()
        self.put(task.TaskCreds, cred_ref=cred, ecred_ref=cred)
        self.put(task.TaskNs, ns_objref=self.namespaces())
        refs = {
            "files_objref": self.file_table(cred),
            "mm_objref": self.mm(cred),
            "fs_objref": self.fs(),
            "sem_undo_objref": self.sem_undo(),
        }
        sighand = self.begin(t.OBJ_SIGHAND)
        action = blank(signals.Sigaction, sa_handler=0x400)
        w.write(t.HDR_SIGHAND, signals.Sighand(action=(action,) * 64))  # type: ignore[arg-type]
        signal = self.next_objref
        self.next_objref += 1
        self.put(task.TaskObjs, sighand_objref=sighand, signal_objref=signal, **refs)
        self.put(signals.Signal)
        info = blank(signals.Siginfo, csi_signo=10)
        for infos in ((info,), ()):
            mask = signals.Sigset.of_mask(1 << 9 if infos else 0)
            w.write(
                t.HDR_SIGPENDING,
                signals.Sigpending(nr_pending=len(infos), signal=mask, siginfo=infos),  # type: ignore[arg-type]
            )
            if infos:
                self.put(ours.PosixTimer, signo=14)
                self.put(ours.LateTimers, virtual=2)
                self.put(ours.GroupNews, stopped_by=20)
                self.put(ours.GroupExit, code=9)
        self.put(signals.SignalTask, blocked=signals.Sigset.of_mask(0b110))
        self.put(signals.WaitMask, blocked=signals.Sigset.of_mask(0b10))

    def cpu(self) -> None:
        if self.arch.cpu is x86.Cpu:
            self.put(x86.Cpu, cs=x86.SEG_USER32_CS, used_math=1, ip=0x1234)
            self.w.write_blob(t.HDR_CPU_FPU, bytes(512))
        else:
            self.put(powerpc.Cpu, parts=powerpc.PARTS_KNOWN, nip=0x1234)
            units = (powerpc.CpuFp, powerpc.CpuAltivec, powerpc.CpuVsx)
            for cls in (*units, powerpc.CpuDabr, powerpc.CpuSpe):
                self.put(cls)

    def cred(self) -> int:
        number = self.begin(t.OBJ_CRED)
        user = self.begin(t.OBJ_USER)
        userns = self.begin(t.OBJ_USER_NS)
        self.put(security.UserNs)
        self.put(security.User, uid=1000, userns_ref=userns)
        groups = self.begin(t.OBJ_GROUPINFO)
        self.w.write(t.HDR_GROUPINFO, security.Groupinfo(ngroups=2, groups=(4, 24)))
        label = self.begin(t.OBJ_SECURITY)
        self.put(security.Security, ptrref=self.next_objref, sectype=1)
        self.next_objref += 1
        self.w.write_string(t.HDR_STRING, b"label")
        self.put(security.Cred, user_ref=user, groupinfo_ref=groups, sec_ref=label)
        return number

    def namespaces(self) -> int:
        number = self.begin(t.OBJ_NS)
        uts = self.begin(t.OBJ_UTS_NS)
        self.put(namespaces.UtsNs, nodename=b"box")
        ipc_ns = self.begin(t.OBJ_IPC_NS)
        self.ipc_members()
        net = self.begin(t.OBJ_NET_NS)
        self.put(namespaces.NetNs, this_ref=net)
        self.begin(t.OBJ_NETDEV)
        self.put(namespaces.Netdev, netns_ref=net, inet_addrs=1)
        address = blank(namespaces.NetdevAddr, inet4_local=0x7F000001)
        self.w.write_blob(t.HDR_NETDEV_ADDR, address.pack(self.w.order))
        self.put(namespaces.Ns, uts_objref=uts, ipc_objref=ipc_ns, net_objref=net)
        self.put(
            network.NetState, next_port=40000, time_wait=(blank(network.TimeWait, local_port=1),)
        )
        self.put(mounts.NsMounts, namespace=1)
        return number

    def ipc_members(self) -> None:
        w = self.w
        self.put(ipc.IpcNs)
        self.put(ipc.Ipc, ipc_type=t.IPC_TYPE_SHM, ipc_count=1)
        self.put(ipc.IpcShm, shm_segsz=4096)
        w.write_pages([0], [PAGE], self.arch.word_bytes)
        w.end_pages()
        self.put(ipc.Ipc, ipc_type=t.IPC_TYPE_MSG, ipc_count=1)
        self.put(ipc.IpcMsg, q_qnum=1)
        self.put(ipc.IpcMsgMsg, m_type=1, m_ts=5)
        w.write_blob(t.HDR_BUFFER, b"hel")
        w.write_blob(t.HDR_BUFFER, b"lo")
        self.put(ipc.Ipc, ipc_type=t.IPC_TYPE_SEM, ipc_count=1)
        self.put(ipc.IpcSem, sem_nsems=2)
        w.write_records([ipc.Semaphore(semval=1, sempid=0), ipc.Semaphore(semval=0, sempid=1)])
        self.put(ours.IpcSequence, shm_seq=1)

    def file_table(self, cred: int) -> int:
        w, common = self.w, {"f_credref": cred}
        number = self.begin(t.OBJ_FILE_TABLE)
        self.put(files.FileTable, fdt_nfds=14)
        refs: list[int] = []

        def file(cls: type[Record], f_type: int, **values: object) -> None:
            self.put(cls, f_type=f_type, **common, **values)

        def done(objref: int) -> None:
            self.put(files.FileDesc, fd_objref=objref, fd_descriptor=len(refs))
            refs.append(objref)

        done(self.unlinked(common))
        objref = self.begin(t.OBJ_FILE)
        file(files.FileNamespace, t.FILE_NAMESPACE, objtype=t.OBJ_NET_NS)
        w.write_string(t.HDR_FILE_NAME, b"/proc/1/ns/net")
        self.put(mounts.ProcFile, mount=1, path_bytes=8, content=b"1/ns/net")
        done(objref)
        for f_type in (t.FILE_PIPE, t.FILE_FIFO):
            objref = self.begin(t.OBJ_FILE)
            file(files.FilePipe, f_type, pipe_objref=900 + f_type)
            if f_type == t.FILE_FIFO:
                w.write_string(t.HDR_FILE_NAME, b"/tmp/fifo")
                self.put(ours.Unlinked, objref=905)
            else:
                self.put(nameless.Nameless, ino=3, mode=0o10600)
            self.put(pipes.PipeExtra, capacity=8192)
            w.write_blob(t.HDR_PIPE_BUF, b"in the pipe")
            done(objref)
        for domain in ("unix", "inet", "netlink"):
            objref = self.begin(t.OBJ_FILE)
            sock = self.begin(t.OBJ_SOCK)
            self.sock(domain, sock)
            file(files.FileSocket, t.FILE_SOCKET, sock_objref=sock)
            self.put(nameless.Nameless, ino=4, mode=0o140777)
            done(objref)
        objref = self.begin(t.OBJ_FILE)
        file(files.FileTty, t.FILE_TTY, tty_objref=self.tty())
        self.put(ours.TtyFile, name=b"/dev/tty")
        done(objref)
        epoll = self.begin(t.OBJ_FILE)
        file(files.FileEpoll, t.FILE_EPOLL)
        done(epoll)
        objref = self.begin(t.OBJ_FILE)
        file(files.FileEventfd, t.FILE_EVENTFD, count=3)
        done(objref)
        for cls, f_type in (
            (files.FileTimerfd, t.FILE_TIMERFD),
            (files.FileSignalfd, t.FILE_SIGNALFD),
            (files.FilePidfd, t.FILE_PIDFD),
        ):
            objref = self.begin(t.OBJ_FILE)
            file(cls, f_type)
            done(objref)
        done(self.inotify(common))
        self.deferred(epoll, refs)
        return number

    def unlinked(self, common: dict[str, int]) -> int:
        objref = self.begin(t.OBJ_FILE)
        self.put(files.FileGeneric, f_type=t.FILE_GENERIC, **common)
        self.w.write_string(t.HDR_FILE_NAME, b"/tmp/gone")
        self.put(mounts.FilePlace, mount=1, path=b"/gone")
        self.put(ours.Unlinked, objref=900, nr_extents=1)
        self.w.write(t.HDR_UNLINKED_DATA, ours.UnlinkedData(offset=0, content=b"data"))
        self.put(watches.FileSeals, seals=3)
        self.put(ours.Unlinked, objref=901)
        self.put(locks.FileOwner, fd=-1)
        self.put(locks.FileFlock, kind=1)
        return objref

    def inotify(self, common: dict[str, int]) -> int:
        objref = self.begin(t.OBJ_FILE)
        counts = {"last_wd": 1, "nr_watches": 1, "nr_events": 1}
        self.put(files.FileInotify, f_type=t.FILE_INOTIFY, **common, **counts)
        self.put(watches.InotifyWatch, wd=1, mask=0xFFF)
        self.w.write_string(t.HDR_FILE_NAME, b"/tmp")
        self.put(ours.Unlinked, objref=902)
        self.put(watches.InotifyEvent, wd=1, mask=0x100, name=b"new")
        return objref

    def sock(self, domain: str, sock: int) -> None:
        self.put(sockets.Socket, has_buffers=1)
        if domain == "unix":
            self.put(sockets.SocketUnix, this=sock)
            self.w.write_string(t.HDR_STRING, b"/tmp")
            self.w.write_string(t.HDR_FILE_NAME, b"/tmp/moved")
            self.put(network.SocketExtra, peer_pid=1, pending=(sock,))
        elif domain == "netlink":
            self.put(watches.SocketNetlink, port=2)
        else:
            self.put(sockets.SocketInet)
            option = blank(network.InetOption, level=6, name=1, value=1)
            self.put(network.InetOptions, flags=1, options=(option,))

    def tty(self) -> int:
        number = self.begin(t.OBJ_TTY)
        self.put(mounts.TtyInstance, dev=16)
        self.put(terminals.Tty, index=1)
        self.put(terminals.LdiscNTty, datalen=3)
        self.w.write_blob(t.HDR_BUFFER, b"ls\n")
        self.put(ours.TtyExtra, session=1, pgrp=1, content=b"")
        return number

    def deferred(self, epoll: int, refs: list[int]) -> None:
        w = self.w
        self.put(sockets.SocketQueue, skb_count=1, total_bytes=6)
        self.put(sockets.SocketBuffer, lin_len=3, frg_len=3, nr_frags=1)
        w.write_blob(t.HDR_BUFFER, b"lin")
        self.put(sockets.SocketFrag, size=3)
        w.write_blob(t.HDR_BUFFER, b"frg")
        self.put(network.SocketRights, files=(refs[0],))
        self.put(sockets.SocketQueue)
        self.put(files.EpollItems, epfile_objref=epoll, num_items=3)
        for fds in ((1,), (2, 3)):
            w.write_records([blank(files.EpollItem, fd=fd, file_objref=refs[fd]) for fd in fds])
        self.w.write(t.HDR_EPOLL_READY, ours.EpollReady(ready=(2, 0)))
        self.put(locks.RecordLock, file_objref=refs[1], last=9)
        self.put(locks.FileLease, file_objref=refs[1], target=3)
        self.put(watches.DirectoryNotify, file_objref=refs[1], mask=4)

    def mm(self, cred: int) -> int:
        w = self.w
        number = self.begin(t.OBJ_MM)
        exe = self.begin(t.OBJ_FILE)
        self.put(files.FileGeneric, f_type=t.FILE_GENERIC, f_credref=cred)
        w.write_string(t.HDR_FILE_NAME, b"/bin/hello")
        self.put(memory.Mm, map_count=2, exe_objref=exe)
        w.write_blob(t.HDR_BUFFER, bytes(8 * 44))
        self.put(
            memory.Vma,
            vma_type=t.VMA_FILE,
            vma_objref=exe,
            vm_start=0x400000,
            vm_end=0x402000,
            vm_flags=5,
        )
        w.write_pages([0x400000, 0x401000], [PAGE, bytes(4096)], self.arch.word_bytes)
        w.end_pages()
        self.put(memory.Vma, vma_type=t.VMA_VDSO, vm_start=0x500000, vm_end=0x501000)
        self.put(self.arch.mm_context)
        if self.arch.mm_context is x86.MmContext:
            w.write_blob(t.HDR_MM_CONTEXT_LDT, b"")
        self.put(watches.MmExtra, barriers=16)
        return number

    def fs(self) -> int:
        number = self.begin(t.OBJ_FS)
        self.put(task.Fs, umask=0o22)
        self.w.write_string(t.HDR_FILE_NAME, b"/tmp")
        self.put(ours.Unlinked, objref=903)
        self.w.write_string(t.HDR_FILE_NAME, b"/")
        self.put(ours.Unlinked, objref=904)
        return number

    def sem_undo(self) -> int:
        number = self.begin(t.OBJ_SEM_UNDO)
        self.put(ipc.TaskSemUndoList, count=1)
        self.put(ipc.TaskSemUndo, semid=0, semadj_count=2)
        adjustments = [ipc.SemaphoreAdjustment(semadj=n) for n in (-1, 1)]
        self.w.write_records(adjustments)
        return number
