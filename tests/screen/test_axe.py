"""axe-core over every scene: nothing that keeps somebody who hears, zooms or uses keys from the page.

All of its rules, WCAG's and its best practices. It is put into the page by the browser's own debugger,
which the page's content security policy does not bind. In its small size each scene is looked at once, by
turns in one language and orientation, and without the rule on contrast, which takes most of the time and
which measure.js reckons for every text anyway; with ``KIOSK_SEARCH_SIZE`` of 2 or more every scene in
Japanese and English, both orientations, all rules.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from importlib import resources
from typing import Any

import pytest
from corner_scenes import SCENES as CORNER
from playwright.sync_api import Page
from screen_people import LONG_S, Station
from screen_scenes import SCENES, STATIONS, setup, spoken
from shots import NAMES, PANELS, SPEAK, browser_page, publish
from test_corner_drawn import before

AXE = (resources.files("axe_playwright_python") / "axe.min.js").read_text("utf-8")
WHOLE = int(os.environ.get("KIOSK_SEARCH_SIZE", "1")) > 1
RUN = """async (whole) => {
  const rules = { "color-contrast": { enabled: whole } };
  const { violations } = await axe.run(document, { rules, resultTypes: ["violations"], iframes: false });
  return violations.map(({ id, help, nodes }) => [id, help, nodes.map((one) => one.html).slice(0, 3)]);
}"""
SPOKEN = ("ja", "en")


@pytest.fixture(scope="module", params=PANELS)
def panel(request: pytest.FixtureRequest) -> Iterator[tuple[int, Page]]:
    """The orientation's place and the page."""
    with browser_page(PANELS[request.param]) as opened:
        opened.set_default_timeout(LONG_S * 1000)
        opened.emulate_media(reduced_motion="reduce")
        yield list(PANELS).index(request.param), opened


def violations(page: Page) -> Any:
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(AXE)
    return page.evaluate(RUN, WHOLE)


def languages(panel: int, place: int) -> tuple[str, ...]:
    """In which the scene at this place is looked at on this panel."""
    if WHOLE:
        return SPOKEN
    return (SPOKEN[place // 2 % 2],) if place % 2 == panel else ()


def test_no_scene_keeps_anybody_out(panel: tuple[int, Page]) -> None:
    orientation, page = panel
    found = []
    for count in STATIONS:
        station = Station(setup(count), languages=spoken(count).languages)
        station.screen.start()
        page.goto(f"{station.origin}/")
        for place, (scene, (bins, shown)) in enumerate(SCENES.items()):
            for language in languages(orientation, place) if bins == count else ():
                publish(page, station.screen, shown)
                page.evaluate(SPEAK, NAMES[language])
                found += [(scene, language, *one) for one in violations(page)]
        station.screen.stop()
    assert found == [], json.dumps(found, ensure_ascii=False, indent=1)


def test_no_page_of_the_corner_keeps_a_caretaker_out(panel: tuple[int, Page]) -> None:
    orientation, page = panel
    found = []
    for count in (4, 13):
        for corner in before(page, count):
            for place, (name, scene) in enumerate(CORNER.items()):
                for language in languages(orientation, place) if scene.count == count else ():
                    corner.come_to(scene)
                    corner.speak(language)
                    found += [(name, language, *one) for one in violations(page)]
    assert found == [], json.dumps(found, ensure_ascii=False, indent=1)
