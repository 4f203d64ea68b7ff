"""`cr info`: an image in words."""

from __future__ import annotations

import json
import os
from pathlib import Path

from cr.cli.failure import Failure
from cr.cli.host_console import HostConsole
from cr.image.errors import ImageError
from cr.tools.convert import told
from cr.tools.image_bytes import Image
from cr.tools.info import render, to_json


def tell(path: Path, as_json: bool) -> int:
    """Print the summary of an image."""
    try:
        image = Image(path.read_bytes())
        words = told(image)
        if words is not None:
            return _say(_words(words, as_json))
        summary = image.summary
    except ImageError as problem:
        raise Failure(f"{path} is no image: {problem}") from None
    except (OSError, ValueError) as error:
        sentence = error.strerror if isinstance(error, OSError) else error
        raise Failure(f"{path}: {sentence}") from None
    return _say(to_json(summary) + "\n" if as_json else render(summary))


def _words(words: dict[str, str | int], as_json: bool) -> str:
    """Of an image that has no program."""
    if as_json:
        return json.dumps(words) + "\n"
    lines = [f"{name} {value}" for name, value in words.items()]
    return "\n".join([*lines, "no memory, no registers: it cannot be restarted", ""])


def _say(text: str) -> int:
    HostConsole().sink(1, os.fsencode(text))
    return 0
