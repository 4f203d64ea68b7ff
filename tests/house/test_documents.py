"""Generated documents are what would be generated now."""

from pathlib import Path

import pytest

from cr.cli.documents import documents

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.mark.parametrize("name", sorted(documents()))
def test_a_generated_document_is_fresh(name: str) -> None:
    assert (DOCS / name).read_text(encoding="utf-8") == documents()[name], "run `make docs`"
