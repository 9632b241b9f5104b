"""The town behind the station, drawn: a quiet strip, a large page, and nobody's way to a bin is barred."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from eyes import faults
from playwright.sync_api import Page
from screen_people import Station
from screen_scenes import LONG, bins, setup, spoken, view
from shots import LANGUAGES, PANELS, show
from town_scenes import EMPTY, cards, value

from kiosk.noticeboard.told import TownTold

SOME = ("notice", "happenings", "helpers", "bought", "shelf", "pet-bottle", "carton", "clothes")
"""Cards of every kind; the other items' differ in their words only."""


@pytest.fixture
def station(request: pytest.FixtureRequest, page: Page) -> Iterator[Station]:
    running = Station(setup(getattr(request, "param", 4)))
    running.screen.start()
    page.set_viewport_size(PANELS["wide"])
    page.goto(f"{running.origin}/")
    yield running
    running.screen.stop()


def told(page: Page, station: Station, town: TownTold) -> None:
    """The station tells of the town, and the page has heard it."""
    station.screen.tell("town", EMPTY)
    page.wait_for_selector(".strip", state="hidden")
    station.screen.tell("town", town)
    page.wait_for_selector(".strip")


def press(page: Page, selector: str) -> None:
    """A touch whose drawing is done when this returns. Waits for what it touches."""
    page.wait_for_selector(f"{selector}:enabled")
    page.evaluate("selector => document.querySelector(selector).click()", selector)


@pytest.mark.parametrize("panel", PANELS)
def test_co2_stands_beside_its_grade_and_source_and_says_over_how_many(
    page: Page, station: Station, panel: str
) -> None:
    page.set_viewport_size(PANELS[panel])
    show(page, station.screen, view(), "en")
    town = value()
    told(page, station, town)
    page.click(".strip")
    seen: list[str] = []
    while not page.inner_text("#town h1").startswith("CO"):
        seen.append(page.inner_text("#town"))
        assert len(seen) < 20
        page.get_by_role("button", name="Next").click()
        page.wait_for_function(
            "was => document.querySelector('#town .page').innerText !== was", arg=seen[-1]
        )
    assert faults(page) == []
    said = page.inner_text("#town")
    assert "Over 3 of the 3 items weighed" in said
    assert "ministry: the environment ministry, at second hand" in said
    assert "industry: the PET bottle council (2019)" in said
    (cartons,) = [one for one in seen if "Paper carton" in one]
    assert "CO₂ —" in cartons, "no factor, no number"
    assert not any("0.00 kg" in one or "\n0 " in one for one in seen)


def test_one_card_at_a_time_and_another_after_a_while(page: Page, station: Station) -> None:
    page.clock.install()
    page.reload()
    show(page, station.screen, view(), "ja")
    told(page, station, value())
    first = page.inner_text(".strip")
    page.clock.run_for(11_000)
    assert page.inner_text(".strip") == first
    page.clock.run_for(2_000)
    assert page.inner_text(".strip") != first
    assert page.locator(".strip").count() == 1
    moving = "document.querySelector('#town').getAnimations({subtree: true}).length"
    assert page.evaluate(moving) == 0, "reduced motion"


def test_whoever_comes_has_the_screen_at_once_and_sees_what_becomes_of_the_drop(
    page: Page, station: Station
) -> None:
    screen = station.screen
    show(page, screen, view(), "ja")
    told(page, station, value())
    page.click(".strip")
    page.wait_for_selector('[data-scene="town"]')
    assert not page.is_visible("main")
    screen.publish(view(phase="greeting", checkins=1, visits_open=1))
    page.wait_for_selector('[data-scene="greeting"]')
    assert page.is_visible("main") and not page.is_visible("#town")
    screen.publish(view(phase="recorded", checkins=1, bin="b2", net_g=420, visits_open=1))
    page.wait_for_selector('[data-scene="recorded"]')
    assert not page.is_visible("#town")
    screen.publish(view(phase="thanks", checkins=1, visit_g=420))
    page.wait_for_selector('[data-scene="thanks"] .strip')
    assert "またアルミ缶になります" in page.inner_text(".strip")
    screen.publish(view(checkins=1))
    page.wait_for_selector('[data-scene="waiting"]')
    assert "またアルミ缶になります" in page.inner_text(".strip")
    page.click(".strip")
    page.wait_for_selector('[data-scene="town"]')
    screen.publish(view(phase="weighing", checkins=1, bin="b1", live_g=100))
    page.wait_for_selector('[data-scene="weighing"]')
    assert not page.is_visible("#town")


def test_a_towns_own_language_has_its_notice_or_the_one_it_is_like_has(page: Page) -> None:
    """The station of the longest names: its page speaks Portuguese and German too, both like English."""
    running = Station(setup(LONG), languages=spoken(LONG).languages)
    running.screen.start()
    try:
        page.goto(f"{running.origin}/")
        show(page, running.screen, view(bins=bins(LONG)), "ja")
        words = {"ja": "休みです", "easy": "やすみです", "en": "Closed", "pt": "Fechado amanhã"}
        told(page, running, cards(value(notices=(words,)))["notice"])
        read = {}
        for code in ("pt", "de", "easy"):
            press(
                page, f'.language[lang^="{code}"]' if code != "easy" else ".language:nth-child(2)"
            )
            read[code] = page.inner_text(".strip")
        assert [words[code] in read[on] for code, on in (("pt", "pt"), ("en", "de"))] == [
            True,
            True,
        ]
        assert words["easy"] in read["easy"]
    finally:
        running.screen.stop()


def test_what_people_wrote_is_text_and_never_markup(page: Page, station: Station) -> None:
    show(page, station.screen, view(), "ja")
    words = dict.fromkeys(LANGUAGES, "<img src=x onerror=alert(1)><b>お知らせ</b>")
    told(page, station, cards(value(notices=(words,)))["notice"])
    assert "<b>お知らせ</b>" in page.inner_text(".strip")
    assert page.locator("#town img").count() == 0
