"""The lengths of the records in real images of each dialect are those that linux-cr's headers had.

Not the sizes that our classes declare: what lies in the images, record by record.
"""

from __future__ import annotations

from functools import cache

import pytest

from cr.image.dialects.table import find
from cr.tools.convert import convert
from tests.dialects.old_images import halfway

SPECIMENS = (
    ("basics/counter", 3),
    ("files/pipe", 30),
    ("sockets/full", 12),
    ("terminals/canonical", 25),
    ("ipc/messages", 13),
    ("ipc/semaphores", 8),
    ("ipc/shared_segment", 6),
)
FRAMED = {
    "v18": """
        1:72 101:16 102:72 103:16 104:24 105:56 107:240 108:16 109:400 110:56 113:88 114:16 116:16
        302:24 304:40,48 306:72 307:560 401:120 402:72 403:16 404:24 501:16 502:112 503:112 504:16
        505:80 601:2056 602:328 603:16 604:24 701:112 702:16 703:16 704:256 9001:16
    """,
    "v20": """
        1:72 3:8 101:16 102:64 103:16 104:32 105:56 107:192 108:16 109:400 110:56 114:96 115:16
        117:16 302:24 304:48,56 306:72 307:560 401:120 402:72 403:16 404:24 451:8 501:16 502:120
        503:120 504:24 505:88 601:2056 602:328 603:16 604:24 701:112 702:16 703:104 705:256 9001:16
    """,
    "v21": """
        1:72 3:8 101:16 102:64 103:16 104:32 105:56 107:192 108:24 109:400 110:56 114:96 115:16
        117:16 302:24 304:48,56 306:72 307:560 401:120 402:72 403:16 404:24 451:8 501:16 502:120
        503:120 504:24 505:88 601:2056 602:328 603:16 604:24 701:112 702:16 703:104 705:256 9001:16
    """,
    "v23-rc1": """
        1:72 3:8 101:16 102:80 103:16 104:32 105:56 107:192 108:24 109:400 110:56 114:96 115:16
        117:16 302:24 304:48,56 306:72 307:560 401:120 402:72 403:16 404:24 451:16 501:16 502:120
        503:120 504:24 505:88 601:2056 602:328 603:16 604:24 701:120 702:16 703:104 705:256 9001:16
    """,
    "v17": "1:72 101:16 107:240 304:40,48 401:120 402:72 403:16 601:2056 9001:16",
    "v16": "1:48 101:16 107:240 304:40,48 401:120 402:72 403:16 9001:16",
}
"""Type and length, frame and all: numbering and sizes as the headers of those days had them."""
RAW = {
    "v13": """
        1:224 2:8 101:8 102:24 4:16 103:8 104:272 201:96 202:48 203:8 204:8 301:8 302:16 303:24
        5001:8
    """,
    "v9": """
        1:224 2:8 101:8 102:24 3:16 103:8 104:272 201:96 202:48 203:8 204:8 301:8 302:16 303:24
        5001:8
    """,
    "v8": "1:224 101:24 2:16 102:8 103:784 201:96 202:48 203:8 204:8 301:8 302:16 303:24 5001:8",
    "v1": "201:96 202:48 203:4",
}
"""Type and length of the payload."""


def wanted(table: str) -> dict[int, set[int]]:
    pairs = (word.split(":") for word in table.split())
    return {int(kind): {int(size) for size in sizes.split(",")} for kind, sizes in pairs}


@cache
def lengths(name: str, specimens: tuple[tuple[str, int], ...]) -> dict[int, set[int]]:
    found: dict[int, set[int]] = {}
    dialect = find(name)
    lead = 0 if dialect.frame_bits == 32 else 8
    for story, calls in specimens:
        image = convert(halfway("x86_32", story, calls).native, name).image
        for place in dialect.places(image):
            found.setdefault(place.type_no, set()).add(place.end - place.begin - lead)
    return found


@pytest.mark.parametrize("name", FRAMED)
def test_records_of_2009_and_2010(name: str) -> None:
    young = name in ("v16", "v17")
    specimens = SPECIMENS[:2] if young else SPECIMENS
    found = lengths(name, specimens)
    for kind, sizes in wanted(FRAMED[name]).items():
        assert found.get(kind) == sizes, kind


@pytest.mark.parametrize("name", RAW)
def test_records_of_2008(name: str) -> None:
    found = lengths(name, SPECIMENS[:1])
    for kind, sizes in wanted(RAW[name]).items():
        assert found.get(kind) == sizes, kind


@pytest.mark.parametrize("name", ["v18", "v20", "v21", "v23-rc1"])
def test_no_record_is_of_a_number_that_the_version_had_not(name: str) -> None:
    """All but those of variable length, which the tables above leave out, are in them."""
    variable = {2, 3, 4, 5, 6, 7, 106, 111, 112, 115, 116, 201, 202, 301, 303, 305, 308}
    known = set(wanted(FRAMED[name])) | variable
    assert set(lengths(name, SPECIMENS)) <= known
