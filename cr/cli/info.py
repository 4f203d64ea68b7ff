"""`cr info`: an image in words."""

from __future__ import annotations

import os
from pathlib import Path

from cr.cli.failure import Failure
from cr.cli.host_console import HostConsole
from cr.image.errors import ImageError
from cr.tools.image_bytes import Image
from cr.tools.info import render, to_json


def tell(path: Path, as_json: bool) -> int:
    """Print the summary of an image."""
    try:
        summary = Image(path.read_bytes()).summary
    except ImageError as problem:
        raise Failure(f"{path} is no image: {problem}") from None
    except (OSError, ValueError) as error:
        sentence = error.strerror if isinstance(error, OSError) else error
        raise Failure(f"{path}: {sentence}") from None
    text = to_json(summary) + "\n" if as_json else render(summary)
    HostConsole().sink(1, os.fsencode(text))
    return 0
