"""What is kept of a divergence: the image, the disk, the traces, and the command that repeats it.

Made afterwards, by running the program again to the place: a run is a function of its inputs, so
nothing has to be kept while all goes well.
"""

from __future__ import annotations

from pathlib import Path

from cr.cli.whole_files import Staging
from cr.context import Refused
from cr.image.errors import ImageError
from cr.system import System
from cr.testing.sweep import Failure, Segment
from cr.until import Ended
from kernel_model.kernel import Deadlock
from kernel_model.strace import Strace
from kernel_model.vfs.disk_tar import write_tar


def repeat_command(segment: Segment, place: int) -> str:
    """The one command that shows a divergence again."""
    return segment.subject.command("sweep", "--every", str(segment.every), "--only", str(place))


def keep(folder: Path, segment: Segment, failure: Failure) -> Path:
    """Write everything about a divergence into a folder of its own; which one."""
    place = failure.place
    target = folder / f"place-{place:06d}"
    target.mkdir(parents=True, exist_ok=True)
    (target / "divergence.txt").write_text("\n".join(failure.divergence.lines()) + "\n")
    (target / "repeat.txt").write_text(repeat_command(segment, place) + "\n")
    kernel, _ = segment.subject.boot()
    trace: list[str] = []
    before = _go(segment, kernel, place - 1) if place > 1 else Ended.REACHED
    sink = Strace(kernel, trace.append)
    kernel.trace.sinks.append(sink)
    if before is Ended.REACHED:
        _go(segment, kernel, 1)
    try:
        image = kernel.checkpoint()
    except (Refused, AssertionError) as refused:
        trace.append(f"the checkpoint at place {place}: {refused}\n")
        image = None
    if image is not None:
        kernel.vfs.sync()
        with Staging() as files:
            files.write(target / "image.disk.tar", lambda file: write_tar(kernel.disk, file))
            files.write(target / "image", lambda file: file.write(image))
            files.commit()
        trace.append(f"--- place {place}: what follows is the undisturbed run\n")
        _go(segment, kernel, 1)
        sink.finish()
        trace.append(f"--- place {place}: what follows is the restarted run\n")
        kernel = kernel.reboot()
        _restarted(segment, kernel, image, trace)
    kernel.power_off()
    (target / "trace.txt").write_text("".join(trace))
    return target


def _go(segment: Segment, kernel: System, places: int) -> Ended:
    return segment.every.advance(kernel, segment.subject.max_time_ns, places)


def _restarted(segment: Segment, kernel: System, image: bytes, trace: list[str]) -> None:
    try:
        kernel.restart(image)
        sink = Strace(kernel, trace.append)
        kernel.trace.sinks.append(sink)
        _go(segment, kernel, 1)
        sink.finish()
    except (ImageError, Deadlock, AssertionError) as problem:
        trace.append(f"{type(problem).__name__}: {problem}\n")
