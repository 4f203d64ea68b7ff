"""The oracle: a whole machine as canonical plain text.

Two kernels are equal iff their dumps are. Objects are named by the order in which they are met, not
by where they lie in the host's memory; pages by a digest of their bytes. What makes no difference
to any guest is left out: frames, translations, pages that were only read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from emu.memory import PAGE_SHIFT
from kernel_model import itimers
from kernel_model.creds import User
from kernel_model.freezer import FreezerCgroup
from kernel_model.ipc.namespace import IpcNamespace
from kernel_model.kernel import Kernel
from kernel_model.mm.address_space import AddressSpace
from kernel_model.mm.backing import SharedMemory, VdsoPage
from kernel_model.net.dump import Names, dump_network
from kernel_model.signals import Action, Pending
from kernel_model.task import Task
from kernel_model.vfs.dump_files import show_file, show_removed, show_tree, show_tty
from kernel_model.vfs.dump_mounts import dump_mounts
from kernel_model.vfs.path import shown_path

if TYPE_CHECKING:
    from kernel_model.mm.vma import Vma

_DEFAULT = Action()


def dump(kernel: Kernel, root: Task | None = None) -> str:
    """The machine as text; with `root`, what that task and its descendants can see of it."""
    return "\n".join(_kernel(kernel, root)) + "\n"


def _kernel(kernel: Kernel, root: Task | None) -> Iterator[str]:
    names = Names(whole=root is None)
    if root is None:
        yield f"clock {kernel.clock.units} epoch {kernel.clock.epoch_ns}"
        yield f"random {kernel.random.state().decode()} next pid {kernel.pid_ns.next_number}"
        seed, wild = kernel.chaos.state()
        if seed is not None:
            yield f"schedule seed {seed}{' with chaos' if wild else ''}"
        for path, value in kernel.sysctls.changed():
            yield f"sysctl {path!r} {value}"
        order, slice_left = kernel.sched.order()
        yield f"next pipe {kernel.vfs.pipefs.next_ino} next socket {kernel.vfs.sockfs.next_ino}"
        yield f"running {[task.pid for task in order]} slice {slice_left}"
    if root is None:
        yield from _groups(kernel.freezer)
    for _, task in sorted(kernel.tasks.items()):
        yield from _task(kernel, task, names)
    if root is None:
        yield from _files_on_disk(kernel)
        yield from dump_mounts(kernel, show_tree)


def _groups(root: FreezerCgroup) -> Iterator[str]:
    for group in root.walk():
        held = [task.pid for task in group.members() if task.frozen]
        members = [task.pid for task in group.members()]
        yield f"freezer {group.path!r} {group.state.value} tasks {members} held {held}"


def _task(kernel: Kernel, task: Task, names: Names) -> Iterator[str]:
    parent = task.parent.pid if task.parent is not None else 0
    yield f"task {task.pid} tgid {task.tgid} parent {parent} {task.comm!r} {task.state.value}"
    yield from _numbers(task, names)
    if task.exited:
        yield f"  exit code {task.exit_code:#x}"
        return
    yield f"  abi {task.abi.name} exit signal {task.exit_signal} pdeath {task.pdeath_signal}"
    if task.nocr:
        yield f"  never to be checkpointed: {task.nocr}"
    yield from _registers(task)
    in_call = task.syscall is not None or task.interrupted is not None
    if in_call:
        number = task.regs.words[task.abi.number] & 0xFFFFFFFF
        restart = task.interrupted or task.sleep_restart
        yield f"  in {kernel.calls.name(task.abi, number)} {restart.name} {task.restart_block}"
        deadline = task.waiting.deadline_ns if task.waiting is not None else None
        yield f"  until {deadline}"
    if task.call_state is not None and task.call_state.told():
        yield f"  keeps {task.call_state.told()}"
    yield f"  tids {task.set_child_tid:#x} {task.clear_child_tid:#x} robust {task.robust_list}"
    yield f"  {task.scheduling} boost {task.boost} personality {task.personality:x}"
    yield f"  executed {task.run_units} group {task.signal.run_units}"
    yield from _credentials(task, names)
    yield from _signals(task, names)
    yield from _descriptors(task, names)
    if task.mm is not None:
        yield from _memory(task, task.mm, names)


def _numbers(task: Task, names: Names) -> Iterator[str]:
    if task.pid_ns.is_first:
        return
    name, first = names.of("pidns", task.pid_ns)
    yield f"  {name} level {task.pid_ns.level} number {task.vpid}"
    if first:
        init = task.pid_ns.init.pid if task.pid_ns.init is not None else 0
        yield f"    {task.pid_ns.numbers()} next {task.pid_ns.next_number} init {init}"


def _registers(task: Task) -> Iterator[str]:
    regs = task.regs
    words = " ".join(f"{name}={word:x}" for name, word in zip(regs.spec.fast, regs.words))
    yield f"  {words}"
    yield "  " + " ".join(f"{name}={regs[name]:x}" for name in regs.spec.system)
    for unit, state in sorted(regs.units.items()):
        yield f"  {unit} {state.hex()}"


def _credentials(task: Task, names: Names) -> Iterator[str]:
    cred = task.cred
    name, first = names.of("cred", cred)
    yield f"  {name}"
    if first:
        ids = (cred.uid, cred.euid, cred.suid, cred.fsuid)
        gids = (cred.gid, cred.egid, cred.sgid, cred.fsgid)
        yield from _user(cred.user, names)
        yield f"    uids {ids} gids {gids} groups {cred.groups} secure {cred.securebits}"
        yield (
            f"    caps {cred.cap_inheritable:x} {cred.cap_permitted:x} {cred.cap_effective:x}"
            f" {cred.cap_bounding:x}"
        )
    name, first = names.of("ipc", task.nsproxy.ipc)
    yield f"  {name} undo {task.sem_undo.sets if task.sem_undo is not None else None}"
    if first:
        yield from _ipc(task.nsproxy.ipc, names)
    net = task.nsproxy.net
    name, first = names.of("net", net)
    yield f"  {name}"
    if first:
        yield from dump_network(net, names)
    if task.nsproxy.mnt is not task.kernel.vfs.namespace:
        yield f"  mounts {task.kernel.vfs.namespaces.index(task.nsproxy.mnt) + 1}"
    uts = task.nsproxy.uts
    name, first = names.of("uts", uts)
    yield f"  {name}"
    if first:
        yield f"    {uts.sysname!r} {uts.nodename!r} {uts.release!r} {uts.domainname!r}"


def _user(user: User, names: Names) -> Iterator[str]:
    name, first = names.of("userns", user.namespace)
    yield f"    user {user.uid} of {name}"
    if first and user.namespace.creator is not None:
        yield from _user(user.namespace.creator, names)


def _ipc(namespace: IpcNamespace, names: Names) -> Iterator[str]:
    sequences = [ids.next_seq for ids in (namespace.shm, namespace.msg, namespace.sem)]
    yield f"    {namespace.limits} next {sequences}"
    for segment in namespace.shm.all():
        yield f"    shm {vars(segment.perm)} {segment.size_bytes} bytes {segment.times}"
        more = ", removed" if segment.doomed else ""
        more += f", locked by {segment.locked_by}" if segment.locked_by is not None else ""
        yield f"      {segment.users} mappings{more}"
        yield from _shared(segment, names)
    for queue in namespace.msg.all():
        yield f"    msg {vars(queue.perm)} at most {queue.max_bytes} {queue.messages}"
        yield f"      {queue.sent} {queue.received} {queue.changed}"
        yield f"      pids {queue.last_sender} {queue.last_receiver}"
    for sem_set in namespace.sem.all():
        yield f"    sem {vars(sem_set.perm)} {sem_set.semaphores}"
        yield f"      {sem_set.operated} {sem_set.changed}"


def _shared(memory: SharedMemory, names: Names) -> Iterator[str]:
    name, first = names.of("shared", memory)
    yield f"      {name} {memory.page_count} pages"
    if first:
        for number, frame in sorted(memory.pages.items()):
            yield f"        {number}: {_digest(memory.ram.page(frame))}"


def _pending(pending: Pending) -> str:
    return f"{pending.signals:x} {pending.queue}"


def _action(action: Action) -> str:
    return f"{action.handler:x}/{action.flags:x}/{action.restorer:x}/{action.mask:x}"


def _signals(task: Task, names: Names) -> Iterator[str]:
    blocked = task.blocked if task.saved_blocked is None else task.saved_blocked
    if task.saved_blocked is not None and task.syscall is None and task.interrupted is None:
        yield f"  until its signal is handled {task.blocked:x}"
    yield f"  blocked {blocked:x} pending {_pending(task.pending)} altstack {task.altstack}"
    name, first = names.of("sighand", task.sighand)
    yield f"  {name}"
    if first:
        for number, action in enumerate(task.sighand.actions, start=1):
            if action is not _DEFAULT and action != _DEFAULT:
                yield f"    {number}: {_action(action)}"
    name, first = names.of("signal", task.signal)
    yield f"  {name}"
    if first:
        signal = task.signal
        yield f"    pending {_pending(signal.pending)} pgid {signal.pgid} sid {signal.sid}"
        yield f"    news {signal.stop_news} {signal.continue_news}"
        yield f"    limits {signal.rlimits}"
        if signal.tty is not None or signal.tty_old_pgrp:
            yield f"    terminal, old group {signal.tty_old_pgrp}"
        if signal.tty is not None:
            yield from show_tty(signal.tty, names)
        for _, timer in sorted(signal.posix_timers.items()):
            yield (
                f"    timer {timer.number} clock {timer.clock_id} notify {timer.notify} signal"
                f" {timer.signo} value {timer.value:x} tid {timer.tid} due {timer.due_ns} every"
                f" {timer.interval_ns} overrun {timer.overrun} {timer.last_overrun} {timer.told}"
            )
        yield f"    timers {[itimers.exact(task, which) for which in range(3)]}"


def _descriptors(task: Task, names: Names) -> Iterator[str]:
    name, first = names.of("fs", task.fs)
    yield f"  {name}"
    if first:
        fs = task.fs
        yield f"    through mounts {fs.root.mount.number} and {fs.pwd.mount.number}"
        root = task.kernel.vfs.root
        yield f"    {shown_path(fs.root, root)!r} {shown_path(fs.pwd, root)!r} {fs.umask:o}"
        for place in (fs.root, fs.pwd):
            yield from show_removed(place.dentry, names)
    name, first = names.of("files", task.files)
    yield f"  {name}"
    if first:
        for fd, file in sorted(task.files.items()):
            cloexec = " cloexec" if fd in task.files.close_on_exec else ""
            yield f"    fd {fd}{cloexec}"
            yield from show_file(file, names)
            locks = file.inode.locks
            if locks is not None and task.files in locks.records:
                ranges = locks.records[task.files]
                yield f"      record locks {list(locks.records).index(task.files)} {ranges}"
    while names.to_come:
        yield from show_file(names.to_come.popleft(), names)


def _memory(task: Task, mm: AddressSpace, names: Names) -> Iterator[str]:
    name, first = names.of("mm", mm)
    yield f"  {name}"
    if not first:
        return
    yield f"    {mm.layout} auxv {mm.auxv} vdso {mm.vdso:x}"
    yield f"    flags {mm.def_flags:x} {mm.flags:x} dumpable {mm.dumpable} barriers {mm.barriers}"
    if mm.exe is not None:
        yield from show_file(mm.exe, names)
    for vma in mm.vmas:
        yield from _vma(mm, vma, names)


def _vma(mm: AddressSpace, vma: Vma, names: Names) -> Iterator[str]:
    yield f"    {vma.start:x}-{vma.end:x} flags {vma.flags:x} offset {vma.offset} {vma.name!r}"
    ram = mm.ram
    if vma.file is not None:
        yield from show_file(vma.file, names)
    backing = vma.backing
    if isinstance(backing, SharedMemory):
        yield from _shared(backing, names)
    elif not vma.shared and not isinstance(backing, VdsoPage):
        for page_no, frame in mm.resident_private(vma):
            yield f"      {page_no << PAGE_SHIFT:x}: {_digest(ram.page(frame))}"


def _digest(content: bytes | memoryview) -> str:
    return hashlib.blake2b(content, digest_size=8).hexdigest()


def _files_on_disk(kernel: Kernel) -> Iterator[str]:
    kernel.vfs.sync()
    yield from show_tree(kernel.disk.root)
