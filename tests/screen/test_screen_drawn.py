"""The page as a browser draws it: sizes, contrast, nothing cut off, and a visit without a touch.

Chromium draws, playwright asks it. What is measured is what contracts.md promises of the panel.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page
from screen_people import LONG_S, Station
from screen_scenes import SCENES, STATIONS, languages, setup, spoken, view
from shots import LANGUAGES, NAMES, PANELS, SPEAK, browser_page, publish, show

ENLARGED = (
    "waiting-trouble",
    "greeting-turn",
    "weighing-turn-other",
    "recorded-full",
    "thanks",
    "refused",
    "waiting-begin-ask",
    "weighing-heed",
    "weighing-heed-two",
    "longest-weighing",
    "closed-longest",
    "many-trouble",
)
MEASURE = (Path(__file__).parent / "measure.js").read_text("utf-8")
"""Finds what is too small, too pale or cut off, and says it in words."""


@pytest.fixture(scope="module")
def stations() -> Iterator[dict[int, Station]]:
    running = {bins: Station(setup(bins), languages=spoken(bins).languages) for bins in STATIONS}
    for station in running.values():
        station.screen.start()
    yield running
    for station in running.values():
        station.screen.stop()


@pytest.fixture(scope="module", params=PANELS)
def page(request: pytest.FixtureRequest) -> Iterator[Page]:
    with browser_page(PANELS[request.param]) as opened:
        opened.set_default_timeout(LONG_S * 1000)
        opened.emulate_media(reduced_motion="reduce")
        yield opened


@pytest.mark.parametrize("count", STATIONS)
def test_everything_can_be_read_and_touched_in_every_scene(
    page: Page, stations: dict[int, Station], count: int
) -> None:
    server = stations[count].screen
    page.goto(f"http://127.0.0.1:{server.port}/")
    for scene, (bins, shown) in SCENES.items():
        if bins != count:
            continue
        publish(page, server, shown)
        for language in languages(count):
            page.evaluate(SPEAK, NAMES[language])
            assert page.evaluate(MEASURE) == [], f"{scene} in {language}"


def test_enlarged_to_twice_its_size_nothing_is_lost_and_the_page_scrolls(
    page: Page, stations: dict[int, Station]
) -> None:
    usual = page.viewport_size
    assert usual is not None
    page.set_viewport_size({"width": usual["width"] // 2, "height": usual["height"] // 2})
    for count in STATIONS:
        page.goto(f"{stations[count].origin}/")
        for scene in ENLARGED:
            bins, shown = SCENES[scene]
            if bins == count:
                publish(page, stations[count].screen, shown)
                page.evaluate(SPEAK, NAMES["de" if count == 12 else "en"])
                assert page.evaluate(MEASURE, {"scrolls": True}) == [], scene
    page.set_viewport_size(usual)


def test_a_visit_needs_no_touch_and_ends_in_the_towns_language(
    page: Page, stations: dict[int, Station]
) -> None:
    server = stations[4].screen
    server.publish(view())
    page.goto(f"http://127.0.0.1:{server.port}/")
    show(page, server, view(phase="greeting", checkins=1, visits_open=1), "en")
    assert page.inner_text("h1") == "Hello. Please put it in"
    show(page, server, view(phase="recorded", bin="b1", net_g=420, visits_open=1), "en")
    assert page.text_content("h1") == "✓ PET bottle 0.42 kg (estimate) recorded"
    server.publish(view(phase="thanks", visit_g=2340, points=1))
    page.wait_for_selector('[data-scene="thanks"]')
    assert page.text_content("h1") == "Thank you. Today 2.3 kg (estimate), 1 point"
    server.publish(view())
    page.wait_for_selector('[data-scene="waiting"][data-language="ja"]')
    assert page.text_content("h1") == "カードをかざすか、そのまま入れてください"


def test_a_full_bin_is_changed_in_two_touches(page: Page, stations: dict[int, Station]) -> None:
    station = stations[4]
    station.screen.publish(SCENES["waiting-trouble"][1])
    page.goto(f"http://127.0.0.1:{station.screen.port}/")
    page.click('.tile[data-state="full"]')
    assert page.text_content("h1") == "この箱はいっぱいです。横の予備の袋に入れてください。"
    page.get_by_role("button", name="袋を替える").click()
    assert page.evaluate(MEASURE) == []
    page.get_by_role("button", name="替えました").click()
    assert station.touched.get(timeout=LONG_S) == ("bag_swap", "b2")
    page.wait_for_selector('[data-scene="waiting"]')


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_full_bin_without_a_scale_says_where_to_go_and_goes_on_counting(
    page: Page, stations: dict[int, Station], language: str
) -> None:
    station = stations[4]
    page.goto(f"http://127.0.0.1:{station.screen.port}/")
    show(page, station.screen, SCENES["waiting-unweighed-full"][1], language)
    said = setup(4)
    overflow = said.bins["b4"].overflow[language]
    assert overflow in page.inner_text("#more"), "on the first page, before anyone touches a bin"
    page.click('.tile[data-state="full"]')
    assert overflow in page.inner_text("h1")
    assert page.evaluate(MEASURE) == []
    count, change, *_ = page.locator("#actions button").all()
    assert "first" in (change.get_attribute("class") or "")
    count.click()
    assert station.touched.get(timeout=LONG_S) == ("count", "b4")


@pytest.mark.parametrize("language", LANGUAGES)
def test_without_a_reader_nobody_is_asked_for_a_card_and_everybody_is_welcome(
    page: Page, stations: dict[int, Station], language: str
) -> None:
    server = stations[4].screen
    server.publish(view())
    page.goto(f"http://127.0.0.1:{server.port}/")
    show(page, server, view(), language)
    usual = page.inner_text("h1")
    server.publish(view(cards_readable=False))
    page.wait_for_function("usual => document.querySelector('h1').innerText !== usual", arg=usual)
    assert "000-000-0000" in page.inner_text("#more")
    assert page.locator(".tile").count() == 4
    server.publish(view())
    page.wait_for_function("usual => document.querySelector('h1').innerText === usual", arg=usual)


def test_a_station_that_restarts_is_waited_for_calmly_and_comes_back(page: Page) -> None:
    first = Station(setup(4))
    first.screen.start()
    first.screen.publish(view())
    page.goto(f"{first.origin}/")
    page.wait_for_selector('[data-scene="waiting"]')
    first.screen.stop()
    page.wait_for_selector('[data-scene="reconnecting"]')
    assert page.text_content("h1") == "少しお待ちください。すぐに始まります"
    again = Station(setup(13), port=first.screen.port)
    again.screen.start()
    again.screen.publish(SCENES["many"][1])
    page.wait_for_selector(".tile >> nth=12")
    page.get_by_role("button", name="びん").click()
    page.get_by_role("button", name="いっぱいです").click()
    assert again.touched.get(timeout=LONG_S) == ("full", "b7")
    again.screen.stop()
