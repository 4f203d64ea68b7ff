"""What a pipe has that linux-cr's records do not say (ours)."""

from cr.image.types import HDR_PIPE_EXTRA, Framed
from emu.layout import at, record, u32


@record(size=16)
class PipeExtra(Framed):
    """Before PIPE_BUF: a pipe that was given another size (F_SETPIPE_SZ); linux-cr loses it."""

    TYPE = HDR_PIPE_EXTRA

    capacity: u32 = at("bytes: a power of two of pages")
    pad: u32 = at("zero", default=0, must_be=0)

    def invalid(self) -> str | None:
        pages, odd = divmod(self.capacity, 4096)
        if odd or not 0 < pages or pages & (pages - 1):
            return "a pipe has a power of two of pages"
        return "a pipe of absurd size" if self.capacity > 1 << 30 else None
