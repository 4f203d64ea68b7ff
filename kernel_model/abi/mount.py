"""Numbers of mount(2) and umount2(2).

Mirrors: Linux include/linux/fs.h (MS_*, MNT_*).
"""

MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC = 1, 2, 4, 8
MS_REMOUNT, MS_MANDLOCK, MS_DIRSYNC = 0x20, 0x40, 0x80
MS_NOATIME, MS_NODIRATIME = 0x400, 0x800
MS_BIND, MS_MOVE, MS_REC, MS_SILENT = 0x1000, 0x2000, 0x4000, 0x8000
MS_UNBINDABLE, MS_PRIVATE, MS_SLAVE, MS_SHARED = 0x20000, 0x40000, 0x80000, 0x100000
MS_RELATIME, MS_STRICTATIME = 0x200000, 0x1000000
MS_PROPAGATION = MS_UNBINDABLE | MS_PRIVATE | MS_SLAVE | MS_SHARED
MS_MGC_VAL, MS_MGC_MSK = 0xC0ED0000, 0xFFFF0000

MNT_FORCE, MNT_DETACH, MNT_EXPIRE, UMOUNT_NOFOLLOW = 1, 2, 4, 8

OPTION_NAMES = (
    (MS_NOSUID, b"nosuid"),
    (MS_NODEV, b"nodev"),
    (MS_NOEXEC, b"noexec"),
    (MS_NOATIME, b"noatime"),
    (MS_NODIRATIME, b"nodiratime"),
    (MS_RELATIME, b"relatime"),
)
"""What is kept of a mount besides MS_RDONLY, in the order in which /proc shows it."""
KEPT = MS_RDONLY | sum(bit for bit, _ in OPTION_NAMES)
