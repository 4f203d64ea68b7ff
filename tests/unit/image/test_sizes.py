"""Every record is as long as the C struct of v23-rc2, and its fields lie where they lay."""

import pytest

from cr.image.arch import x86
from cr.image.schema import format_document
from cr.image.types import Framed
from emu.layout import Record, describe
from tests.properties.records import all_records

# sizeof of every struct of the last headers, under the names of our records.
SIZES = """
Frame 8  Objref 16  Constants 24  Header 72  Tail 16  Container 8  Pids 24  Tree 16  TaskPids 24
Task 80  Capabilities 40  TaskCreds 16  Cred 96  Security 16  User 16  UserNs 16  TaskNs 16
Ns 24  TaskSemUndoList 16  TaskSemUndo 16  UtsNs 400  TaskObjs 32  RestartBlock 56  Fs 16
FileTable 16  FileDesc 24  File 48  FileGeneric 48  FilePipe 56  FileEventfd 64  Socket 120
SocketQueue 16  SocketBuffer 104  SocketFrag 16  SocketUnix 256  SocketInet 328  FileSocket 56
NetNs 16  Netdev 40  NetdevAddr 24  EpollItems 16  EpollItem 24  Mm 120  Vma 80  PageArray 16
HugePage 24  Sigset 8  Sigaction 32  Sighand 8  Siginfo 88  Sigpending 24  Rlimit 16  Signal 328
SignalTask 16  IpcNs 56  Ipc 16  IpcPerms 56  IpcShm 120  IpcMsg 120  IpcMsgMsg 24  IpcSem 88
FileTty 56  Tty 96  LdiscNTty 560
"""
X86_SIZES = "HeaderArch 16  Thread 24  Cpu 192  MmContext 24"

# One late field of each long record: what comes before it is then in place too.
OFFSETS = """
Header.uflags 64  Task.robust_futex_list 72  Cred.cap_s 56  Cred.sec_ref 48  UtsNs.domainname 333
TaskObjs.signal_objref 28  RestartBlock.arg_4 48  File.f_secref 40  File.f_version 32
FilePipe.pipe_objref 48  FileEventfd.flags 56  Socket.sock_common 32  Socket.sock 48
SocketBuffer.cb 56  SocketUnix.laddr 32  SocketUnix.raddr 142  SocketInet.icsk_ack 32
SocketInet.tcp 56  SocketInet.inet6_saddr 240  SocketInet.raddr 312  Netdev.inet_addrs 20
Netdev.hwaddr 28  NetdevAddr.inet4_broadcast 20  EpollItem.events 16  Mm.env_end 112
Mm.start_brk 64  Vma.vm_start 32  Vma.hugetlb_shift 72  HugePage.shift 16  Sigpending.signal 16
Sigpending.siginfo 24  Siginfo.csi_ptr 48  Siginfo.csi_sys_private 80  Signal.it_real_value 264
Signal.tty_old_pgrp 320  IpcNs.sem_ctl_mni 52  IpcPerms.sec_ref 48  IpcPerms.seq 40
IpcShm.shm_segsz 64  IpcShm.shift 116  IpcMsg.q_lrpid 116  IpcMsgMsg.m_ts 16  IpcSem.sem_nsems 80
Tty.termios 40  Tty.winsize 88  LdiscNTty.read_flags 44  LdiscNTty.closing 40  Groupinfo.groups 12
Sock.linger_onoff 64  Sock.no_check 60  TcpState.keepalive_probes 180  TcpState.urg_data 172
TcpState.bytes_acked 120  AckState.blocked 23  Termios.c_cc 25  TaskPids.depth 20  Pids.offset 16
"""


def pairs(table: str) -> list[tuple[str, int]]:
    words = table.split()
    return [(name, int(size)) for name, size in zip(words[::2], words[1::2])]


def named(name: str) -> type[Record]:
    (found,) = [c for c in all_records() if c.__name__ == name and ".arch." not in c.__module__]
    return found


@pytest.mark.parametrize(("name", "size"), pairs(SIZES))
def test_size_is_that_of_the_c_struct(name: str, size: int) -> None:
    assert named(name).SIZE == size


@pytest.mark.parametrize(("name", "size"), pairs(X86_SIZES))
def test_size_of_the_x86_records(name: str, size: int) -> None:
    assert getattr(x86, name).SIZE == size


@pytest.mark.parametrize(("field", "offset"), pairs(OFFSETS))
def test_offset_is_that_of_the_c_struct(field: str, offset: int) -> None:
    record, name = field.split(".")
    assert {row[1]: row[0] for row in describe(named(record))}[name] == offset


def test_the_x86_registers_lie_where_they_lay() -> None:
    offsets = {row[1]: row[0] for row in describe(x86.Cpu)}
    assert (offsets["ax"], offsets["ip"], offsets["sp"]) == (88, 136, 144)
    assert (offsets["gs"], offsets["cs"], offsets["used_math"]) == (168, 180, 188)


def test_u64_fields_are_aligned_to_eight_as_the_format_promises() -> None:
    for cls in all_records():
        if issubclass(cls, Framed):
            for offset, name, kind, _ in describe(cls):
                assert kind not in ("u64", "s64") or offset % 8 == 0, f"{cls.__name__}.{name}"


def test_the_format_document_is_fresh() -> None:
    from pathlib import Path

    path = Path(__file__).parents[3] / "docs" / "FORMAT.md"
    assert path.read_text() == format_document(), "run python -m cr.image.schema > docs/FORMAT.md"
