"""struct stat, stat64, statfs and statfs64 as each ABI lays them out.

Fields of all variants have the same names, and padding has a default, so one set of keyword
arguments makes any of them. Times are seconds and nanoseconds.

Mirrors: Linux arch/x86/include/asm/stat.h, arch/powerpc/include/asm/stat.h, asm-generic/statfs.h.
"""

from __future__ import annotations

from emu.layout import Record, at, record, s32, s64, u16, u32, u64


@record(size=64)
class StatX8632(Record):
    """struct stat of x86-32."""

    st_dev: u32 = at("device number of the file system")
    st_ino: u32 = at("inode number")
    st_mode: u16 = at("type and permissions")
    st_nlink: u16 = at("names")
    st_uid: u16 = at("owner, or 65534 if it does not fit")
    st_gid: u16 = at("group, or 65534 if it does not fit")
    st_rdev: u32 = at("device number of a device node")
    st_size: u32 = at("bytes")
    st_blksize: u32 = at("good size for reading")
    st_blocks: u32 = at("512-byte blocks")
    st_atime: u32 = at("last access")
    st_atime_nsec: u32 = at("its nanoseconds")
    st_mtime: u32 = at("last change of the content")
    st_mtime_nsec: u32 = at("its nanoseconds")
    st_ctime: u32 = at("last change of the inode")
    st_ctime_nsec: u32 = at("its nanoseconds")
    unused4: u32 = at("zero", default=0, must_be=0)
    unused5: u32 = at("zero", default=0, must_be=0)


@record(size=96)
class Stat64X8632(Record):
    """struct stat64 of x86-32 (64-bit fields are aligned to 4)."""

    st_dev: u64 = at("device number of the file system")
    pad0: u32 = at("zero", default=0, must_be=0)
    short_ino: u32 = at("low half of the inode number", default=0)
    st_mode: u32 = at("type and permissions")
    st_nlink: u32 = at("names")
    st_uid: u32 = at("owner")
    st_gid: u32 = at("group")
    st_rdev: u64 = at("device number of a device node")
    pad3: u32 = at("zero", default=0, must_be=0)
    st_size: s64 = at("bytes")
    st_blksize: u32 = at("good size for reading")
    st_blocks: u64 = at("512-byte blocks")
    st_atime: u32 = at("last access")
    st_atime_nsec: u32 = at("its nanoseconds")
    st_mtime: u32 = at("last change of the content")
    st_mtime_nsec: u32 = at("its nanoseconds")
    st_ctime: u32 = at("last change of the inode")
    st_ctime_nsec: u32 = at("its nanoseconds")
    st_ino: u64 = at("inode number")


@record(size=144)
class StatX8664(Record):
    """struct stat of x86-64."""

    st_dev: u64 = at("device number of the file system")
    st_ino: u64 = at("inode number")
    st_nlink: u64 = at("names")
    st_mode: u32 = at("type and permissions")
    st_uid: u32 = at("owner")
    st_gid: u32 = at("group")
    pad0: u32 = at("zero", default=0, must_be=0)
    st_rdev: u64 = at("device number of a device node")
    st_size: s64 = at("bytes")
    st_blksize: s64 = at("good size for reading")
    st_blocks: s64 = at("512-byte blocks")
    st_atime: s64 = at("last access")
    st_atime_nsec: u64 = at("its nanoseconds")
    st_mtime: s64 = at("last change of the content")
    st_mtime_nsec: u64 = at("its nanoseconds")
    st_ctime: s64 = at("last change of the inode")
    st_ctime_nsec: u64 = at("its nanoseconds")
    unused0: u64 = at("zero", default=0, must_be=0)
    unused1: u64 = at("zero", default=0, must_be=0)
    unused2: u64 = at("zero", default=0, must_be=0)


@record(size=72)
class StatPpc32(Record):
    """struct stat of 32-bit PowerPC."""

    st_dev: u32 = at("device number of the file system")
    st_ino: u32 = at("inode number")
    st_mode: u32 = at("type and permissions")
    st_nlink: u16 = at("names")
    pad0: u16 = at("zero", default=0, must_be=0)
    st_uid: u32 = at("owner")
    st_gid: u32 = at("group")
    st_rdev: u32 = at("device number of a device node")
    st_size: s32 = at("bytes")
    st_blksize: u32 = at("good size for reading")
    st_blocks: u32 = at("512-byte blocks")
    st_atime: u32 = at("last access")
    st_atime_nsec: u32 = at("its nanoseconds")
    st_mtime: u32 = at("last change of the content")
    st_mtime_nsec: u32 = at("its nanoseconds")
    st_ctime: u32 = at("last change of the inode")
    st_ctime_nsec: u32 = at("its nanoseconds")
    unused4: u32 = at("zero", default=0, must_be=0)
    unused5: u32 = at("zero", default=0, must_be=0)


