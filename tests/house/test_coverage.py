"""docs/COVERAGE.md: every row of the original's checklist, and nothing in it that is not there."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROWS = 115


def rows() -> list[list[str]]:
    lines = (ROOT / "docs" / "COVERAGE.md").read_text().splitlines()
    return [line.strip("|").split("|") for line in lines if re.match(r"\| \d", line)]


def test_every_row_is_there_once() -> None:
    assert [int(row[0]) for row in rows()] == list(range(1, ROWS + 1))
    assert all(len(row) == 4 and row[2].strip() for row in rows())


def test_what_it_names_exists() -> None:
    for row in rows():
        for named in re.findall(r"`([^`]+)`", row[3]):
            path, _, test = named.partition("::")
            assert (ROOT / path).is_file(), f"row {row[0]}: there is no {path}"
            assert not test or f"def {test}(" in (ROOT / path).read_text(), f"{path} has no {test}"


def test_what_works_is_shown() -> None:
    for row in rows():
        if row[2].strip().startswith("yes"):
            assert "`" in row[3], f"row {row[0]} says yes, and shows nothing"
