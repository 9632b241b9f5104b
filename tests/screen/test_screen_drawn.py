"""The page as a browser draws it: digits, a visit without a touch, a bag in two touches, a restart."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest
from eyes import faults, measured
from PIL import Image
from playwright.sync_api import Page
from screen_people import LONG_S, Station
from screen_scenes import SCENES, setup, view
from shots import LANGUAGES, PANELS, browser_page, show

DARK = 100
"""Of 255: what is darker is ink."""


@pytest.fixture(scope="module")
def station() -> Iterator[Station]:
    running = Station(setup(4))
    running.screen.start()
    yield running
    running.screen.stop()


@pytest.fixture(scope="module", params=PANELS)
def page(request: pytest.FixtureRequest) -> Iterator[Page]:
    with browser_page(PANELS[request.param]) as opened:
        opened.set_default_timeout(LONG_S * 1000)
        opened.emulate_media(reduced_motion="reduce")
        yield opened


def test_the_digits_painted_are_as_high_as_they_are_reckoned(page: Page, station: Station) -> None:
    page.goto(f"{station.origin}/")
    for shown in (SCENES["weighing"][1], SCENES["recorded-full"][1], SCENES["thanks"][1]):
        show(page, station.screen, shown, "ja")
        reckoned = measured(page)["least"]["digits_px"]
        painted = Image.open(io.BytesIO(page.locator(".number:visible").screenshot())).convert("L")
        rows = [
            painted.crop((0, y, painted.width, y + 1)).getextrema()[0]
            for y in range(painted.height)
        ]
        top = bottom = len(rows) // 2
        while rows[top - 1] < DARK:
            top -= 1
        while rows[bottom] < DARK:
            bottom += 1
        assert 150 <= reckoned <= bottom - top <= reckoned + 12, shown.phase


def test_a_visit_needs_no_touch_and_ends_in_the_towns_language(
    page: Page, station: Station
) -> None:
    server = station.screen
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


def test_a_full_bin_is_changed_in_two_touches(page: Page, station: Station) -> None:
    station.screen.publish(SCENES["waiting-trouble"][1])
    page.goto(f"http://127.0.0.1:{station.screen.port}/")
    page.click('.tile[data-state="full"]')
    assert page.text_content("h1") == "この箱はいっぱいです。横の予備の袋に入れてください。"
    page.get_by_role("button", name="袋を替える").click()
    assert faults(page) == []
    page.get_by_role("button", name="替えました").click()
    assert station.touched.get(timeout=LONG_S) == ("bag_swap", "b2")
    page.wait_for_selector('[data-scene="waiting"]')


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_full_bin_without_a_scale_says_where_to_go_and_goes_on_counting(
    page: Page, station: Station, language: str
) -> None:
    page.goto(f"http://127.0.0.1:{station.screen.port}/")
    show(page, station.screen, SCENES["waiting-unweighed-full"][1], language)
    said = setup(4)
    overflow = said.bins["b4"].overflow[language]
    assert overflow in page.inner_text("#more"), "on the first page, before anyone touches a bin"
    page.click('.tile[data-state="full"]')
    assert overflow in page.inner_text("h1")
    assert faults(page) == []
    count, change, *_ = page.locator("#actions button").all()
    assert "first" in (change.get_attribute("class") or "")
    count.click()
    assert station.touched.get(timeout=LONG_S) == ("count", "b4")


@pytest.mark.parametrize("language", LANGUAGES)
def test_without_a_reader_nobody_is_asked_for_a_card_and_everybody_is_welcome(
    page: Page, station: Station, language: str
) -> None:
    server = station.screen
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
