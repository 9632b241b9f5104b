"""Signs and labels: everything of the usual catalogue fits, and what is printed can be read back."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import msgspec
import pypdfium2
import pytest

from kiosk import catalogue
from kiosk.cards.printing import fonts
from kiosk.cards.printing.shapes import Box, Text
from kiosk.cli import main
from kiosk.core.catalogue import Catalogue
from kiosk.screen.texts.town import Spoken, spoken
from kiosk.settings import Settings, load
from kiosk.signs import paper, pictograms, sign, station
from kiosk.signs.paper import Page
from kiosk.signs.pictograms import Picture

ROOT = Path(__file__).parents[2]
CATALOGUE = catalogue.load(ROOT / "config/catalogue.toml")
SPOKEN = spoken(None)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load(usual(tmp_path))


def usual(folder: Path) -> Path:
    """The usual station's file, with the usual catalogue beside it."""
    for name in ("station.toml", "catalogue.toml"):
        (folder / name).write_bytes((ROOT / "config" / name).read_bytes())
    return folder / "station.toml"


def texts(page: Page) -> list[Text]:
    return [one for one in page.shapes if isinstance(one, Text)]


def with_hazards(code: str, *hazards: str) -> Catalogue:
    """The same catalogue, where an item has these hazards."""
    item = msgspec.structs.replace(CATALOGUE.items[code], hazard=hazards[0], also=hazards[1:])
    return msgspec.structs.replace(CATALOGUE, items={**CATALOGUE.items, code: item})


@pytest.mark.parametrize("code", CATALOGUE.items)
def test_every_items_sign_fits_its_page_with_the_longest_hazards(
    settings: Settings, code: str
) -> None:
    bin_ = msgspec.structs.replace(settings.bins[0], item=code)
    for items in (CATALOGUE, with_hazards(code, "fire-stop", "spray-can", "needle")):
        page = sign.page(station.sign_of(bin_, settings, items, SPOKEN))
        bands = [one.y for one in page.shapes if isinstance(one, Box) and one.y > 10]
        assert len(bands) == min(sign.MAX_HAZARDS, len(items.items[code].hazards))
        for text in texts(page):
            end = text.x + fonts.width(text.text, text.size, text.weight)
            assert end <= page.width - 5 and "…" not in text.text, text.text
        names = [one for one in texts(page) if one.x == sign.COLUMN]
        for above, below in itertools.pairwise(names):
            assert below.y - above.y >= 0.95 * below.size, f"{above.text} / {below.text}"
        assert names[-1].y < min(bands, default=page.height - 12)


def test_every_pictogram_of_the_screen_can_be_printed() -> None:
    pages = [
        Page(150, 100, (Picture(10, 10, 80, symbol),)) for symbol in pictograms.symbols().values()
    ]
    read = pypdfium2.PdfDocument(paper.document(pages, "all"))
    assert len(read) == len(pages) > 30
    for number, name in enumerate(pictograms.symbols()):
        picture = read[number].render(scale=0.5).to_pil().convert("L")
        dark = sum(1 for level in picture.tobytes() if level < 160)
        assert dark > 40, f"{name} is nearly nothing"


def test_a_drawing_keeps_its_place_on_smaller_paper(settings: Settings) -> None:
    whole = list(station.pages(settings, CATALOGUE, SPOKEN, paper="a5"))
    assert {(round(p.width), round(p.height)) for p in whole} == {(210, 148), (210, 297)}
    assert all(0 <= one.x <= p.width for p in whole for one in p.shapes)


def test_a_station_prints_its_signs_and_labels_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config, out = usual(tmp_path), tmp_path / "signs.pdf"
    call = ["print", "labels", str(out), "--config", str(config), "--json"]
    assert main(call) == 0
    said = json.loads(capsys.readouterr().out)
    assert said == {"file": str(out), "pages": 6, "signs": ["b1", "b2", "b3", "b4"]}
    pages = [page.get_textpage().get_text_bounded() for page in pypdfium2.PdfDocument(out)]
    assert "ペット" in pages[0] and "PET bottle" in pages[0] and "b1" in pages[0]
    assert "人は のらないで" in pages[4].replace("\r\n", "") and pages[4].count("Do not stand") == 2
    assert pages[5].count("b4") == 2, "one for the bin, one for its lamp"
    before = out.read_bytes()
    assert main(call) == 2 and out.read_bytes() == before, "a name that is taken is refused"
    assert main(["print", "labels", str(tmp_path / "x.png"), "--config", str(config)]) == 2


def test_signs_say_what_the_town_says(tmp_path: Path, settings: Settings) -> None:
    folder = tmp_path / "texts"
    folder.mkdir()
    (folder / "ours.toml").write_text(
        'code = "ja"\n[items.can-alu]\nname = "空き缶"\nshort = ["空き", "缶"]\noverflow = "裏の棚"\n'
    )
    said: Spoken = spoken(folder, CATALOGUE)
    made = station.sign_of(settings.bins[1], settings, CATALOGUE, said)
    assert (made.short, made.full["ja"]) == (("空き", "缶"), "いっぱいのときは：裏の棚")


def test_letters_that_the_paper_has_not_are_named_and_no_half_empty_sign_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = usual(tmp_path)
    before = file.read_text("utf-8")
    file.write_text(before.replace('name = "', 'name = "🐟שלום ', 1), "utf-8")
    out = tmp_path / "signs.pdf"
    assert main(["print", "labels", str(out), "--config", str(file), "--json"]) == 2
    told = json.loads(capsys.readouterr().out)["error"]
    assert told["code"] == "letters_unprinted" and "🐟" in told["what"] and "ש" in told["what"]
    assert not out.exists()
