"""`cr convert`: an image in another dialect, with its disk beside it."""

from __future__ import annotations

from pathlib import Path

from cr.cli.failure import REFUSED, Failure
from cr.cli.session import disk_beside, note
from cr.cli.start import read_image
from cr.cli.whole_files import Staging, check_folder
from cr.image.errors import ImageError
from cr.tools.convert import HAS_EXCERPTS, NAMES, convert


def convert_image(path: Path, dialect: str, output: Path, *, lossy: bool = False) -> int:
    """Write `output` and, if there is one beside `path`, its disk."""
    if dialect not in NAMES:
        raise Failure(f"there is no dialect {dialect}: there are {', '.join(NAMES)}")
    if lossy and dialect not in HAS_EXCERPTS:
        raise Failure(f"{dialect} has whole programs: --lossy is for {', '.join(HAS_EXCERPTS)}")
    check_folder(output)
    image = read_image(path)
    try:
        was = image.upgraded.dialect
        image.summary  # noqa: B018  # is it an image at all?
    except ImageError as problem:
        raise Failure(f"{path} is no image: {problem}") from None
    try:
        converted = convert(image, dialect, lossy=lossy)
    except ImageError as problem:
        hint = "; --lossy writes that" if dialect in HAS_EXCERPTS else ""
        raise Failure(f"{path} cannot be {dialect}: {problem}{hint}", REFUSED) from None
    disk = disk_beside(path)
    with Staging() as files:
        files.write(output, lambda file: file.write(converted.image))
        if disk.exists() and disk != disk_beside(output):
            content = _content(disk)
            files.write(disk_beside(output), lambda file: file.write(content))
        files.commit()
    note(f"{path} ({was}) is now {output} ({dialect})")
    for one in converted.lost:
        note(f"left out: {one}")
    return 0


def _content(disk: Path) -> bytes:
    try:
        return disk.read_bytes()
    except OSError as error:
        raise Failure(f"{disk}: {error.strerror}") from None
