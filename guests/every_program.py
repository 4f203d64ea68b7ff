"""Build every story for every mode into the user's cache, a few at a time."""

import os
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from guests.stories import all_stories
from guests.toolchain import BuildError, build


def main() -> int:
    """The command line; 1 if anything does not build."""
    wanted = [
        (story.path, arch, kind == "freestanding")
        for story in all_stories()
        for arch in story.arches
        for kind in story.builds
    ]
    failures = 0
    with (
        tempfile.TemporaryDirectory() as folder,
        ThreadPoolExecutor(max_workers=os.cpu_count()) as workers,
    ):
        tasks = [
            workers.submit(build, path, arch, Path(folder) / str(number), freestanding)
            for number, (path, arch, freestanding) in enumerate(wanted)
        ]
        for task in tasks:
            try:
                task.result()
            except BuildError as problem:
                failures += 1
                sys.stderr.write(f"{problem}\n")
    sys.stderr.write(f"{len(wanted) - failures} programs are in the cache\n")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
