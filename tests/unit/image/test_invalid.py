"""What each record refuses, in its own words. Every record that can refuse has a row here."""

from dataclasses import replace

import pytest

from cr.image.arch import powerpc, x86
from emu.layout import LITTLE, LayoutError, Record
from tests.properties.records import all_records
from tests.properties.test_records import seeds

ROWS: list[tuple[str, dict[str, object], str]] = [
    ("Objref", {"objref": 0}, "must be positive"),
    ("PidNumbers", {"depth": 33, "numbers": (1,) * 34}, "33 is more than 32"),
    ("PidNumbers", {"depth": 1, "numbers": (1,)}, "needs 2 numbers"),
    ("Tree", {"nr_tasks": 0}, "at least one"),
    ("TaskPids", {"depth": 33}, "more than 32"),
    ("TaskPids", {"vpid": 0}, "positive"),
    ("TaskPids", {"vsid": -1}, "neither an object"),
    ("TaskPids", {"vppid": -1}, "not negative"),
    ("Task", {"flags": 4}, "not flags of an image"),
    ("TaskCreds", {"ecred_ref": 0}, "positive"),
    ("TaskNs", {"ns_objref": -1}, "negative"),
    ("TaskObjs", {"mm_objref": 0}, "positive"),
    ("TaskObjs", {"sem_undo_objref": -1}, "negative"),
    ("RestartBlock", {"function_type": 0}, "none of RESTART_BLOCK"),
    ("RestartBlock", {"function_type": 8}, "none of RESTART_BLOCK"),
    ("Fs", {"umask": 0o1000}, "nine bits"),
    ("FileTable", {"fdt_nfds": -1}, "negative"),
    ("FileDesc", {"fd_objref": 0}, "positive"),
    ("FileDesc", {"fd_descriptor": -1}, "negative"),
    ("FileDesc", {"fd_close_on_exec": 2}, "0 or 1"),
    ("File", {"f_credref": 0}, "positive"),
    ("File", {"f_secref": -1}, "negative"),
    ("FileGeneric", {"f_credref": 0}, "positive"),
    ("FileEpoll", {"f_credref": 0}, "positive"),
    ("FileEventfd", {"f_credref": 0}, "positive"),
    ("FilePipe", {"pipe_objref": 0}, "positive"),
    ("FileSocket", {"sock_objref": 0}, "positive"),
    ("FileTty", {"tty_objref": 0}, "positive"),
    ("EpollItems", {"epfile_objref": 0}, "positive"),
    ("EpollItem", {"file_objref": 0}, "positive"),
    ("Mm", {"exe_objref": -1}, "negative"),
    ("Vma", {"vma_type": 0}, "none of VMA"),
    ("Vma", {"vma_type": 11}, "none of VMA"),
    ("Vma", {"ino_objref": -1}, "negative"),
    ("Vma", {"vm_start": 0x5000, "vm_end": 0x5000}, "is empty"),
    ("HugePage", {"shift": 12}, "no huge pages"),
    ("HugePage", {"shift": 31}, "no huge pages"),
    ("Sighand", {"action": ()}, "64 actions"),
    ("Siginfo", {"csi_signo": 0}, "no signal 0"),
    ("Siginfo", {"csi_signo": 65}, "no signal 65"),
    ("Sigpending", {"nr_pending": 2}, "nr_pending is 2"),
    ("Signal", {"tty_objref": -1}, "negative"),
    ("Cred", {"groupinfo_ref": 0}, "positive"),
    ("Cred", {"sec_ref": -1}, "negative"),
    ("Groupinfo", {"ngroups": 1}, "ngroups is 1"),
    ("Groupinfo", {"groups": (5, 4)}, "ascend"),
    ("Groupinfo", {"ngroups": 65537, "groups": tuple(range(65537))}, "more than"),
    ("User", {"userns_ref": -1}, "negative"),
    ("UserNs", {"creator_ref": -1}, "negative"),
    ("Security", {"ptrref": 0}, "positive"),
    ("Ns", {"net_objref": -1}, "negative"),
    ("UtsNs", {"nodename": b"n" * 65}, "nodename has no zero byte"),
    ("Netdev", {"type": 4}, "none of NETDEV"),
    ("NetdevAddr", {"type": 1}, "unknown"),
    ("IpcNs", {"sem_ctl_mni": -1}, "negative"),
    ("Ipc", {"ipc_type": 4}, "unknown"),
    ("IpcPerms", {"id": -1}, "negative"),
    ("IpcPerms", {"mode": 0o1000}, "nine bits"),
    ("IpcMsgMsg", {"m_type": 0}, "positive"),
    ("Semaphore", {"semval": -1}, "not negative"),
    ("SocketUnix", {"this": 0}, "positive"),
    ("SocketUnix", {"raddr_len": 111}, "longer than 110"),
    ("SocketInet", {"laddr_len": 17}, "longer than 16"),
    ("Tty", {"link_objref": -1}, "negative"),
    ("LdiscNTty", {"datalen": 4097}, "do not fit"),
    ("LdiscNTty", {"canon_datalen": 4}, "exceeds"),
    ("Machine", {"nr_running": 2}, "nr_running is 2"),
    ("Machine", {"next_pid": 0}, "positive"),
    ("SocketExtra", {"peer_pid": -1}, "negative"),
    ("NetState", {"loopback_up": 2}, "there is not"),
    ("InetOptions", {"flags": 4}, "unknown flags"),
    ("CallState", {"kind": 3}, "0 to 2"),
    ("CallState", {"kind": 1, "group": b"/0"}, "holds no group"),
    ("SysctlValue", {"path": b""}, "at least one byte"),
    ("GenerationName", {"name": b""}, "one to 32 bytes"),
    ("GenerationName", {"name": bytes(33)}, "one to 32 bytes"),
    ("FilePlace", {"path": b"/a\0"}, "no zero"),
    ("Mount", {"device_bytes": 0, "root_bytes": 1, "content": b"/\0"}, "no zero"),
    ("ProcFile", {"path_bytes": 3, "content": b"1//"}, "no path"),
    ("ProcFile", {"path_bytes": 3, "content": b"1/\0"}, "no path"),
    ("PipeExtra", {"capacity": 12288}, "power of two"),
    ("PipeExtra", {"capacity": 1 << 31}, "absurd"),
    ("Nameless", {"ino": 0}, "inode number"),
    ("NamelessNumbers", {"next_pipe": 1, "next_socket": 0}, "inode number"),
    ("Chaos", {"wild": 2}, "wild is 0 or 1"),
    ("PidNamespace", {"init": 0}, "positive"),
    ("PosixTimer", {"number": -1}, "negative"),
    ("PosixTimer", {"told": 2}, "0 or 1"),
    ("TtyExtra", {"session": -1}, "negative"),
    ("TtyExtra", {"flip_bytes": 1}, "what follows"),
    ("TtyExtra", {"device": 2}, "0 or 1"),
    ("TtyFile", {"hung_up": 2}, "0 or 1"),
    ("TtyFile", {"name": bytes(4096)}, "4096 bytes"),
    ("FileFlock", {"kind": 2}, "0 or 1"),
    ("FileOwner", {"kind": 3}, "0 to 2"),
    ("FileOwner", {"fd": -2}, "negative"),
    ("FileLease", {"target": 1}, "0, 2 or 3"),
    ("FileLease", {"file_objref": 0}, "positive"),
    ("FreezerGroup", {"frozen": 2, "name_bytes": 1, "content": b"x"}, "0 or 1"),
    ("FreezerGroup", {"name_bytes": 1, "content": b"/a"}, "half a task"),
    ("Mounts", {"nr_namespaces": 0}, "at least one"),
    ("MountFs", {"kind": 5}, "1 to 4"),
    ("MountFs", {"init": -1}, "negative"),
    ("Mount", {"device_bytes": 9}, "longer than the record"),
    ("Mount", {"number": 0}, "not 0"),
    ("ProcFile", {"path_bytes": 9}, "not there"),
    ("FileNamespace", {"objtype": 1}, "no namespace"),
    ("RecordLock", {"kind": 2}, "0 or 1"),
    ("RecordLock", {"first": 2, "last": 1}, "no range"),
    ("RecordLock", {"pid": -1}, "positive"),
    ("LateTimers", {"virtual": 0}, "no timer is late"),
    ("GroupExit", {"code": 0x10000}, "ends like that"),
    ("GroupNews", {"stopped_by": 65}, "no such news"),
    ("DirectoryNotify", {"file_objref": 0}, "negative"),
    ("FileInotify", {"nr_watches": 8193}, "more than 8192"),
    ("FilePidfd", {"own": 2}, "own is not 0 or 1"),
    ("FileSeals", {"seals": 16}, "unknown seals"),
    ("InotifyEvent", {"name": b"a\0b"}, "a zero in it"),
    ("InotifyEvent", {"wd": -2}, "below -1"),
    ("InotifyWatch", {"wd": 0}, "positive"),
    ("FileSignalfd", {"f_credref": 0}, "positive"),
    ("FileTimerfd", {"expired": 2}, "0 or 1"),
    ("TaskExtra", {"reset_on_fork": 2}, "0 or 1"),
    ("Unlinked", {"objref": 0}, "positive"),
    ("x86.Thread", {"tls_array": ()}, "3 TLS descriptors"),
    ("x86.Cpu", {"cs": 0}, "must not be null"),
    ("x86.Cpu", {"es": 9}, "no segment encoding"),
    ("x86.Cpu", {"used_math": 2}, "0 or 1"),
    ("x86.MmContext", {"nldt": 8193}, "more than 8192"),
    ("x86.MmContext", {"ldt_entry_size": 4}, "8 bytes"),
    ("powerpc.HeaderArch", {"parts": 0x20}, "0x20 are unknown"),
    ("powerpc.Cpu", {"parts": 0x21}, "0x20 are unknown"),
]


def named(name: str) -> type[Record]:
    arch, _, plain = name.rpartition(".")
    if arch:
        cls: type[Record] = getattr({"x86": x86, "powerpc": powerpc}[arch], plain)
        return cls
    (found,) = [c for c in all_records() if c.__name__ == plain and ".arch." not in c.__module__]
    return found


@pytest.mark.parametrize(("name", "values", "sentence"), ROWS)
def test_it_is_refused(name: str, values: dict[str, object], sentence: str) -> None:
    seed = seeds()[named(name)]
    seed.pack(LITTLE)
    with pytest.raises(LayoutError, match=sentence):
        replace(seed, **values).pack(LITTLE)  # type: ignore[type-var]


def test_every_record_that_can_refuse_is_tried() -> None:
    tried = {named(name) for name, _, _ in ROWS}
    assert {cls for cls in all_records() if cls.invalid is not Record.invalid} == tried
