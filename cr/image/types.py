"""The numbers of the image format: record types, object types, subtypes, ids, flags, sizes.

An image is a row of framed records. The frame is eight bytes, a type and the total length, and
`Framed` is the base of every record that stands behind such a frame on its own; records that
lie inside others or inside a BUFFER derive from `Record` directly. Sizes of framed records
count the frame, so that `size=` is the sizeof of the C struct.

Numbers are those of the last headers, v23-rc2. Ours are far above them: record types from
0x8000, object and file types from 0x100, PowerPC architecture ids from 0x100.

Mirrors:  linux-cr include/linux/checkpoint_hdr.h and checkpoint.h, the enumerations.
Deviates: the PowerPC ids of 2009-2010 (4 and 5) vanished from the last headers, where 4 became
          ARM; ours do not collide with either.
"""

from functools import cache
from typing import ClassVar

from emu.layout import Record

FRAME_BYTES = 8


class Framed(Record):
    """A record with a frame of its own: TYPE is the number in it."""

    LEAD: ClassVar[int] = FRAME_BYTES
    TYPE: ClassVar[int] = 0


HEADER_MAGIC = 0x00FEED0CC0A2D200
TAIL_MAGIC = 0x002D2A0CC0DEEF00
CHECKPOINT_VERSION = 6

# Record types.
HDR_HEADER = 1
HDR_HEADER_ARCH = 2
HDR_CONTAINER = 3
HDR_BUFFER = 4
HDR_STRING = 5
HDR_OBJREF = 6
HDR_LSM_INFO = 7
HDR_SECURITY = 8
HDR_PIDS = 101
HDR_TREE = 102
HDR_TASK = 103
HDR_TASK_NS = 104
HDR_TASK_OBJS = 105
HDR_RESTART_BLOCK = 106
HDR_THREAD = 107
HDR_CPU = 108
HDR_NS = 109
HDR_UTS_NS = 110
HDR_IPC_NS = 111
HDR_MNT_NS = 112
HDR_CAPABILITIES = 113
HDR_USER_NS = 114
HDR_CRED = 115
HDR_USER = 116
HDR_GROUPINFO = 117
HDR_TASK_CREDS = 118
HDR_FILE_TABLE = 301
HDR_FILE_DESC = 302
HDR_FILE_NAME = 303
HDR_FILE = 304
HDR_PIPE_BUF = 305
HDR_TTY = 306
HDR_TTY_LDISC = 307
HDR_EPOLL_ITEMS = 308
HDR_MM = 401
HDR_VMA = 402
HDR_PGARR = 403
HDR_HPAGE = 404
HDR_MM_CONTEXT = 405
HDR_FS = 451
HDR_IPC = 501
HDR_IPC_SHM = 502
HDR_IPC_MSG = 503
HDR_IPC_MSG_MSG = 504
HDR_IPC_SEM = 505
HDR_TASK_SEM_UNDO_LIST = 506
HDR_TASK_SEM_UNDO = 507
HDR_SIGHAND = 601
HDR_SIGNAL = 602
HDR_SIGNAL_TASK = 603
HDR_SIGPENDING = 604
HDR_SOCKET = 701
HDR_SOCKET_QUEUE = 702
HDR_SOCKET_BUFFER = 703
HDR_SOCKET_FRAG = 704
HDR_SOCKET_UNIX = 705
HDR_SOCKET_INET = 706
HDR_NET_NS = 707
HDR_NETDEV = 708
HDR_NETDEV_ADDR = 709
HDR_TAIL = 9001
HDR_ERROR = 9999

# Record types of one architecture live in 201-299 and may repeat from one to the next.
ARCH_TYPES = range(201, 300)
HDR_CPU_FPU = 201
HDR_MM_CONTEXT_LDT = 202
HDR_CPU_FP = 211
HDR_CPU_ALTIVEC = 212
HDR_CPU_VSX = 213
HDR_CPU_DABR = 214
HDR_CPU_SPE = 215

