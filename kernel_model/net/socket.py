"""What every socket has: options, a queue of received messages, and who waits.

A socket outlives its file: a peer, a queued message or a listening socket may still refer to it.
The queue of a socket holds what was sent to it and not read; each message knows its sender, whose
room for sending it takes. So how much a socket may send is a function of the queues, and nothing
else has to be saved.

A sleeper sleeps only while what it waits for is not so, and is woken as soon as it is so: a
handler that is run again for no reason goes back to sleep.

Mirrors: Linux net/core/sock.c, struct socket, struct sock.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kernel_model.abi import socket as abi
from kernel_model.abi.errno import EAGAIN, EOPNOTSUPP, EPIPE, LinuxError, by_number
from kernel_model.abi.fcntl import (
    POLLERR,
    POLLHUP,
    POLLIN,
    POLLOUT,
    POLLRDBAND,
    POLLRDHUP,
    POLLRDNORM,
    POLLWRBAND,
    POLLWRNORM,
    SIGPIPE,
)
from kernel_model.abi.time import NS_PER_S
from kernel_model.net import devices
from kernel_model.net.message import MESSAGE_OVERHEAD, Message, Outgoing, PeerCred, Received
from kernel_model.restart_block import Progress
from kernel_model.vfs.owner import POLL_HUP, POLL_IN, POLL_OUT, tell
from kernel_model.waitqueue import Restart, Sleep, WaitQueue

if TYPE_CHECKING:
    from kernel_model.net.namespace import NetNamespace
    from kernel_model.net.sockfs import SocketFile
    from kernel_model.task import Task

BUFFER_BYTES = 212992
"""Default and largest SO_SNDBUF and SO_RCVBUF."""
LEAST_SNDBUF, LEAST_RCVBUF = 4608, 2304
JIFFY_NS = 4_000_000
FOR_EVER_JIFFIES = (1 << 63) - 1
MOST_SECONDS = FOR_EVER_JIFFIES // (NS_PER_S // JIFFY_NS)
"""Timeouts from there on never end (Linux: MAX_SCHEDULE_TIMEOUT / HZ)."""
LINGER_FOR_EVER = MOST_SECONDS % (1 << 32) - (1 << 32)
"""What is seen in an int of a SO_LINGER that was below 0."""
IN_EVENTS = POLLIN | POLLRDNORM | POLLRDBAND
OUT_EVENTS = POLLOUT | POLLWRNORM | POLLWRBAND


@dataclass
class Options:
    """What setsockopt(SOL_SOCKET) sets."""

    reuse: bool = False
    keepalive: bool = False
    broadcast: bool = False
    oobinline: bool = False
    dontroute: bool = False
    debug: bool = False
    passcred: bool = False
    no_check: bool = False
    priority: int = 0
    rcvlowat: int = 1
    rcvtimeo_ns: int = 0
    """0: for ever."""
    sndtimeo_ns: int = 0
    rcvbuf: int = BUFFER_BYTES
    sndbuf: int = BUFFER_BYTES
    userlocks: int = 0
    """1: SO_SNDBUF was set; 2: SO_RCVBUF was."""
    linger: bool = False
    linger_seconds: int = 0


class Socket:
    """A socket of any family; the base class refuses everything."""

    family = 0
    type = 0
    stream = False
    """Bytes without boundaries."""

    def __init__(self, net: NetNamespace, protocol: int) -> None:
        self.net = net
        self.protocol = protocol
        self.file: SocketFile | None = None
        """None before it was accepted, and after it was closed."""
        self.dead = False
        self.state = abi.TCP_CLOSE
        self.connecting = False
        """SS_CONNECTING: connect() has not told its result yet."""
        self.shut = 0
        """RCV_SHUTDOWN, SEND_SHUTDOWN."""
        self.error = 0
        """SO_ERROR: told once."""
        self.options = Options()
        self.queue: list[Message] = []
        self.used = 0
        """How much of SO_SNDBUF is taken by messages that nobody has read."""
        self.backlog = 0
        """Of listen()."""
        self.pending: list[Socket] = []
        """Connections that nobody has accepted yet; the oldest first."""
        self.peercred: PeerCred | None = None
        self.readable = WaitQueue(IN_EVENTS)
        self.writable = WaitQueue(OUT_EVENTS)
        self.changed = WaitQueue()

    @property
    def longest(self) -> float:
        """How many bytes one datagram may have."""
        return math.inf

    # ---- the calls; a family overrides what it has

    def bind(self, task: Task, address: bytes) -> None:
        """Give it a name."""
        raise EOPNOTSUPP("this socket cannot be bound")

    def connect(self, task: Task, address: bytes, *, dont_wait: bool) -> None:
        """Choose a peer."""
        raise EOPNOTSUPP("this socket cannot be connected")

    def listen(self, task: Task, backlog: int) -> None:
        """Wait for connections."""
        raise EOPNOTSUPP("this socket does not listen")

    def accept(self, task: Task, *, dont_wait: bool) -> Socket:
        """The next connection."""
        raise EOPNOTSUPP("this socket does not accept")

    def own_name(self, task: Task) -> bytes:
        """The sockaddr of getsockname."""
        raise EOPNOTSUPP("this socket has no name")

    def peer_name(self, task: Task) -> bytes:
        """The sockaddr of getpeername."""
        raise EOPNOTSUPP("this socket has no peer")

    def shutdown(self, task: Task, how: int) -> None:
        """Close one direction or both."""
        raise EOPNOTSUPP("this socket cannot be shut down")

    def check_sends(self) -> None:
        """Raise what is wrong before the control messages of a message are looked at."""

    def send_some(self, task: Task, out: Outgoing, start: int) -> int:
        """Send from `start` on what there is room for: a datagram whole. Sleeps if nothing."""
        raise EOPNOTSUPP("this socket does not send")

    def recv(self, task: Task, count: int, flags: int) -> Received:
        """Receive what is there, up to `count` bytes. Sleeps if nothing."""
        raise EOPNOTSUPP("this socket does not receive")

    def release(self) -> None:
        """The file is closed."""
        self.dead, self.file = True, None

    def has_options(self, level: int) -> bool:
        """Whether options of a level are looked at, before what is said of them."""
        return level == abi.SOL_SOCKET

    def set_option(self, task: Task, level: int, name: int, value: bytes) -> bool:
        """An option of the family's own; False if there is none of that number."""
        return False

    def get_option(self, task: Task, level: int, name: int) -> bytes | None:
        """The same, asked for; None if there is none of that number."""
        return None

    def ioctl(self, task: Task, request: int, arg: int) -> int | None:
        """A request of the family's own, or about devices; None if there is none of that number."""
        return devices.ioctl(task, self.net, request, arg)

    # ---- sending

    @property
    def part_bytes(self) -> int:
        """How much of a stream is taken from the sender at a time."""
        return 1

    def send_part(self, task: Task, out: Outgoing, start: int) -> int:
        """`send_some`, with the signal for who writes to a stream that nobody reads."""
        try:
            return self.send_some(task, out, start)
        except EPIPE:
            if not start and self.stream and not out.flags & abi.MSG_NOSIGNAL:
                task.send_signal(SIGPIPE)
            raise

    def send(self, task: Task, out: Outgoing) -> int:
        """Send all, over as many runs of the handler as it takes."""
        block = task.restart_block
        done = block.done if block is not None else 0
        while True:
            try:
                done += self.send_part(task, out, done)
            except LinuxError:
                if done:
                    return done
                raise
            if done >= len(out.data):
                return done
            deadline = block.deadline_ns if block is not None else None
            task.restart_block = Progress(done=done, deadline_ns=deadline)
            block = task.restart_block

    @property
    def has_room(self) -> bool:
        """Whether anything more may be sent."""
        return self.used < self.options.sndbuf

    @property
    def is_writable(self) -> bool:
        """Whether poll says so: three quarters are free."""
        return self.used * 4 <= self.options.sndbuf

    def put(self, target: Socket, message: Message) -> None:
        """Queue a message at another socket."""
        message.sender = self
        self.used += message.cost
        target.queue.append(message)
        target.arrived()

    def wait_for_room(self, task: Task, *queues: WaitQueue, dont_wait: bool) -> Sleep:
        """What to raise when there is no room."""
        return self.wait(task, self.options.sndtimeo_ns, *queues, dont_wait=dont_wait)

    def wait(self, task: Task, timeout_ns: int, *queues: WaitQueue, dont_wait: bool) -> Sleep:
        """The sleep to raise, with the deadline of SO_RCVTIMEO or SO_SNDTIMEO; or EAGAIN."""
        if dont_wait:
            raise EAGAIN("it would have to wait")
        if not timeout_ns:
            return Sleep(*queues, self.changed)
        block = task.restart_block
        clock = task.kernel.clock
        deadline = block.deadline_ns if block is not None else None
        if deadline is None:
            done = block.done if block is not None else 0
            deadline = clock.after(timeout_ns)
            task.restart_block = Progress(done=done, deadline_ns=deadline)
        if clock.now_ns() >= deadline:
            raise EAGAIN("the time of SO_RCVTIMEO or SO_SNDTIMEO is over")
        sleep = Sleep(*queues, self.changed, deadline_ns=deadline, restart=Restart.ERESTARTNOHAND)
        sleep.stoppable = True
        return sleep

    # ---- receiving

    def take(self, message: Message, count: int) -> bytes:
        """The first bytes of a message; the message goes when it is empty."""
        data = bytes(message.data[:count])
        del message.data[:count]
        if not message.data:
            self.remove(message, len(data))
        elif message.sender is not None:
            message.sender.free_room(len(data))
        return data

    def remove(self, message: Message, freed: int = -1) -> None:
        """A message leaves the queue; what remains of it is lost."""
        self.queue.remove(message)
        if message.sender is not None:
            length = len(message.data) if freed < 0 else freed
            message.sender.free_room(length + MESSAGE_OVERHEAD)

    def free_room(self, count: int) -> None:
        """Something that this socket sent was read."""
        was_writable = self.is_writable
        self.used -= count
        if self.has_room and not self.dead:
            self.writable.wake_all()
            if self.is_writable and not was_writable:
                self.tell(POLL_OUT)

    def drop_queue(self) -> None:
        """Nobody will read what is here."""
        for message in list(self.queue):
            self.remove(message)
            files, message.files = message.files, []
            self.net.in_flight.drop(files)

    def raise_error(self) -> None:
        """SO_ERROR, told by another call."""
        if self.error:
            number, self.error = self.error, 0
            raise error_of(number)

    # ---- asking

    def unread(self) -> int:
        """FIONREAD: bytes for a stream, else the first message's length."""
        if self.stream:
            return sum(len(message.data) for message in self.queue)
        return len(self.queue[0].data) if self.queue else 0

    def unsent(self) -> int:
        """SIOCOUTQ: what is on its way, as the accounts have it."""
        return self.used

    def poll(self) -> int:
        """What all families have in common."""
        mask = POLLERR if self.error else 0
        if self.shut == abi.SHUTDOWN_MASK:
            mask |= POLLHUP
        if self.shut & abi.RCV_SHUTDOWN:
            mask |= POLLRDHUP | POLLIN | POLLRDNORM
        if self.queue:
            mask |= POLLIN | POLLRDNORM
        return mask

    def tell(self, reason: int) -> None:
        """News for who asked to be told by a signal (O_ASYNC)."""
        if self.file is not None and self.file.async_fd >= 0:
            tell((self.file,), reason)

    def arrived(self) -> None:
        """Something has come: bytes, a message, a connection."""
        self.readable.wake_all()
        self.tell(POLL_IN)

    def heard_of_end(self) -> None:
        """The other end has closed one direction, or both."""
        self.wake_everybody()
        if self.shut == abi.SHUTDOWN_MASK:
            self.tell(POLL_HUP)
        elif self.shut & abi.RCV_SHUTDOWN:
            self.tell(POLL_IN)

    def wake_everybody(self) -> None:
        """The state has changed."""
        self.readable.wake_all()
        self.writable.wake_all()
        self.changed.wake_all()


def error_of(number: int) -> LinuxError:
    """The error of a number, as SO_ERROR keeps it."""
    return by_number()[number]("an error that came earlier")
