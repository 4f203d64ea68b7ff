"""Checkpoint and restart of what is around the tasks: header, container, machine, tail.

Image grammar:

    header     =  HEADER  BUFFER release  BUFFER version  BUFFER machine  HEADER_ARCH
    container  =  CONTAINER  BUFFER lsm-name  LSM_INFO
    machine    =  MACHINE  BUFFER random-state  [ CHAOS ]  [ GENERATION ]
                                                ; ours, after the tree
    tail       =  TAIL

Mirrors:  linux-cr checkpoint/checkpoint.c -- checkpoint_write_header, checkpoint_write_tail;
          checkpoint/restart.c -- restore_read_header, restore_read_tail.
Deviates: any kernel version is taken (there it had to be the same, which defeats the purpose): what
          must fit is the revision of the format, the constants and the arch header. Of the UTS
          strings, which were read and ignored, the machine must be this kernel's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from cr.arch.table import arch_of
from cr.context import Checkpoint, Restart
from cr.generations import LAST
from cr.image import extensions as ours
from cr.image import header as image
from cr.image import types as t
from cr.image.calls import GenerationName
from cr.image.nameless import NamelessNumbers
from cr.memory import AT_VECTOR_SIZE
from cr.nameless import checkpoint_nameless_numbers, restore_nameless_numbers
from cr.security import checkpoint_module, restore_module
from kernel_model.abi.time import NS_PER_S
from kernel_model.clock import END_UNITS, LATEST_BOOT_NS
from kernel_model.scheduling import LONGEST_SLICE_UNITS
from kernel_model.task import State, Task

_CONSTANTS = image.Constants(
    task_comm_len=t.TASK_COMM_BYTES,
    at_vector_size=AT_VECTOR_SIZE,
    signal_nsig=64,
    uts_sysname_len=t.UTS_BYTES,
    uts_nodename_len=t.UTS_BYTES,
    uts_release_len=t.UTS_BYTES,
    uts_version_len=t.UTS_BYTES,
    uts_machine_len=t.UTS_BYTES,
    uts_domainname_len=t.UTS_BYTES,
    rlimit_nlimits=16,
    n_tty_buf_size=4096,
    tty_termios_nccs=19,
)
_UFLAGS = t.CHECKPOINT_SUBTREE | t.CHECKPOINT_NETNS
"""Nine years: far from where the clock's own numbers end."""
_MAX_PID = 1 << 22
_RANDOM_LIMIT = 4096


def checkpoint_header(ctx: Checkpoint, uflags: int) -> None:
    """Write everything before the tree."""
    kernel = ctx.kernel
    major, minor, patch = _version(kernel.release)
    record = image.Header(
        arch_id=arch_of(kernel).arch_id,
        major=major,
        minor=minor,
        patch=patch,
        rev=t.CHECKPOINT_VERSION,
        constants=_CONSTANTS,
        time=kernel.clock.realtime_ns() // NS_PER_S,
        uflags=uflags,
    )
    ctx.image.write(t.HDR_HEADER, record)
    uts = kernel.nsproxy.uts
    for text in (uts.release, uts.version, uts.machine):
        ctx.image.write_string(t.HDR_BUFFER, text, t.UTS_BYTES)
    arch_of(kernel).checkpoint_header(ctx)
    ctx.image.write(t.HDR_CONTAINER, image.Container())
    checkpoint_module(ctx)


def _version(release: bytes) -> tuple[int, int, int]:
    found = re.match(rb"(\d{1,3})\.(\d{1,3})\.(\d{1,3})", release)
    return (int(found[1]), int(found[2]), int(found[3])) if found else (0, 0, 0)


