"""The page as it is sent: its words, its weight, and that it asks for nothing elsewhere."""

from __future__ import annotations

import json
import re
from importlib import resources
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest
from screen_people import Browser, Station
from screen_scenes import CATALOGUE, setup

from kiosk import catalogue
from kiosk.core.catalogue import Hazard
from kiosk.core.errors import OperatorError
from kiosk.core.view import Full, Phase
from kiosk.noticeboard.pictures import SYMBOL
from kiosk.screen import page, texts

PATHS = ("/", *(f"/{name}" for name in (*page.SCRIPTS, *page.STYLES)), "/favicon.ico")
MOST_BYTES = 300_000
ASSETS = resources.files("kiosk.screen.assets")
PICTOGRAMS = (ASSETS / "pictograms.svg").read_text("utf-8")
TOWN_PICTOGRAMS = (ASSETS / "town.svg").read_text("utf-8")
PLAY_PICTOGRAMS = (ASSETS / "play.svg").read_text("utf-8")


def script(*names: str) -> str:
    """The text of the scripts ``names``, or of all."""
    return "\n".join((ASSETS / name).read_text("utf-8") for name in names or page.SCRIPTS)


def sent_setup(page: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="setup">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    read: dict[str, Any] = json.loads(found[1])
    return read


def test_the_whole_page_weighs_little(browser: Browser) -> None:
    answers = [browser.ask("GET", path) for path in PATHS]
    assert [answer.status for answer in answers] == [200] * len(PATHS)
    assert sum(len(answer.body.encode()) for answer in answers) <= MOST_BYTES


def test_the_page_asks_for_nothing_from_elsewhere(browser: Browser) -> None:
    for path in PATHS:
        body = browser.ask("GET", path).body
        namespace = "http://www.w3.org/2000/svg"  # a name, fetched by nobody
        assert (
            re.findall(r"(?:https?:|wss?:|data:)?//[a-z][\w.-]+", body.replace(namespace, "")) == []
        ), path
        assert "@import" not in body
        assert " style=" not in body


def test_a_hostile_station_name_is_only_a_name() -> None:
    evil = "</script><script>alert(1)</script>"
    station = Station(msgspec.structs.replace(setup(4), station=evil))
    station.screen.start()
    page = Browser(station).ask("GET", "/").body
    station.screen.stop()
    assert "<script>alert" not in page
    assert sent_setup(page)["setup"]["station"] == evil


def test_all_languages_say_the_same_things() -> None:
    languages = texts.load()
    assert [language.code for language in languages] == ["ja", "easy", "en"]
    for table in texts.TABLES:
        measure = getattr(languages[0], table)
        for language in languages:
            said = getattr(language, table)
            assert said.keys() == measure.keys()
            for key, sentence in said.items():
                assert texts.placeholders(sentence) == texts.placeholders(measure[key]), key


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"waiting": None}, 'lacks "words.waiting"'),
        ({"more": "x"}, 'unknown sentence "words.more"'),
        ({"refused": "call {somebody}"}, 'other placeholders in "words.refused" than contact'),
        ({"small": " "}, 'says nothing for "words.small"'),
    ],
)
def test_a_town_that_forgets_a_sentence_is_told_which(
    change: dict[str, str | None], said: str
) -> None:
    measure = texts.load()[0]
    words = {k: v for k, v in {**measure.words, **change}.items() if v is not None}
    with pytest.raises(OperatorError, match=re.escape(said)):
        texts.check(msgspec.structs.replace(measure, code="town", words=words), measure)


def test_every_sentence_is_used_and_every_used_sentence_exists() -> None:
    drawn = script("screen.js", "scenes.js", "moment.js")
    used = set(re.findall(r"\bsaid\.([a-z_]+)", drawn))
    badges = re.search(r"const BADGES = \{(.*?)\};", drawn, re.DOTALL)
    assert badges is not None
    used |= set(re.findall(r'words: "([a-z_]+)"', badges[1]))
    used |= {f"part_{table}" for table in texts.TABLES if table != "words"}
    used |= {f"hazard_{one.replace('-', '_')}" for one in get_args(Hazard)}
    used |= {f"full_{why}" for why in get_args(Full)}
    assert used == set(texts.load()[0].words)


def test_residents_never_read_what_would_frighten_them() -> None:
    for language in texts.load():
        for sentence in language.words.values():
            assert not re.search(r"provisional|error|\b0 g\b|エラー|仮", sentence, re.IGNORECASE)


def test_no_words_for_people_stand_in_the_scripts() -> None:
    for name in page.SCRIPTS:
        code = re.sub(r"//.*|/\*.*?\*/", "", script(name))
        assert set(re.findall(r"[\u3040-\u30ff\u4e00-\u9fff]+", code)) <= {"・・・"}, name


def test_every_phase_has_a_scene() -> None:
    drawn = set(re.findall(r'case "([a-z_]+)"', script("scenes.js"))) | {"closed"}
    assert set(get_args(Phase)) <= drawn


def test_every_item_of_the_usual_catalogue_has_a_picture_of_its_own_and_every_hazard() -> None:
    symbols = re.findall(r'<symbol id="([a-z-]+)"(.*?)</symbol>', PICTOGRAMS, re.DOTALL)
    assert set(catalogue.load(CATALOGUE).items) <= {name for name, _ in symbols}
    assert {f"hazard-{one}" for one in get_args(Hazard)} <= {name for name, _ in symbols}
    assert len({drawn for _, drawn in symbols}) == len(symbols), "two things share a picture"


def test_every_picture_that_a_scene_names_is_drawn_and_none_is_drawn_for_nothing() -> None:
    symbols = set(SYMBOL.findall(PICTOGRAMS))
    scripts = script()
    quoted = set(re.findall(r'"([a-z-]+)"', scripts))
    named = set(re.findall(r'\bpictures: \["([a-z-]+)"', scripts))
    named |= set(re.findall(r'\b(?:picture|sign): "([a-z-]+)"', scripts))
    assert named <= symbols | set(SYMBOL.findall(TOWN_PICTOGRAMS + PLAY_PICTOGRAMS))
    spoken = set(catalogue.load(CATALOGUE).items) | {f"hazard-{one}" for one in get_args(Hazard)}
    assert symbols - spoken <= quoted, "drawn, and never shown"


def test_the_page_knows_only_this_stations_items(browser: Browser) -> None:
    sent = sent_setup(browser.ask("GET", "/").body)
    assert list(sent["setup"]["items"]) == ["pet-bottle", "can-alu", "carton", "clothes"]
    assert sent["setup"]["bins"]["b1"]["overflow"]["ja"] == "横の予備の袋"


def test_the_kept_pictures_are_small() -> None:
    kept = list((Path(__file__).parents[2] / "docs" / "screens").glob("*.png"))
    assert kept
    assert all(picture.stat().st_size <= 150_000 for picture in kept)
