"""Sockets: their state, their queues, and TCP in the middle of a conversation.

Image grammar:

    sock    =  SOCKET  ( { OBJREF peer }  SOCKET_UNIX  [ STRING cwd ]  |  SOCKET_INET )
    queues  =  queue receive  queue send                       ; after the file table
    queue   =  SOCKET_QUEUE  { SOCKET_BUFFER  [ BUFFER linear ]  { SOCKET_FRAG  BUFFER } }

Mirrors:  linux-cr checkpoint_hdr.h: ckpt_hdr_socket, ckpt_hdr_socket_queue,
          ckpt_hdr_socket_buffer, ckpt_hdr_socket_buffer_frag, ckpt_hdr_socket_unix,
          ckpt_hdr_socket_inet.
Deviates: the anonymous structs inside ckpt_hdr_socket and ckpt_hdr_socket_inet have names here.
          Addresses stay bytes: sockaddr_un and sockaddr_in as user space passes them.
"""

from typing import Annotated

from cr.image.types import (
    HDR_SOCKET,
    HDR_SOCKET_BUFFER,
    HDR_SOCKET_FRAG,
    HDR_SOCKET_INET,
    HDR_SOCKET_QUEUE,
    HDR_SOCKET_UNIX,
    Framed,
)
from emu.layout import (
    Record,
    at,
    hex16,
    hex32,
    hex64,
    raw,
    record,
    s16,
    s32,
    s64,
    u8,
    u16,
    u32,
    u64,
)

SOCKADDR_UN_BYTES = 110
SOCKADDR_IN_BYTES = 16


@record(size=12)
class SockCommon(Record):
    """The part of a socket that every protocol has."""

    bound_dev_if: u32 = at("index of the device it is bound to")
    reuse: u32 = at("SO_REUSEADDR")
    family: u16 = at("AF_*")
    state: u8 = at("TCP_*")
    pad: u8 = at("zero", default=0, must_be=0)


@record(size=72)
class Sock(Record):
    """struct sock: options and state."""

    rcvlowat: s64 = at("SO_RCVLOWAT")
    flags: hex64 = at("SOCK_*")
    rcvtimeo: s64 = at("SO_RCVTIMEO")
    sndtimeo: s64 = at("SO_SNDTIMEO")
    err: u32 = at("SO_ERROR")
    err_soft: u32 = at("last error that did not end it")
    priority: u32 = at("SO_PRIORITY")
    rcvbuf: s32 = at("SO_RCVBUF, before the kernel doubles it")
    sndbuf: s32 = at("SO_SNDBUF, before the kernel doubles it")
    type: u16 = at("SOCK_STREAM and the like")
    backlog: s16 = at("of listen()")
    protocol: u8 = at("IPPROTO_*")
    state: u8 = at("TCP_*")
    shutdown: u8 = at("1: no more receiving; 2: no more sending")
    userlocks: u8 = at("SOCK_*_LOCK: what the user fixed")
    no_check: u8 = at("SO_NO_CHECK")
    pad: Annotated[bytes, raw(3)] = at("zero", default=bytes(3), must_be=bytes(3))
    linger_onoff: s32 = at("SO_LINGER: on")
    linger_seconds: s32 = at("SO_LINGER: how long")


@record(size=120)
class Socket(Framed):
    """A socket of any family."""

    TYPE = HDR_SOCKET

    has_buffers: u8 = at("1: its queues follow the file table")
    pad: Annotated[bytes, raw(7)] = at("zero", default=bytes(7), must_be=bytes(7))
    socket_flags: hex64 = at("struct socket: flags")
    socket_state: u8 = at("struct socket: SS_*")
    pad_state: Annotated[bytes, raw(7)] = at("zero", default=bytes(7), must_be=bytes(7))
    sock_common: SockCommon = at("common part")
    pad_common: u32 = at("zero", default=0, must_be=0)
    sock: Sock = at("options and state")


