"""One task: its struct, what it was about to do, and the objects that it uses.

Image grammar:

    task  =  TASK  STRING comm[16]                             ; a dead task ends here
             THREAD  RESTART_BLOCK  CPU  { cpu-unit }  [ SYSCALL_PROGRESS ]
             { object }  TASK_CREDS
             { object }  TASK_NS
             { object }  TASK_OBJS
             [ { object }  SIGNAL  SIGPENDING shared ]         ; first thread of its group
             SIGPENDING private  SIGNAL_TASK

    fs    =  FS  FILE_NAME pwd  FILE_NAME root

Mirrors:  linux-cr checkpoint_hdr.h: ckpt_hdr_task, ckpt_hdr_task_creds, ckpt_hdr_task_ns,
          ckpt_hdr_task_objs, ckpt_hdr_restart_block, ckpt_hdr_fs.
"""

from cr.image.types import (
    HDR_FS,
    HDR_RESTART_BLOCK,
    HDR_TASK,
    HDR_TASK_CREDS,
    HDR_TASK_NS,
    HDR_TASK_OBJS,
    PF_FORKNOEXEC,
    PF_SUPERPRIV,
    RESTART_BLOCK_FUTEX,
    RESTART_BLOCK_NONE,
    Framed,
)
from emu.layout import at, hex32, hex64, record, s32, u32, u64


@record(size=80)
class Task(Framed):
    """The scalar part of struct task_struct."""

    TYPE = HDR_TASK

    flags: hex32 = at("PF_FORKNOEXEC, PF_SUPERPRIV")
    state: hex32 = at("TASK_*")
    exit_state: hex32 = at("EXIT_*; nonzero: this task is dead and has no more records")
    exit_code: hex32 = at("as wait() reports it")
    exit_signal: u32 = at("signal to the parent; all ones in a thread that is not its leader")
    pdeath_signal: u32 = at("signal when the parent dies")
    set_child_tid: hex64 = at("address of CLONE_CHILD_SETTID")
    clear_child_tid: hex64 = at("address of CLONE_CHILD_CLEARTID")
    sas_ss_sp: hex64 = at("alternate signal stack")
    sas_ss_size: u32 = at("its size")
    compat_robust_futex_head_len: u32 = at("size of the robust list head of a 32-bit task")
    compat_robust_futex_list: hex32 = at("address of that head")
    robust_futex_head_len: u32 = at("size of the native robust list head")
    robust_futex_list: hex64 = at("address of that head")

    def invalid(self) -> str | None:
        if self.flags & ~(PF_FORKNOEXEC | PF_SUPERPRIV):
            return f"flags {self.flags:#x} are not flags of an image"
        return None


@record(size=16)
class TaskCreds(Framed):
    """The two credentials of a task."""

    TYPE = HDR_TASK_CREDS

    cred_ref: s32 = at("object number: who it is to others")
    ecred_ref: s32 = at("object number: with what rights it acts")

    def invalid(self) -> str | None:
        return None if min(self.cred_ref, self.ecred_ref) > 0 else "both references are positive"


@record(size=16)
class TaskNs(Framed):
    """The namespaces of a task."""

    TYPE = HDR_TASK_NS

    ns_objref: s32 = at("object number of the NS record")
    pad: u32 = at("zero", default=0, must_be=0)

    def invalid(self) -> str | None:
        return None if self.ns_objref >= 0 else "ns_objref must not be negative"


@record(size=32)
class TaskObjs(Framed):
    """The shareable parts of a task; equal numbers in two tasks mean that they share."""

    TYPE = HDR_TASK_OBJS

    files_objref: s32 = at("file table")
    mm_objref: s32 = at("memory")
    fs_objref: s32 = at("working directory, root and umask")
    sem_undo_objref: s32 = at("System V semaphore undo list; 0: none")
    sighand_objref: s32 = at("signal handlers")
    signal_objref: s32 = at("thread group; its SIGNAL record follows the first thread met")

    def invalid(self) -> str | None:
        named = (self.files_objref, self.mm_objref, self.fs_objref)
        if min(*named, self.sighand_objref, self.signal_objref) <= 0:
            return "every reference but sem_undo_objref must be positive"
        return "sem_undo_objref must not be negative" if self.sem_undo_objref < 0 else None


@record(size=56)
class RestartBlock(Framed):
    """What restart_syscall() would do. Times are relative: what was left at the checkpoint."""

    TYPE = HDR_RESTART_BLOCK

    function_type: u64 = at("RESTART_BLOCK_*")
    arg_0: hex64 = at("nanosleep: clock; poll: fds; futex: address")
    arg_1: hex64 = at("nanosleep: address for the rest; poll: number of fds; futex: value")
    arg_2: hex64 = at(
        "compat nanosleep: its address for the rest; poll: 1: has a timeout; futex: flags"
    )
    arg_3: hex64 = at("futex: bitset")
    arg_4: u64 = at("nanoseconds that were left")

    def invalid(self) -> str | None:
        if RESTART_BLOCK_NONE <= self.function_type <= RESTART_BLOCK_FUTEX:
            return None
        return f"function_type {self.function_type} is none of RESTART_BLOCK_*"


@record(size=16)
class Fs(Framed):
    """Followed by the names of the working directory and of the root."""

    TYPE = HDR_FS

    umask: hex32 = at("file mode creation mask")
    pad: u32 = at("zero", default=0, must_be=0)

    def invalid(self) -> str | None:
        return f"umask {self.umask:#o} has more than the nine bits" if self.umask > 0o777 else None
