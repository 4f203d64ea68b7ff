"""socketcall: all of the socket calls in one, their arguments as words in memory.

Mirrors: Linux net/socket.c (sys_socketcall).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel_model.abi.errno import EINVAL
from kernel_model.syscalls import socket, socket_messages, socket_options
from kernel_model.syscalls.declare import Int, Kind, Ptr, Syscall, syscall

if TYPE_CHECKING:
    from kernel_model.task import Task

_CALLS: tuple[Syscall, ...] = (
    socket.make_socket,
    socket.bind,
    socket.connect,
    socket.listen,
    socket.accept,
    socket.getsockname,
    socket.getpeername,
    socket.socketpair,
    socket_messages.send,
    socket_messages.recv,
    socket_messages.sendto,
    socket_messages.recvfrom,
    socket.shutdown,
    socket_options.setsockopt,
    socket_options.getsockopt,
    socket_messages.sendmsg,
    socket_messages.recvmsg,
    socket.accept4,
    socket_messages.recvmmsg,
    socket_messages.sendmmsg,
)
_SIGNED = (Kind.INT,)


@syscall(partial="as the calls of sockets")
def socketcall(task: Task, call: Int, arguments: Ptr) -> int:
    """Any socket call; the first is socket, number 1."""
    if not 1 <= call <= len(_CALLS):
        raise EINVAL(f"socketcall {call}")
    chosen = _CALLS[call - 1]
    width = task.abi.word_bytes
    words = [task.user.word(arguments + width * k) for k in range(len(chosen.kinds))]
    return chosen.handler(task, *(_value(word, kind) for word, kind in zip(words, chosen.kinds)))


def _value(word: int, kind: Kind) -> int:
    if kind in _SIGNED:
        word &= 0xFFFFFFFF
        return word - (word >> 31 << 32)
    return word