@record(size=16)
class SocketQueue(Framed):
    """What waits in one direction."""

    TYPE = HDR_SOCKET_QUEUE

    skb_count: u32 = at("how many buffers follow")
    total_bytes: u32 = at("at least their bytes, all together")


@record(size=104)
class SocketBuffer(Framed):
    """One struct sk_buff; the linear part and the fragments follow."""

    TYPE = HDR_SOCKET_BUFFER

    transport_header: u32 = at("offset of the transport header")
    network_header: u32 = at("offset of the network header")
    mac_header: u32 = at("offset of the link header")
    lin_len: u32 = at("bytes in the linear part")
    frg_len: u32 = at("bytes in all fragments")
    skb_len: u32 = at("bytes of data")
    hdr_len: u32 = at("bytes of header that may be written")
    mac_len: u32 = at("length of the link header")
    data_offset: u32 = at("where the data begins in the linear part")
    sk_objref: s32 = at("the socket that owns it; 0: none")
    pr_objref: s32 = at("the socket that sent it; 0: none")
    protocol: u16 = at("ETH_P_*")
    nr_frags: u16 = at("how many fragments follow")
    cb: Annotated[bytes, raw(48)] = at("private to the protocol")


@record(size=16)
class SocketFrag(Framed):
    """One fragment; its bytes follow in a BUFFER."""

    TYPE = HDR_SOCKET_FRAG

    size: u32 = at("length in bytes")
    offset: u32 = at("offset in its page")


@record(size=256)
class SocketUnix(Framed):
    """A UNIX socket: whom it talks to, under what names."""

    TYPE = HDR_SOCKET_UNIX

    this: s32 = at("its own object number")
    peer: s32 = at("object number of the other end; 0: none")
    peercred: s32 = at("object number of the credentials of the other end; 0: none")
    flags: hex32 = at("UNIX_LINKED: its name is still in the file system")
    laddr_len: u32 = at("length of laddr; 0: it has no name")
    raddr_len: u32 = at("length of raddr")
    laddr: Annotated[bytes, raw(SOCKADDR_UN_BYTES)] = at("its name: sockaddr_un")
    raddr: Annotated[bytes, raw(SOCKADDR_UN_BYTES)] = at("the name of the other end")
    pad: u32 = at("zero", default=0, must_be=0)

    def invalid(self) -> str | None:
        if self.this <= 0 or self.peer < 0 or self.peercred < 0:
            return "this is positive, peer and peercred are not negative"
        if max(self.laddr_len, self.raddr_len) > SOCKADDR_UN_BYTES:
            return f"an address is longer than {SOCKADDR_UN_BYTES} bytes"
        return None


@record(size=24)
class AckState(Record):
    """Delayed acknowledgment."""

    timeout: u64 = at("when it is due")
    ato: u32 = at("how long it may be delayed")
    lrcvtime: u32 = at("time of the last data received")
    last_seg_size: u16 = at("size of the last segment")
    rcv_mss: u16 = at("guess of the sender's segment size")
    pending: u8 = at("what is to be acknowledged")
    quick: u8 = at("quick acknowledgments left")
    pingpong: u8 = at("interactive session")
    blocked: u8 = at("could not be sent because the socket was busy")


