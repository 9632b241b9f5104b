"""docs/screens holds every state: one sheet each, told of in words, and none of a state that is no more."""

from __future__ import annotations

from pathlib import Path

from PIL import Image
from sheet_words import SAID, told
from sheets import SHEETS

KEPT = Path(__file__).parents[2] / "docs" / "screens"
MOST_BYTES = 8 << 20


def test_every_state_has_its_sheet_and_is_told_of() -> None:
    readme = (KEPT / "README.md").read_text("utf-8")
    assert sorted(SAID) == sorted(SHEETS)
    assert readme == told(readme), "python tests/screen/shots.py --keep"
    assert {one.stem for one in KEPT.glob("*.png")} == {*SHEETS, "weighing-ja-wide"}


def test_the_sheets_are_small_and_of_one_size() -> None:
    kept = [KEPT / f"{name}.png" for name in SHEETS]
    assert sum(one.stat().st_size for one in kept) <= MOST_BYTES
    sizes = set()
    for one in kept:
        with Image.open(one) as picture:
            sizes.add(picture.size)
    assert len(sizes) == 1
