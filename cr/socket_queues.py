"""Checkpoint and restart of what sockets have received.

Image grammar:

    queues  =  queue receive  queue send                         ; behind the file table
    queue   =  SOCKET_QUEUE  { { OBJREF } SOCKET_BUFFER [ BUFFER ] [ SOCKET_RIGHTS ] }

A message names its sender, and the files that are on their way with it; both may lead to sockets
that are met here for the first time. What a socket sends is in its receiver's queue at once, so the
second queue is empty.

Mirrors:  linux-cr net/checkpoint.c -- sock_write_buffers, sock_read_buffers.
Deviates: files on their way (SCM_RIGHTS) are saved by a record of ours; the original said EBUSY.
"""

from __future__ import annotations

import struct

from cr import inet
from cr.context import Checkpoint, Restart
from cr.image import network as ours
from cr.image import sockets as image
from cr.image import types as t
from cr.socket_record import ParkedSocket
from kernel_model.abi import socket as abi
from kernel_model.abi.errno import EBUSY
from kernel_model.net.inet import InetSocket
from kernel_model.net.message import Message, Ucred
from kernel_model.net.socket import Socket
from kernel_model.net.tcp import TcpSocket
from kernel_model.net.unix import UnixSocket
from kernel_model.vfs.openfile import OpenFile

# ---- checkpoint


def checkpoint_queues(ctx: Checkpoint, socket: Socket) -> None:
    """Behind the file table: write what a socket has received, and (nothing) what it sends."""
    total = sum(len(message.data) for message in socket.queue)
    ctx.image.write(
        t.HDR_SOCKET_QUEUE,
        image.SocketQueue(skb_count=len(socket.queue), total_bytes=total),
    )
    for message in socket.queue:
        _checkpoint_message(ctx, socket, message)
    ctx.image.write(t.HDR_SOCKET_QUEUE, image.SocketQueue(skb_count=0, total_bytes=0))


def _checkpoint_message(ctx: Checkpoint, socket: Socket, message: Message) -> None:
    from cr.files import checkpoint_file
    from cr.sockets import checkpoint_sock

    if message.files and ctx.pure:
        ctx.refuse(EBUSY, "files are on their way in a message (SCM_RIGHTS)")
    files = tuple(ctx.write_object(t.OBJ_FILE, file, checkpoint_file) for file in message.files)
    sender = 0
    if known_sender(message) is not None:
        sender = ctx.write_object(t.OBJ_SOCK, message.sender, checkpoint_sock)
    this = ctx.objs.lookup(socket)
    assert this is not None
    length = len(message.data)
    record = image.SocketBuffer(
        transport_header=0,
        network_header=0,
        mac_header=0,
        lin_len=length,
        frg_len=0,
        skb_len=length,
        hdr_len=0,
        mac_len=0,
        data_offset=0,
        sk_objref=sender,
        pr_objref=this,
        protocol=0,
        nr_frags=0,
        cb=_cb(ctx, socket, message).ljust(48, b"\0"),
    )
    ctx.image.write(t.HDR_SOCKET_BUFFER, record)
    if length:
        ctx.image.write_blob(t.HDR_BUFFER, bytes(message.data))
    if files:
        ctx.image.write(t.HDR_SOCKET_RIGHTS, ours.SocketRights(files=files))


def _cb(ctx: Checkpoint, socket: Socket, message: Message) -> bytes:
    if isinstance(socket, InetSocket):
        return inet.control_block(ctx, socket, message)
    return struct.pack(ctx.image.order + "iII", *message.cred)


def known_sender(message: Message) -> Socket | None:
    """Who sent a message, if that makes a difference to anybody."""
    sender: Socket | None = message.sender
    if isinstance(sender, TcpSocket):
        return None  # the other end is found by its addresses, if it is in the image
    if sender is None or (sender.dead and getattr(sender, "name", None) is None):
        return None
    return sender


# ---- restart


def restore_queues(ctx: Restart) -> None:
    """Behind the file table: the queues of the next socket that has any."""
    if not ctx.queues_deferred:
        ctx.refuse("a queue of no socket")
    parked = ctx.queues_deferred.pop(0)
    socket = parked.socket
    head = ctx.image.read(t.HDR_SOCKET_QUEUE, image.SocketQueue)
    if head.skb_count and (socket.dead or socket.state == abi.TCP_LISTEN):
        ctx.refuse("a socket that is closed, or listens, has received messages")
    left = head.total_bytes
    for _ in range(head.skb_count):
        left -= _restore_message(ctx, socket, left)
    send = ctx.image.read(t.HDR_SOCKET_QUEUE, image.SocketQueue)
    if send.skb_count:
        ctx.refuse("the queue of a sender must be empty")


def _restore_message(ctx: Restart, socket: Socket, most: int) -> int:
    record = ctx.image.read(t.HDR_SOCKET_BUFFER, image.SocketBuffer)
    if record.nr_frags or record.frg_len:
        ctx.refuse("fragments are not modelled")
    if record.lin_len > most or record.skb_len + record.data_offset != record.lin_len:
        ctx.refuse(f"a message of {record.lin_len} bytes, {most} are left in the queue")
    if socket.stream and not record.skb_len:
        ctx.refuse("an empty part of a stream")
    data = b""
    if record.lin_len:
        data = bytes(ctx.image.read_exact(t.HDR_BUFFER, record.lin_len))
    message = Message(bytearray(data[record.data_offset :]))
    if isinstance(socket, InetSocket):
        inet.fill_message(ctx, socket, message, record)
    else:
        cred = struct.unpack_from(ctx.image.order + "iII", record.cb)
        message.cred = Ucred(*cred)
    if record.sk_objref:
        sender = ctx.objs.fetch(ctx, record.sk_objref, t.OBJ_SOCK, ParkedSocket).socket
        if sender.family != socket.family or sender.type != socket.type:
            ctx.refuse("a message from a socket of another kind")
        message.sender = sender
        sender.used += message.cost
    socket.queue.append(message)
    if ctx.image.peek() == t.HDR_SOCKET_RIGHTS:
        _restore_rights(ctx, socket, message)
    return record.lin_len


def _restore_rights(ctx: Restart, socket: Socket, message: Message) -> None:
    rights = ctx.image.read(t.HDR_SOCKET_RIGHTS, ours.SocketRights)
    if len(rights.files) > abi.SCM_MAX_FD or not isinstance(socket, UnixSocket):
        ctx.refuse(f"{len(rights.files)} files in a message")
    for number in rights.files:
        file: OpenFile = ctx.objs.fetch(ctx, number, t.OBJ_FILE, OpenFile)
        message.files.append(file.grab())
        socket.net.in_flight.launched(file)
