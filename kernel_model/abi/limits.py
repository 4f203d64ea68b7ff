"""Resource limits and the host name, as user memory holds them; limits of the kernel.

Mirrors: Linux include/linux/resource.h, utsname.h.
"""

from __future__ import annotations

from typing import Annotated

from emu.layout import Record, at, chars, record, u32, u64

RLIMIT_CPU, RLIMIT_FSIZE, RLIMIT_DATA, RLIMIT_STACK, RLIMIT_CORE, RLIMIT_RSS = range(6)
RLIMIT_NPROC, RLIMIT_NOFILE, RLIMIT_MEMLOCK, RLIMIT_AS, RLIMIT_LOCKS = range(6, 11)
RLIMIT_SIGPENDING, RLIMIT_MSGQUEUE, RLIMIT_NICE, RLIMIT_RTPRIO, RLIMIT_RTTIME = range(11, 16)
RLIM_INFINITY = (1 << 64) - 1
RLIM_NLIMITS = 16
NR_OPEN = 1024 * 1024
"""No table of descriptors may be larger."""
NGROUPS_MAX = 65536
MMAP_MIN_ADDR = 0x1000
"""Below it only CAP_SYS_RAWIO maps."""


@record(size=8)
class Rlimit32(Record):
    """struct rlimit of 32-bit ABIs."""

    rlim_cur: u32 = at("soft limit")
    rlim_max: u32 = at("hard limit")


@record(size=16)
class Rlimit64(Record):
    """struct rlimit of 64-bit ABIs, and struct rlimit64 of all."""

    rlim_cur: u64 = at("soft limit")
    rlim_max: u64 = at("hard limit")


@record(size=390)
class NewUtsname(Record):
    """struct new_utsname."""

    sysname: Annotated[bytes, chars(65)] = at("name of the system")
    nodename: Annotated[bytes, chars(65)] = at("name of the host")
    release: Annotated[bytes, chars(65)] = at("release of the kernel")
    version: Annotated[bytes, chars(65)] = at("version of the kernel")
    machine: Annotated[bytes, chars(65)] = at("hardware")
    domainname: Annotated[bytes, chars(65)] = at("NIS domain")
