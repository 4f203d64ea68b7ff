"""An image as a value: bytes that can be asked what is in them."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property

from cr.image.walk import Item, walk
from cr.tools.convert import Upgraded, upgrade
from cr.tools.info import Summary, TaskInfo, summarize


class Image(bytes):
    """A checkpoint image. It is its bytes; everything else is read from them when asked for.

    An image of an older dialect is upgraded before it is read. All answers raise ImageError if
    these bytes are no image.
    """

    @cached_property
    def upgraded(self) -> Upgraded:
        """The native image, and which dialect this one has."""
        return upgrade(self)

    @cached_property
    def summary(self) -> Summary:
        """All of it, in words: what `cr info` prints."""
        found = self.upgraded
        summary = summarize(found.image)
        return replace(summary, dialect=found.dialect, size_bytes=len(self))

    @property
    def tasks(self) -> tuple[TaskInfo, ...]:
        """The tasks, in the order of the tree."""
        return self.summary.tasks

    @cached_property
    def records(self) -> tuple[Item, ...]:
        """Every record with its place, in the order of the stream."""
        return tuple(walk(self.upgraded.image))

    def __repr__(self) -> str:
        return f"<image of {len(self)} bytes>"