def restore_header(ctx: Restart) -> None:
    """Read everything before the tree; compare it with this kernel."""
    record = ctx.image.read(t.HDR_HEADER, image.Header)
    if record.rev != t.CHECKPOINT_VERSION:
        ctx.refuse(f"image revision {record.rev}, this kernel restarts {t.CHECKPOINT_VERSION}")
    if record.arch_id != arch_of(ctx.kernel).arch_id:
        ctx.refuse(f"an image of {t.arch_name(record.arch_id)}, but this kernel is another arch")
    if record.constants != _CONSTANTS:
        ctx.refuse("incompatible kernel constants")
    if record.uflags & ~_UFLAGS:
        ctx.refuse(f"unknown checkpoint flags {record.uflags:#x}")
    for _ in range(2):  # release and version are for people
        ctx.image.read_exact(t.HDR_BUFFER, t.UTS_BYTES)
    machine = bytes(ctx.image.read_exact(t.HDR_BUFFER, t.UTS_BYTES)).rstrip(b"\0")
    if machine != ctx.kernel.nsproxy.uts.machine:
        shown = machine.decode("latin-1")
        ctx.refuse(f"an image of a machine {shown!r}, but this kernel is another one")
    arch_of(ctx.kernel).restore_header(ctx)
    ctx.image.read(t.HDR_CONTAINER, image.Container)
    restore_module(ctx)


def checkpoint_machine(ctx: Checkpoint, tasks: list[Task]) -> None:
    """Write what a restarted machine must know besides its tasks."""
    kernel = ctx.kernel
    order, slice_left = kernel.sched.order()
    asleep = [task for task in tasks if task.state is State.SLEEPING]
    asleep.sort(key=lambda task: task.sleep_number)
    namespace = tasks[0].pid_ns
    order = [task for task in order if namespace.holds(task)]
    state = kernel.random.state()
    record = ours.Machine(
        clock_units=kernel.clock.units,
        boot_time_ns=kernel.clock.epoch_ns,
        slice_left=slice_left,
        next_pid=namespace.next_number,
        random_bytes=len(state),
        nr_running=len(order),
        run_queue=tuple(namespace.number_of(task.pid) for task in [*order, *asleep]),
    )
    ctx.image.write(t.HDR_MACHINE, record)
    ctx.image.write_blob(t.HDR_BUFFER, state)
    seed, wild = kernel.chaos.state()
    if seed is not None:
        ctx.image.write(t.HDR_CHAOS, ours.Chaos(seed=seed, wild=wild))
    if kernel.generation != LAST.name:
        name = GenerationName(name=kernel.generation.encode())
        ctx.image.write(t.HDR_GENERATION, name)
    checkpoint_nameless_numbers(ctx)


@dataclass(frozen=True)
class MachineState:
    """What the image says of the machine."""

    record: ours.Machine
    random_state: bytes
    chaos: ours.Chaos | None
    nameless: NamelessNumbers


def restore_machine(ctx: Restart) -> MachineState | None:
    """Read what the image says of the machine; None in a pure image."""
    if ctx.image.peek() != t.HDR_MACHINE:
        return None
    record = ctx.image.read(t.HDR_MACHINE, ours.Machine)
    if record.clock_units > END_UNITS or record.boot_time_ns > LATEST_BOOT_NS:
        ctx.refuse("a machine that has run for longer than time lasts")
    if record.next_pid > _MAX_PID:
        ctx.refuse(f"there is no pid {record.next_pid}")
    if record.slice_left > LONGEST_SLICE_UNITS or record.random_bytes > _RANDOM_LIMIT:
        ctx.refuse("a time slice or a random state of absurd size")
    state = bytes(ctx.image.read_exact(t.HDR_BUFFER, record.random_bytes))
    try:
        ctx.kernel.random.check_state(state)
    except ValueError as bad:
        ctx.refuse(str(bad))
    chaos = None
    if ctx.image.peek() == t.HDR_CHAOS:
        chaos = ctx.image.read(t.HDR_CHAOS, ours.Chaos)
    _restore_generation(ctx)
    return MachineState(record, state, chaos, restore_nameless_numbers(ctx))


def _restore_generation(ctx: Restart) -> None:
    """A machine goes on as the generation that it was: its tasks know the numbers of its calls."""
    name = LAST.name
    if ctx.image.peek() == t.HDR_GENERATION:
        name = ctx.image.read(t.HDR_GENERATION, GenerationName).name.decode("latin-1")
    if name != ctx.kernel.generation:
        here = ctx.kernel.generation
        ctx.refuse(f"a machine whose abi was {name!r}, but this kernel's is {here!r}")


def checkpoint_tail(ctx: Checkpoint) -> None:
    """Write the mark that the image is whole."""
    ctx.image.write(t.HDR_TAIL, image.Tail())


def restore_tail(ctx: Restart) -> None:
    """Read the mark that the image is whole."""
    ctx.image.read(t.HDR_TAIL, image.Tail)
