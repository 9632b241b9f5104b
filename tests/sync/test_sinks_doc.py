"""The sink that docs/sinks.md shows is run as it stands there."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import sqlalchemy as sa
from city_site import Program, eventually
from sink_site import a_day, store_all
from sync_site import Book

PAGE = Path(__file__).parents[2] / "docs/sinks.md"


def test_the_example_of_a_towns_own_sink_does_what_the_page_says(
    city: sa.Engine, tmp_path: Path
) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S)
    script, days = tmp_path / "own.py", tmp_path / "days.json"
    script.write_text(code, encoding="utf-8")
    book = Book()
    a_day(book)
    store_all(city, book)
    url = city.url.render_as_string(hide_password=False)
    program = Program(tmp_path / "own.log", sys.executable, script, url, days)
    try:
        eventually(days.exists, "the file of days")
        assert program.terminate() == 0
    finally:
        program.kill()
    assert json.loads(days.read_text(encoding="utf-8")) == {
        "hall-1 20717 can": None,
        "hall-1 20717 pet-bottle": 400,
    }
