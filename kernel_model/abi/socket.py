"""Numbers and layouts of the socket calls: families, types, flags, options, msghdr, cmsghdr.

Mirrors: Linux include/linux/socket.h, asm-generic/socket.h and the PowerPC one, net.h, in.h.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import NamedTuple

AF_UNSPEC, AF_UNIX, AF_INET, AF_INET6, AF_NETLINK, AF_PACKET = 0, 1, 2, 10, 16, 17
AF_MAX = 40
SOCK_STREAM, SOCK_DGRAM, SOCK_RAW, SOCK_RDM, SOCK_SEQPACKET = 1, 2, 3, 4, 5
SOCK_MAX = 11
SOCK_TYPE_MASK, SOCK_NONBLOCK, SOCK_CLOEXEC = 0xF, 0o4000, 0o2000000
IPPROTO_IP, IPPROTO_ICMP, IPPROTO_TCP, IPPROTO_UDP, IPPROTO_IPV6 = 0, 1, 6, 17, 41
SOL_SOCKET = 1

MSG_OOB, MSG_PEEK, MSG_DONTROUTE, MSG_CTRUNC = 0x1, 0x2, 0x4, 0x8
MSG_TRUNC, MSG_DONTWAIT, MSG_EOR, MSG_WAITALL = 0x20, 0x40, 0x80, 0x100
MSG_ERRQUEUE, MSG_NOSIGNAL, MSG_MORE, MSG_WAITFORONE = 0x2000, 0x4000, 0x8000, 0x10000
MSG_CMSG_CLOEXEC = 0x40000000

SHUT_RD, SHUT_WR, SHUT_RDWR = 0, 1, 2
RCV_SHUTDOWN, SEND_SHUTDOWN, SHUTDOWN_MASK = 1, 2, 3

SCM_RIGHTS, SCM_CREDENTIALS = 1, 2
SCM_MAX_FD = 253
SOMAXCONN = 128
UNIX_PATH_MAX = 108
OVERFLOW_ID = 65534

(TCP_ESTABLISHED, TCP_SYN_SENT, TCP_SYN_RECV, TCP_FIN_WAIT1, TCP_FIN_WAIT2) = range(1, 6)
(TCP_TIME_WAIT, TCP_CLOSE, TCP_CLOSE_WAIT, TCP_LAST_ACK, TCP_LISTEN, TCP_CLOSING) = range(6, 12)
CONNECTED = (TCP_ESTABLISHED, TCP_FIN_WAIT2, TCP_CLOSE_WAIT)
"""A stream has another end, and perhaps may send to it."""

FIOSETOWN, SIOCSPGRP, FIOGETOWN, SIOCGPGRP = range(0x8901, 0x8905)
SIOCGSTAMP, SIOCATMARK = 0x8906, 0x8905
SIOCGIFNAME, SIOCGIFCONF, SIOCGIFFLAGS, SIOCSIFFLAGS = 0x8910, 0x8912, 0x8913, 0x8914
SIOCGIFADDR, SIOCGIFNETMASK, SIOCGIFMTU, SIOCGIFHWADDR = 0x8915, 0x891B, 0x8921, 0x8927
SIOCGIFINDEX = 0x8933
SIOCGIFDSTADDR, SIOCGIFBRDADDR, SIOCGIFMETRIC, SIOCGIFTXQLEN = 0x8917, 0x8919, 0x891D, 0x8942


@dataclass(frozen=True)
class SocketOptionNumbers:
    """The SOL_SOCKET options that PowerPC numbers in its own way."""

    rcvlowat: int
    sndlowat: int
    rcvtimeo: int
    sndtimeo: int
    passcred: int
    peercred: int


X86_OPTIONS = SocketOptionNumbers(18, 19, 20, 21, 16, 17)
POWERPC_OPTIONS = SocketOptionNumbers(16, 17, 18, 19, 20, 21)
SO_DEBUG, SO_REUSEADDR, SO_TYPE, SO_ERROR, SO_DONTROUTE, SO_BROADCAST = range(1, 7)
SO_SNDBUF, SO_RCVBUF, SO_KEEPALIVE, SO_OOBINLINE, SO_NO_CHECK, SO_PRIORITY = range(7, 13)
SO_LINGER, SO_BSDCOMPAT, SO_REUSEPORT = 13, 14, 15
SO_BINDTODEVICE, SO_ATTACH_FILTER, SO_DETACH_FILTER, SO_PEERNAME, SO_TIMESTAMP = 25, 26, 27, 28, 29
SO_ACCEPTCONN, SO_PEERSEC, SO_SNDBUFFORCE, SO_RCVBUFFORCE, SO_PASSSEC = range(30, 35)
SO_TIMESTAMPNS, SO_MARK, SO_TIMESTAMPING, SO_PROTOCOL, SO_DOMAIN, SO_RXQ_OVFL = range(35, 41)


class MessageHeader(NamedTuple):
    """struct msghdr, of either word size."""

    name: int
    name_bytes: int
    iov: int
    iov_count: int
    control: int
    control_bytes: int
    flags: int


class MessageLayout(NamedTuple):
    """Where the fields of struct msghdr and struct cmsghdr lie."""

    header: struct.Struct
    name_bytes_at: int
    control_bytes_at: int
    flags_at: int
    vector_step: int
    """sizeof(struct mmsghdr)."""
    length_at: int
    """Where msg_len lies in it."""
    control: struct.Struct
    word_bytes: int

    def align(self, size: int) -> int:
        """CMSG_ALIGN."""
        return -(-size // self.word_bytes) * self.word_bytes


def message_layout(word_bytes: int, order: str) -> MessageLayout:
    """The layout of an ABI."""
    if word_bytes == 4:
        header, control = struct.Struct(order + "IiIIIII"), struct.Struct(order + "Iii")
        return MessageLayout(header, 4, 20, 24, 32, 28, control, 4)
    header, control = struct.Struct(order + "Qi4xQQQQI4x"), struct.Struct(order + "Qii")
    return MessageLayout(header, 8, 40, 48, 64, 56, control, 8)
