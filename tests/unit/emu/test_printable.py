"""A guest's bytes in our sentences."""

import pytest

from emu.printable import printable


@pytest.mark.parametrize(
    ("content", "shown"),
    [
        (b"sh\0garbage", "sh"),
        (b"a\nb\33[31m\x07", r"a\nb\x1b[31m\x07"),
        (b"\xff\xfe", r"\xff\xfe"),
        ("größer".encode(), "größer"),
        ("\u202egpj\u2028".encode(), r"\u202egpj\u2028"),
    ],
)
def test_nothing_moves_the_cursor(content: bytes, shown: str) -> None:
    assert printable(content) == shown