@record(size=104)
class Stat64Ppc32(Record):
    """struct stat64 of 32-bit PowerPC (64-bit fields are aligned to 8)."""

    st_dev: u64 = at("device number of the file system")
    st_ino: u64 = at("inode number")
    st_mode: u32 = at("type and permissions")
    st_nlink: u32 = at("names")
    st_uid: u32 = at("owner")
    st_gid: u32 = at("group")
    st_rdev: u64 = at("device number of a device node")
    pad2: u64 = at("zero", default=0, must_be=0)
    st_size: s64 = at("bytes")
    st_blksize: s32 = at("good size for reading")
    pad4: u32 = at("zero", default=0, must_be=0)
    st_blocks: s64 = at("512-byte blocks")
    st_atime: u32 = at("last access")
    st_atime_nsec: u32 = at("its nanoseconds")
    st_mtime: u32 = at("last change of the content")
    st_mtime_nsec: u32 = at("its nanoseconds")
    st_ctime: u32 = at("last change of the inode")
    st_ctime_nsec: u32 = at("its nanoseconds")
    unused4: u32 = at("zero", default=0, must_be=0)
    unused5: u32 = at("zero", default=0, must_be=0)


@record(size=144)
class StatPpc64(Record):
    """struct stat of 64-bit PowerPC; stat64 is the same."""

    st_dev: u64 = at("device number of the file system")
    st_ino: u64 = at("inode number")
    st_nlink: u64 = at("names")
    st_mode: u32 = at("type and permissions")
    st_uid: u32 = at("owner")
    st_gid: u32 = at("group")
    pad0: u32 = at("zero", default=0, must_be=0)
    st_rdev: u64 = at("device number of a device node")
    st_size: s64 = at("bytes")
    st_blksize: u64 = at("good size for reading")
    st_blocks: u64 = at("512-byte blocks")
    st_atime: s64 = at("last access")
    st_atime_nsec: u64 = at("its nanoseconds")
    st_mtime: s64 = at("last change of the content")
    st_mtime_nsec: u64 = at("its nanoseconds")
    st_ctime: s64 = at("last change of the inode")
    st_ctime_nsec: u64 = at("its nanoseconds")
    unused4: u64 = at("zero", default=0, must_be=0)
    unused5: u64 = at("zero", default=0, must_be=0)
    unused6: u64 = at("zero", default=0, must_be=0)


@record(size=64)
class Statfs32(Record):
    """struct statfs of 32-bit ABIs."""

    f_type: u32 = at("magic number of the file system")
    f_bsize: u32 = at("block size")
    f_blocks: u32 = at("blocks in all")
    f_bfree: u32 = at("free blocks")
    f_bavail: u32 = at("free blocks for anybody")
    f_files: u32 = at("inodes in all")
    f_ffree: u32 = at("free inodes")
    f_fsid: u64 = at("identity", default=0, must_be=0)
    f_namelen: u32 = at("longest name")
    f_frsize: u32 = at("fragment size")
    f_flags: u32 = at("zero: this kernel is older than the field", default=0, must_be=0)
    spare0: u64 = at("zero", default=0, must_be=0)
    spare1: u64 = at("zero", default=0, must_be=0)


@record(size=120)
class Statfs64Bit(Record):
    """struct statfs of 64-bit ABIs; statfs64 is the same."""

    f_type: u64 = at("magic number of the file system")
    f_bsize: u64 = at("block size")
    f_blocks: u64 = at("blocks in all")
    f_bfree: u64 = at("free blocks")
    f_bavail: u64 = at("free blocks for anybody")
    f_files: u64 = at("inodes in all")
    f_ffree: u64 = at("free inodes")
    f_fsid: u64 = at("identity", default=0, must_be=0)
    f_namelen: u64 = at("longest name")
    f_frsize: u64 = at("fragment size")
    f_flags: u64 = at("zero: this kernel is older than the field", default=0, must_be=0)
    spare0: u64 = at("zero", default=0, must_be=0)
    spare1: u64 = at("zero", default=0, must_be=0)
    spare2: u64 = at("zero", default=0, must_be=0)
    spare3: u64 = at("zero", default=0, must_be=0)


@record(size=84)
class Statfs64X8632(Record):
    """struct statfs64 of x86-32: packed."""

    f_type: u32 = at("magic number of the file system")
    f_bsize: u32 = at("block size")
    f_blocks: u64 = at("blocks in all")
    f_bfree: u64 = at("free blocks")
    f_bavail: u64 = at("free blocks for anybody")
    f_files: u64 = at("inodes in all")
    f_ffree: u64 = at("free inodes")
    f_fsid: u64 = at("identity", default=0, must_be=0)
    f_namelen: u32 = at("longest name")
    f_frsize: u32 = at("fragment size")
    f_flags: u32 = at("zero: this kernel is older than the field", default=0, must_be=0)
    spare0: u64 = at("zero", default=0, must_be=0)
    spare1: u64 = at("zero", default=0, must_be=0)


@record(size=88)
class Statfs64Ppc32(Record):
    """struct statfs64 of 32-bit PowerPC: as x86-32, filled up to a multiple of 8."""

    f_type: u32 = at("magic number of the file system")
    f_bsize: u32 = at("block size")
    f_blocks: u64 = at("blocks in all")
    f_bfree: u64 = at("free blocks")
    f_bavail: u64 = at("free blocks for anybody")
    f_files: u64 = at("inodes in all")
    f_ffree: u64 = at("free inodes")
    f_fsid: u64 = at("identity", default=0, must_be=0)
    f_namelen: u32 = at("longest name")
    f_frsize: u32 = at("fragment size")
    f_flags: u32 = at("zero: this kernel is older than the field", default=0, must_be=0)
    spare0: u64 = at("zero", default=0, must_be=0)
    spare1: u64 = at("zero", default=0, must_be=0)
    pad: u32 = at("zero", default=0, must_be=0)