# Ours, and only after TREE.
EXTENSION_TYPES = range(0x8000, 0x9000)
HDR_MACHINE = 0x8000
HDR_SYSCALL_PROGRESS = 0x8001
HDR_UNLINKED = 0x8002
HDR_UNLINKED_DATA = 0x8003
HDR_TASK_TIMES = 0x8004
HDR_TASK_EXTRA = 0x8005
HDR_IPC_SEQUENCE = 0x8010
HDR_EPOLL_READY = 0x8006
HDR_POSIX_TIMER = 0x8007
HDR_PID_NAMESPACE = 0x8020
HDR_TTY_EXTRA = 0x8030
HDR_TTY_FILE = 0x8031
HDR_GROUP_NEWS = 0x8032
HDR_LATE_TIMERS = 0x8033
HDR_GROUP_EXIT = 0x8034
HDR_CHAOS = 0x8040
HDR_GENERATION = 0x8041
HDR_SOCKET_EXTRA = 0x8050
HDR_SOCKET_RIGHTS = 0x8051
HDR_NET_STATE = 0x8052
HDR_INET_OPTIONS = 0x8053
HDR_FILE_FLOCK = 0x8060
HDR_RECORD_LOCK = 0x8061
HDR_FILE_OWNER = 0x8062
HDR_FILE_LEASE = 0x8063
HDR_FREEZER_GROUP = 0x8064
HDR_CALL_STATE = 0x8065
HDR_PIPE_EXTRA = 0x8066
HDR_SYSCTL = 0x8067
HDR_NAMELESS = 0x8068
HDR_NAMELESS_NUMBERS = 0x8069
HDR_MOUNTS = 0x8070
HDR_MOUNT_FS = 0x8071
HDR_MOUNT_DATA = 0x8072
HDR_MOUNT = 0x8073
HDR_NS_MOUNTS = 0x8074
HDR_FILE_PLACE = 0x8075
HDR_PROC_FILE = 0x8076
HDR_TTY_INSTANCE = 0x8077
HDR_MM_EXTRA = 0x8080
HDR_FILE_SEALS = 0x8081
HDR_INOTIFY_WATCH = 0x8082
HDR_INOTIFY_EVENT = 0x8083
HDR_DIRECTORY_NOTIFY = 0x8084
HDR_SOCKET_NETLINK = 0x8085
HDR_WAIT_MASK = 0x8086

# Object types, in OBJREF.
OBJ_IGNORE = 0
OBJ_PID = 1
OBJ_INODE = 2
OBJ_FILE_TABLE = 3
OBJ_FILE = 4
OBJ_MM = 5
OBJ_FS = 6
OBJ_SIGHAND = 7
OBJ_SIGNAL = 8
OBJ_NS = 9
OBJ_UTS_NS = 10
OBJ_IPC_NS = 11
OBJ_MNT_NS = 12
OBJ_USER_NS = 13
OBJ_CRED = 14
OBJ_USER = 15
OBJ_GROUPINFO = 16
OBJ_SOCK = 17
OBJ_TTY = 18
OBJ_SECURITY_PTR = 19
OBJ_SECURITY = 20
OBJ_NET_NS = 21
OBJ_NETDEV = 22
OBJ_SEM_UNDO = 23
OBJ_MAX = 24

# File subtypes, in FILE.f_type.
FILE_IGNORE = 0
FILE_GENERIC = 1
FILE_PIPE = 2
FILE_FIFO = 3
FILE_SOCKET = 4
FILE_TTY = 5
FILE_EPOLL = 6
FILE_EVENTFD = 7
FILE_MAX = 8
# Ours.
FILE_TIMERFD = 0x100
FILE_SIGNALFD = 0x101
FILE_INOTIFY = 0x102
FILE_PIDFD = 0x103
FILE_NAMESPACE = 0x170

