"""Message queues: messages with a type, in the order of their arrival.

Mirrors: Linux ipc/msg.c.
Deviates: a message waits in the queue until its receiver runs; Linux hands it to a receiver that
waits already.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from kernel_model.ipc.ids import Perm
from kernel_model.waitqueue import WaitQueue


@dataclass(frozen=True)
class Message:
    """One message; `kind` is positive."""

    kind: int
    text: bytes


@dataclass(eq=False)
class MessageQueue:
    """Times are seconds since the epoch; `last_` are pids."""

    perm: Perm
    max_bytes: int
    messages: list[Message] = field(default_factory=list)
    sent: int = 0
    received: int = 0
    changed: int = 0
    last_sender: int = 0
    last_receiver: int = 0
    senders: WaitQueue = field(default_factory=WaitQueue)
    receivers: WaitQueue = field(default_factory=WaitQueue)

    @property
    def bytes_used(self) -> int:
        """Text of all messages."""
        return sum(len(message.text) for message in self.messages)

    def has_room(self, length: int) -> bool:
        """Whether one more message may be sent."""
        enough = self.bytes_used + length <= self.max_bytes
        return enough and len(self.messages) + 1 <= self.max_bytes

    def choose(self, kind: int, *, other: bool) -> Message | None:
        """The message that msgrcv with this type would take; `other` is MSG_EXCEPT."""
        if kind < 0:
            small = [message for message in self.messages if message.kind <= -kind]
            return min(small, key=_kind_of, default=None)
        wanted: Callable[[Message], bool]
        if kind == 0:
            return self.messages[0] if self.messages else None
        wanted = (lambda m: m.kind != kind) if other else (lambda m: m.kind == kind)
        return next(filter(wanted, self.messages), None)

    def take(self, message: Message) -> None:
        """Remove a message; this very one, not one that is equal."""
        position = next(k for k, each in enumerate(self.messages) if each is message)
        del self.messages[position]


def _kind_of(message: Message) -> int:
    return message.kind
