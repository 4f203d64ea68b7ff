"""Subjects: stories as `cr sweep` sees programs, as files of the host."""

from collections.abc import Callable

import pytest

from cr.testing.subject import Subject
from guests.stories import ENVIRONMENT, find_story
from tests.harness.model import program_bytes

Subjects = Callable[[str, str], Subject]


@pytest.fixture(scope="session")
def subjects(tmp_path_factory: pytest.TempPathFactory) -> Subjects:
    folder = tmp_path_factory.mktemp("subjects")

    def subject(name: str, arch: str) -> Subject:
        story = find_story(name)
        target = folder / arch / story.path.stem
        if not target.exists():
            target.parent.mkdir(exist_ok=True)
            target.write_bytes(program_bytes(story.path, arch, story.builds[0] == "freestanding"))
        return Subject(
            program=str(target),
            arguments=story.args,
            env=tuple(ENVIRONMENT.items()),
            typed=story.stdin.encode(),
            memory_bytes=64 << 20,
        )

    return subject
