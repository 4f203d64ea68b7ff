"""The records around everything else: who wrote the image, and that it is complete.

Image grammar:

    image      =  header  container  pids  tree  { task }  TAIL
    header     =  HEADER  BUFFER release[65]  BUFFER version[65]  BUFFER machine[65]  HEADER_ARCH
    container  =  CONTAINER  BUFFER lsm-name[11]  LSM_INFO
    error      =  ERROR  STRING text              ; text begins with a zero byte

Mirrors:  linux-cr checkpoint_hdr.h: ckpt_const, ckpt_hdr_header, ckpt_hdr_tail,
          ckpt_hdr_container, ckpt_hdr_objref.
Deviates: the magic is checked by the record itself, so a byte-swapped image cannot be read as if
          it were not.
"""

from cr.image.types import (
    HDR_CONTAINER,
    HDR_ERROR,
    HDR_HEADER,
    HDR_OBJREF,
    HDR_TAIL,
    HEADER_MAGIC,
    TAIL_MAGIC,
    Framed,
)
from emu.layout import Record, at, hex64, record, s32, u16, u32, u64


@record(size=8)
class Frame(Record):
    """What stands in front of every record: ckpt_hdr."""

    type: u32 = at("record type, HDR_*")
    len: u32 = at("length of the record in bytes, these eight included")


@record(size=24)
class Constants(Record):
    """Sizes that the writing kernel was compiled with; restart wants the very same ones."""

    task_comm_len: u16 = at("bytes in a task's comm")
    at_vector_size: u16 = at("words in the auxiliary vector")
    signal_nsig: u16 = at("number of signals")
    uts_sysname_len: u16 = at("bytes in the UTS field of this name")
    uts_nodename_len: u16 = at("as above")
    uts_release_len: u16 = at("as above")
    uts_version_len: u16 = at("as above")
    uts_machine_len: u16 = at("as above")
    uts_domainname_len: u16 = at("as above")
    rlimit_nlimits: u16 = at("number of resource limits")
    n_tty_buf_size: u16 = at("bytes in the buffer of the N_TTY line discipline")
    tty_termios_nccs: u16 = at("number of termios control characters")


@record(size=72)
class Header(Framed):
    """First record of an image. Its magic tells the byte order of all that follows."""

    TYPE = HDR_HEADER

    magic: hex64 = at("HEADER_MAGIC", default=HEADER_MAGIC, must_be=HEADER_MAGIC)
    arch_id: u16 = at("ARCH_*; it also fixes the word size")
    major: u16 = at("kernel version, first number")
    minor: u16 = at("kernel version, second number")
    patch: u16 = at("kernel version, third number")
    rev: u16 = at("CHECKPOINT_VERSION of the writer")
    pad_rev: u16 = at("zero", default=0, must_be=0)
    pad: u32 = at("zero", default=0, must_be=0)
    constants: Constants = at("sizes of the writing kernel")
    time: u64 = at("seconds since the epoch when the checkpoint was taken")
    uflags: hex64 = at("the flags given to checkpoint()")


@record(size=8)
class Container(Framed):
    """Begin of what belongs to the container; the frame says it all."""

    TYPE = HDR_CONTAINER


@record(size=16)
class Objref(Framed):
    """The object numbered objref follows, beginning with the objects that it needs."""

    TYPE = HDR_OBJREF

    objtype: u32 = at("OBJ_*")
    objref: s32 = at("number of the object: positive, and new in this image")

    def invalid(self) -> str | None:
        return None if self.objref > 0 else "objref must be positive"


@record(size=8)
class ErrorMark(Framed):
    """The checkpoint failed here; a STRING with the reason follows."""

    TYPE = HDR_ERROR


@record(size=16)
class Tail(Framed):
    """Last record: what ends before it was cut."""

    TYPE = HDR_TAIL

    magic: hex64 = at("TAIL_MAGIC", default=TAIL_MAGIC, must_be=TAIL_MAGIC)
