"""System calls of message queues.

Mirrors: Linux ipc/msg.c (sys_msgget, do_msgsnd, do_msgrcv, sys_msgctl).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel_model.abi.errno import E2BIG, EAGAIN, EFAULT, EINVAL, ENOMSG, EPERM
from kernel_model.ipc.ids import (
    IPC_INFO,
    IPC_NOWAIT,
    IPC_RMID,
    IPC_SET,
    IPC_STAT,
    MAY_READ,
    MAY_WRITE,
    left_by_waker,
    new_perm,
    tell_removed,
)
from kernel_model.ipc.msg import Message, MessageQueue
from kernel_model.syscalls.declare import Flags, Int, Long, Ptr, Size, syscall
from kernel_model.syscalls.ipc_info import tell_msg
from kernel_model.syscalls.shm import check_version, operation_of, told_perm
from kernel_model.waitqueue import Restart, Sleep

if TYPE_CHECKING:
    from kernel_model.task import Task

_MSG_STAT, _MSG_INFO = 11, 12
_MSG_NOERROR, _MSG_EXCEPT = 0o10000, 0o20000


@syscall()
def msgget(task: Task, key: Int, flags: Flags) -> int:
    """The queue of a key, made if need be."""
    namespace = task.nsproxy.ipc

    def make() -> MessageQueue:
        namespace.msg.check_room(namespace.limits.msgmni)
        perm = new_perm(task, key, flags)
        return MessageQueue(perm, namespace.limits.msgmnb, changed=namespace.now_s())

    return namespace.msg.get(task, key, flags, lambda _: None, make)


@syscall()
def msgsnd(task: Task, msqid: Int, message: Ptr, size: Size, flags: Flags) -> int:
    """Send a message, waiting until there is room for it."""
    left_by_waker(task)
    namespace = task.nsproxy.ipc
    kind = _signed_word(task, message)
    if size > namespace.limits.msgmax or msqid < 0 or kind < 1:
        raise EINVAL(f"a message of type {kind} with {size} bytes")
    text = task.user.read(message + task.abi.word_bytes, size)
    queue = namespace.msg.find(msqid)
    queue.perm.check(task, MAY_WRITE)
    if not queue.has_room(size):
        if flags & IPC_NOWAIT:
            raise EAGAIN("the queue is full")
        raise Sleep(queue.senders, restart=Restart.ERESTARTNOHAND)
    queue.messages.append(Message(kind, bytes(text)))
    queue.sent, queue.last_sender = namespace.now_s(), task.vtgid
    queue.receivers.wake_all()
    return 0


@syscall()
def msgrcv(task: Task, msqid: Int, message: Ptr, size: Size, kind: Long, flags: Flags) -> int:
    """Take the first message of a type (0: of any; negative: the lowest up to that)."""
    left_by_waker(task)
    namespace = task.nsproxy.ipc
    if msqid < 0 or size >> (8 * task.abi.word_bytes - 1):
        raise EINVAL(f"queue {msqid}, {size} bytes")
    queue = namespace.msg.find(msqid)
    queue.perm.check(task, MAY_READ)
    found = queue.choose(kind, other=bool(flags & _MSG_EXCEPT))
    if found is None:
        if flags & IPC_NOWAIT:
            raise ENOMSG("no such message")
        raise Sleep(queue.receivers, restart=Restart.ERESTARTNOHAND)
    if len(found.text) > size and not flags & _MSG_NOERROR:
        raise E2BIG(f"the message has {len(found.text)} bytes")
    text = found.text[:size]
    word = task.abi.word_bytes
    if task.user.writable(message, word + len(text)) < word + len(text):
        queue.take(found)
        raise EFAULT("the message is lost: it cannot be stored")
    queue.take(found)
    task.user.write_word(message, found.kind)
    task.user.write(message + word, text)
    queue.received, queue.last_receiver = namespace.now_s(), task.vtgid
    queue.senders.wake_all()
    return len(text)


@syscall(partial="structures without IPC_64 are refused")
def msgctl(task: Task, msqid: Int, command: Int, buffer: Ptr) -> int:
    """Ask about a queue or all of them, change one, remove it."""
    operation = operation_of(task, command)
    if msqid < 0 or operation < 0:
        raise EINVAL(f"queue {msqid}, command {operation}")
    if operation in (IPC_INFO, _MSG_INFO):
        return tell_msg(task, buffer, usage=operation == _MSG_INFO)
    if operation not in (IPC_RMID, IPC_SET, IPC_STAT, _MSG_STAT):
        raise EINVAL(f"msgctl command {operation}")
    namespace = task.nsproxy.ipc
    queues = namespace.msg
    queue = queues.at_slot(msqid) if operation == _MSG_STAT else queues.find(msqid)
    if operation == IPC_RMID:
        queue.perm.check_owner(task)
        namespace.msg.remove(queue)
        tell_removed(queue.senders)
        tell_removed(queue.receivers)
        return 0
    check_version(task, command)
    if operation in (IPC_STAT, _MSG_STAT):
        queue.perm.check(task, MAY_READ)
        _tell(task, queue, buffer)
        return queue.perm.id if operation == _MSG_STAT else 0
    asked = task.user.read_record(task.abi.structs.ipc.msg, buffer)
    queue.perm.check_owner(task)
    if asked.qbytes > namespace.limits.msgmnb and not task.cred.cap("CAP_SYS_RESOURCE"):
        raise EPERM(f"a queue of {asked.qbytes} bytes")
    queue.perm.change(asked.perm.uid, asked.perm.gid, asked.perm.mode)
    queue.max_bytes, queue.changed = asked.qbytes, namespace.now_s()
    queue.senders.wake_all()
    queue.receivers.wake_all()
    return 0


def _signed_word(task: Task, addr: int) -> int:
    word, bits = task.user.word(addr), 8 * task.abi.word_bytes
    return word - (word >> (bits - 1) << bits)


def _tell(task: Task, queue: MessageQueue, buffer: int) -> None:
    told = task.abi.structs.ipc.msg(
        perm=told_perm(task, queue.perm),  # type: ignore[arg-type]
        stime=queue.sent & task.abi.mask,
        rtime=queue.received & task.abi.mask,
        ctime=queue.changed & task.abi.mask,
        cbytes=queue.bytes_used,
        qnum=len(queue.messages),
        qbytes=queue.max_bytes & task.abi.mask,
        lspid=queue.last_sender,
        lrpid=queue.last_receiver,
    )
    task.user.write_record(told, buffer)
