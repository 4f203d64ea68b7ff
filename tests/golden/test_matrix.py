"""The table of `cr matrix` for its demo program, as a person has read it.

When it changes on purpose: `cr matrix guests/cpu/best_unit.c 4 > tests/golden/matrix.txt`.
"""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from cr.cli.main import cr
from guests.stories import find_story

PAGE = Path(__file__).parent / "matrix.txt"


def test_who_restarts_whose_image(tmp_path: Path) -> None:
    source, html = find_story("cpu/best_unit").path, tmp_path / "matrix.html"
    done = CliRunner().invoke(cr, ["matrix", "--html", str(html), str(source), "4"])
    assert done.exit_code == 0, done.output
    assert done.stdout == PAGE.read_text()
    page = html.read_text()
    assert f"{page.count('<td class=yes>restarts')} restart:" in done.stdout
    assert page.count("<td class=") == 17 * 21
    assert page.count("CPU: the task has used altivec, which this CPU lacks") == 9
