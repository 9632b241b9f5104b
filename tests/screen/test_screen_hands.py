"""Wet fingers, trembling ones, ears: what a touch is, and which tone goes with what the screen shows."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest
from playwright.sync_api import Page
from screen_people import LONG_S, Station
from screen_scenes import WAITING, bins, setup, view
from shots import PANELS, browser_page, publish

TONES = """window.tones = [];
const start = OscillatorNode.prototype.start;
OscillatorNode.prototype.start = function (when) {
  window.tones.push(this.frequency.value);
  return start.call(this, when);
};"""
"""Notes each tone that the browser is told to make, and lets it."""
TWICE = """(selectors) => {
  for (const selector of selectors) {
    const button = document.querySelector(selector);
    const { x, y } = button.getBoundingClientRect();
    const touch = { pointerId: 1, bubbles: true, button: 0, clientX: x + 50, clientY: y + 50 };
    button.dispatchEvent(new PointerEvent("pointerdown", touch));
    button.dispatchEvent(new PointerEvent("pointerup", touch));
  }
}"""
"""One finger after the other, with no time between."""
FULL = view(bins=bins(4, b2="full"))
SEEN, RECORDED, REFUSED, TROUBLE = [784], [659, 988], [440, 392], [330]


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with browser_page(PANELS["wide"]) as opened:
        opened.set_default_timeout(LONG_S * 1000)
        opened.add_init_script(TONES)
        yield opened


@pytest.fixture
def at_station(page: Page, station: Station) -> Station:
    station.screen.publish(WAITING)
    page.goto(f"{station.origin}/")
    publish(page, station.screen, WAITING)
    return station


def middle(page: Page, selector: str) -> tuple[float, float]:
    box = page.locator(selector).bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_a_finger_that_slides_on_its_button_counts_once(page: Page, at_station: Station) -> None:
    publish(page, at_station.screen, FULL)
    x, y = middle(page, '.tile[data-state="full"]')
    page.mouse.move(x - 60, y - 60)
    page.mouse.down()
    page.mouse.move(x + 60, y + 40, steps=6)
    page.mouse.up()
    page.wait_for_selector('[data-scene="opened-bin"]')


def test_a_finger_that_leaves_its_button_has_thought_better_of_it(
    page: Page, at_station: Station
) -> None:
    publish(page, at_station.screen, FULL)
    page.mouse.move(*middle(page, '.tile[data-state="full"]'))
    page.mouse.down()
    page.mouse.move(*middle(page, "h1"), steps=4)
    page.mouse.up()
    assert page.evaluate("document.body.dataset.scene") == "waiting"


def test_a_second_touch_in_the_same_breath_is_not_for_what_came_up_under_the_finger(
    page: Page, at_station: Station
) -> None:
    publish(page, at_station.screen, FULL)
    page.mouse.move(*middle(page, "h1"))  # a pointer is there
    page.evaluate(TWICE, ['.tile[data-state="full"]', ".action.first"])
    assert page.evaluate("document.body.dataset.scene") == "opened-bin", "not the bag's steps"
    page.click(".action.first")  # waits until the page hears again
    page.wait_for_selector('[data-scene="opened-bag"]')


def test_keys_do_what_fingers_do(page: Page, at_station: Station) -> None:
    publish(page, at_station.screen, FULL)
    page.focus('.tile[data-state="full"]')
    page.keyboard.press("Enter")
    page.wait_for_selector('[data-scene="opened-bin"]')
    page.focus(".action.first")
    page.keyboard.press("Enter")
    page.focus(".action.first")
    page.keyboard.press("Space")
    assert at_station.touched.get(timeout=LONG_S) == ("bag_swap", "b2")


def test_what_a_touch_opened_gives_way_to_whoever_comes(page: Page, at_station: Station) -> None:
    for came in (view(phase="greeting", checkins=1), view(phase="weighing", bin="b2", live_g=90)):
        publish(page, at_station.screen, FULL)
        page.click('.tile[data-state="full"]')
        page.wait_for_selector('[data-scene="opened-bin"]')
        publish(page, at_station.screen, came)
        assert page.evaluate("document.body.dataset.scene") == came.phase


def test_each_thing_that_happens_has_its_tone_once(page: Page, at_station: Station) -> None:
    screen = at_station.screen
    assert page.evaluate("tones") == [], "the first view of a line is no event"
    story = [
        (view(phase="greeting", checkins=1, visits_open=1), SEEN),
        (view(phase="weighing", bin="b1", live_g=420, checkins=1), []),
        (view(phase="recorded", bin="b1", net_g=420, checkins=1, records=1), RECORDED),
        (view(phase="recorded", bin="b1", net_g=420, checkins=2, records=1), SEEN),
        (view(phase="refused", checkins=2, records=1, refusals=1), REFUSED),
        (
            view(phase="weighing", bin="b2", checkins=2, records=1, refusals=1, bins=FULL.bins),
            TROUBLE,
        ),
        (view(phase="weighing", bin="b2", checkins=2, records=1, refusals=1, bins=FULL.bins), []),
        (view(checkins=2, records=1, refusals=1), []),
        (view(checkins=2, records=1, refusals=1, storage_trouble=True), TROUBLE),
        (view(phase="recorded", bin="b1", net_g=90, checkins=3, records=2, refusals=1), RECORDED),
    ]
    for shown, tones in story:
        page.evaluate("tones.length = 0")
        publish(page, screen, shown)
        assert page.evaluate("tones") == tones, shown.phase


def test_in_the_quiet_hours_nothing_sounds(page: Page, at_station: Station) -> None:
    publish(page, at_station.screen, view(phase="greeting", checkins=1, visits_open=1, quiet=True))
    publish(page, at_station.screen, view(phase="refused", checkins=1, refusals=1, quiet=True))
    assert page.evaluate("tones") == []


def test_a_station_with_its_own_buzzer_leaves_the_tones_to_it(page: Page) -> None:
    station = Station(msgspec.structs.replace(setup(4), tones=False))
    station.screen.start()
    station.screen.publish(WAITING)
    page.goto(f"{station.origin}/")
    publish(page, station.screen, WAITING)
    publish(page, station.screen, view(phase="greeting", checkins=1, visits_open=1))
    assert page.evaluate("tones") == []
    station.screen.stop()


def test_no_greeting_is_lost_and_none_is_made_twice(page: Page, at_station: Station) -> None:
    publish(page, at_station.screen, view(phase="greeting", turn=3, greetings=(3,), checkins=1))
    assert page.inner_text("#turn .mark") == "3"
    weighing = view(phase="weighing", bin="b1", live_g=420, turn=3, greetings=(3, 4), checkins=2)
    publish(page, at_station.screen, weighing)
    assert page.inner_text("#turn .mark") == "3"
    assert page.locator("#greeted .mark").all_inner_texts() == ["4"]
    publish(page, at_station.screen, view(phase="weighing", bin="b1", turn=4, checkins=2))
    assert page.inner_text("#turn .mark") == "4"
    assert page.is_hidden("#greeted")