# Kinds of memory area, in VMA.vma_type.
VMA_IGNORE = 0
VMA_VDSO = 1
VMA_ANON = 2
VMA_FILE = 3
VMA_SHM_ANON = 4
VMA_SHM_ANON_SKIP = 5
VMA_SHM_FILE = 6
VMA_SHM_IPC = 7
VMA_SHM_IPC_SKIP = 8
VMA_HUGETLB = 9
VMA_HUGETLB_SKIP = 10
VMA_TYPES_WITH_PAGES = frozenset({VMA_ANON, VMA_FILE, VMA_SHM_ANON})

# Architectures, in HEADER.arch_id.
ARCH_X86_32 = 1
ARCH_X86_64 = 2
ARCH_S390X = 3
ARCH_ARM = 4
ARCH_PPC32 = 0x100
ARCH_PPC64 = 0x101

# What a task interrupted in a system call does next, in RESTART_BLOCK.function_type.
RESTART_BLOCK_NONE = 1
RESTART_BLOCK_HRTIMER_NANOSLEEP = 2
RESTART_BLOCK_POSIX_CPU_NANOSLEEP = 3
RESTART_BLOCK_COMPAT_NANOSLEEP = 4
RESTART_BLOCK_COMPAT_CLOCK_NANOSLEEP = 5
RESTART_BLOCK_POLL = 6
RESTART_BLOCK_FUTEX = 7

# Network devices and their addresses; the state of a UNIX socket.
NETDEV_LO = 0
NETDEV_VETH = 1
NETDEV_SIT = 2
NETDEV_MACVLAN = 3
NETDEV_ADDR_IPV4 = 0
UNIX_LINKED = 1

# Kinds of System V IPC object, in IPC.ipc_type.
IPC_TYPE_SHM = 1
IPC_TYPE_MSG = 2
IPC_TYPE_SEM = 3

# Process ids that are no object, in TREE entries.
PID_NULL = -4096
PID_ROOT = -4097

# Task flags that travel in an image.
PF_FORKNOEXEC = 1
PF_SUPERPRIV = 2

# Flags of the system calls. The first is stored in HEADER.uflags.
CHECKPOINT_SUBTREE = 0x1
CHECKPOINT_NETNS = 0x2
RESTART_TASKSELF = 0x1
RESTART_FROZEN = 0x2
RESTART_GHOST = 0x4
RESTART_KEEP_LSM = 0x8
RESTART_CONN_RESET = 0x10

# Sizes that both sides agree on.
TASK_COMM_BYTES = 16
UTS_BYTES = 65
LSM_NAME_BYTES = 11
LSM_INFO_LIMIT = 200
LSM_LABEL_LIMIT = 1024
PATH_LIMIT = 4096
NSIG = 64
RLIMIT_COUNT = 16
N_TTY_BUFFER_BYTES = 4096
TERMIOS_CHARACTERS = 19
PAGE_SIZE = 4096
# Addresses are collected in arrays of one page each; a BUFFER has the pages of at most so many.
PAGE_ARRAYS = 16
PIPE_CAPACITY = 65536
NGROUPS_MAX = 65536


def record_name(number: int) -> str:
    """TASK for 103; the number itself when nobody has defined it."""
    return _names("HDR_").get(number, f"type {number:#x}" if number > 9999 else f"type {number}")


def object_name(number: int) -> str:
    """MM for 5."""
    return _names("OBJ_").get(number, f"object type {number}")


def file_name(number: int) -> str:
    """PIPE for 2."""
    return _names("FILE_").get(number, f"file type {number}")


def vma_name(number: int) -> str:
    """ANON for 2."""
    return _names("VMA_").get(number, f"vma type {number}")


def arch_name(number: int) -> str:
    """X86_64 for 2."""
    return _names("ARCH_").get(number, f"architecture {number}")


def restart_block_name(number: int) -> str:
    """POLL for 6."""
    return _names("RESTART_BLOCK_").get(number, f"restart block {number}")


@cache
def _names(prefix: str) -> dict[int, str]:
    """The names behind one prefix; the first one wins where two share a number."""
    found: dict[int, str] = {}
    for name, value in globals().items():
        if name.startswith(prefix) and isinstance(value, int) and not name.endswith("_MAX"):
            found.setdefault(value, name.removeprefix(prefix))
    return found