@record(size=184)
class TcpState(Record):
    """struct tcp_sock, as far as it travels."""

    rcv_nxt: u32 = at("next sequence number to receive")
    copied_seq: u32 = at("first byte not yet read")
    rcv_wup: u32 = at("rcv_nxt at the last window update")
    snd_nxt: u32 = at("next sequence number to send")
    snd_una: u32 = at("first byte not acknowledged")
    snd_sml: u32 = at("end of the last small segment")
    rcv_tstamp: u32 = at("time of the last segment received")
    lsndtime: u32 = at("time of the last data sent")
    snd_wl1: u32 = at("segment that set the send window")
    snd_wnd: u32 = at("send window")
    max_window: u32 = at("largest send window seen")
    mss_cache: u32 = at("current segment size")
    window_clamp: u32 = at("largest window to offer")
    rcv_ssthresh: u32 = at("current limit of the offered window")
    frto_highmark: u32 = at("snd_nxt when F-RTO began")
    srtt: u32 = at("smoothed round trip time")
    mdev: u32 = at("its deviation")
    mdev_max: u32 = at("largest deviation of this round trip")
    rttvar: u32 = at("deviation in use")
    rtt_seq: u32 = at("when to update rttvar")
    packets_out: u32 = at("segments in flight")
    retrans_out: u32 = at("retransmitted ones")
    snd_up: u32 = at("urgent pointer")
    rcv_wnd: u32 = at("window offered")
    write_seq: u32 = at("end of the data to send")
    pushed_seq: u32 = at("last byte pushed")
    lost_out: u32 = at("segments taken for lost")
    sacked_out: u32 = at("segments acknowledged selectively")
    fackets_out: u32 = at("segments below the highest selective acknowledgment")
    tso_deferred: u32 = at("when sending was put off")
    bytes_acked: u32 = at("bytes acknowledged since the window grew")
    lost_cnt_hint: s32 = at("a hint for loss marking")
    retransmit_high: u32 = at("highest byte to retransmit")
    lost_retrans_low: u32 = at("a hint for lost retransmissions")
    prior_ssthresh: u32 = at("threshold before the last reduction")
    high_seq: u32 = at("snd_nxt when recovery began")
    retrans_stamp: u32 = at("time of the first retransmission")
    undo_marker: u32 = at("begin of what can be undone")
    undo_retrans: s32 = at("retransmissions that can be undone")
    total_retrans: u32 = at("retransmissions so far")
    urg_seq: u32 = at("where the urgent byte is")
    keepalive_time: u32 = at("idle time before probes")
    keepalive_intvl: u32 = at("time between probes")
    urg_data: u16 = at("the urgent byte and its state")
    advmss: u16 = at("segment size we advertised")
    frto_counter: u8 = at("steps of F-RTO")
    nonagle: u8 = at("TCP_NAGLE_*")
    ecn_flags: u8 = at("TCP_ECN_*")
    reordering: u8 = at("reordering seen")
    keepalive_probes: u8 = at("probes before giving up")
    pad: Annotated[bytes, raw(3)] = at("zero", default=bytes(3), must_be=bytes(3))


@record(size=328)
class SocketInet(Framed):
    """An internet socket. Ports and addresses are in network byte order, as the kernel has them."""

    TYPE = HDR_SOCKET_INET

    daddr: hex32 = at("foreign address")
    rcv_saddr: hex32 = at("local address it receives for")
    saddr: hex32 = at("local address it sends from")
    dport: hex16 = at("foreign port")
    num: u16 = at("local port, in host byte order")
    sport: hex16 = at("local port")
    uc_ttl: s16 = at("time to live; -1: default")
    cmsg_flags: hex16 = at("IP_CMSG_*")
    pad: u16 = at("zero", default=0, must_be=0)
    icsk_ack: AckState = at("delayed acknowledgment")
    tcp: TcpState = at("sequence numbers, windows, congestion")
    inet6_saddr: Annotated[bytes, raw(16)] = at("IPv6: local address it sends from")
    inet6_rcv_saddr: Annotated[bytes, raw(16)] = at("IPv6: local address it receives for")
    inet6_daddr: Annotated[bytes, raw(16)] = at("IPv6: foreign address")
    laddr_len: u32 = at("length of laddr")
    raddr_len: u32 = at("length of raddr")
    laddr: Annotated[bytes, raw(SOCKADDR_IN_BYTES)] = at("local name: sockaddr_in")
    raddr: Annotated[bytes, raw(SOCKADDR_IN_BYTES)] = at("foreign name")

    def invalid(self) -> str | None:
        if max(self.laddr_len, self.raddr_len) > SOCKADDR_IN_BYTES:
            return f"an address is longer than {SOCKADDR_IN_BYTES} bytes"
        return None
