"""The caretaker's pages as a browser draws them: what touches send, what they leave."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

import msgspec
import pytest
from corner_scenes import (
    ADJUST,
    BAG,
    BROKEN,
    CLEAN,
    DOCTOR,
    GATE,
    OPEN,
    SCALE,
    SCENES,
    Caretaker,
    Scene,
    foot,
    tile,
)
from eyes import faults
from playwright.sync_api import Page
from screen_people import LONG_S
from screen_scenes import bins, setup, spoken, view
from shots import LANGUAGES, PANELS, browser_page
from test_screen_page import script
from test_screen_slow import until

from kiosk.core.orders import Close, Message
from kiosk.core.view import View
from kiosk.corner import shapes
from kiosk.corner.desk import REASON, SENTENCE
from kiosk.screen import ScreenServer, texts


@dataclass
class Corner:
    """A screen whose caretaker stands before a browser. Fingers are quick here: no touch is waited for."""

    page: Page
    server: ScreenServer
    caretaker: Caretaker

    def come_to(self, scene: Scene) -> None:
        """From a closed corner by the scene's touches."""
        before = self.page.inner_text("#corner")
        self.caretaker.scene = scene
        self.caretaker.touched.clear()
        self.tell(None, view(corner="closed", bins=scene.shown.bins))
        self.page.wait_for_function("() => document.querySelector('#corner').hidden")
        self.tell(scene.job, scene.shown)
        if scene.shown.corner == "aside":
            self.page.wait_for_function("() => document.querySelector('#caretaker .care')")
            return
        self.page.wait_for_function("() => !document.querySelector('#corner').hidden")
        if scene.job is not None:
            # The job before it may be heard once more: that is not yet this one.
            self.page.wait_for_function(
                """before => !document.querySelector('#corner .tiles')
                    && document.querySelector('#corner').innerText !== before""",
                arg=before,
            )
        for place in scene.touches:
            self.touch(*place)
        if scene.then is not None:
            self.server.publish(scene.then)
            self.page.wait_for_function(
                "() => document.querySelector('#corner .weight, #corner[data-care=true]')"
            )

    def tell(self, job: object, shown: View) -> None:
        self.server.tell("corner", {"job": job})
        self.server.publish(shown)

    def touch(self, place: str, number: int = 0) -> None:
        """Waits until the page has drawn what followed."""
        self.page.evaluate(
            """async ([place, number]) => {
                const until = performance.now() + 20000;
                const found = () => document.querySelectorAll(place)[number];
                while (!found()) {
                    if (performance.now() > until) throw new Error(`no ${place} ${number}`);
                    await new Promise((done) => setTimeout(done, 10));
                }
                // A button that was touched is deaf for a moment: that is not yet what follows.
                const drawn = () =>
                    document.querySelector("#corner").innerHTML.replaceAll(' disabled=""', "");
                const before = drawn();
                found().click();
                while (drawn() === before) {
                    if (performance.now() > until) throw new Error(`nothing after ${place} ${number}`);
                    await new Promise((done) => setTimeout(done, 10));
                }
            }""",
            [place, number],
        )

    def speak(self, language: str) -> None:
        self.page.evaluate(
            "(number) => document.querySelectorAll('.language')[number].click()",
            LANGUAGES.index(language),
        )

    def sent(self, shape: type[shapes.Act]) -> list[shapes.Act]:
        return [act for act in self.caretaker.touched if isinstance(act, shape)]


@pytest.fixture(scope="module", params=PANELS)
def panel(request: pytest.FixtureRequest) -> Iterator[tuple[str, Page]]:
    with browser_page(PANELS[request.param]) as opened:
        opened.set_default_timeout(LONG_S * 1000)
        opened.emulate_media(reduced_motion="reduce")
        yield request.param, opened


def before(page: Page, count: int) -> Iterator[Corner]:
    caretaker = Caretaker()
    server = ScreenServer(
        "127.0.0.1",
        0,
        setup=setup(count),
        act=lambda _action, _bin: None,
        takers=caretaker.takers(),
        languages=spoken(count).languages,
    )
    server.start()
    server.publish(view(corner="closed", bins=bins(count)))
    page.goto(f"http://127.0.0.1:{server.port}/")
    yield Corner(page, server, caretaker)
    server.stop()


@pytest.fixture
def corner(panel: tuple[str, Page]) -> Iterator[Corner]:
    yield from before(panel[1], 4)


def test_the_number_is_sent_once_and_stays_nowhere_on_the_page(corner: Corner) -> None:
    corner.come_to(Scene((foot(1),), GATE))
    for digit in "314159":
        corner.touch(".key", "123456789".index(digit))
    assert corner.page.inner_text(".shown") == "●●●●●●"
    corner.touch(".key", 11)
    (sent,) = corner.sent(shapes.Number)
    assert isinstance(sent, shapes.Number) and sent.number == "314159"
    assert "314159" not in corner.page.content() and repr(sent) == "Number"


def test_a_second_touch_on_enter_is_no_second_try(corner: Corner) -> None:
    corner.caretaker.takes_s["corner_number"] = 0.3
    corner.come_to(Scene((foot(1), *[(".key", 4)] * 6), GATE, refuses="number_wrong"))
    for _ in range(2):
        corner.page.evaluate("() => document.querySelectorAll('.key')[11].click()")
    corner.page.wait_for_selector("#corner[data-care='true']")
    assert len(corner.sent(shapes.Number)) == 1


def test_nobody_types_a_number_that_may_not_be_tried_now(corner: Corner) -> None:
    corner.caretaker.wait_s = 300
    corner.come_to(Scene((foot(1),), GATE))
    assert (
        corner.page.inner_text("#corner .sentence") == texts.load()[0].corner["why_number_paused"]
    )


def test_an_adjustment_is_asked_for_with_bottle_and_empty_bin(corner: Corner) -> None:
    corner.come_to(Scene((SCALE, tile(1), foot(1))))
    for key in (1, 10, 2, 0):
        corner.touch(".key", key)
    corner.touch(".key", 11)
    corner.touch(".corner-foot .action", 2)
    assert corner.sent(shapes.Adjust) == [shapes.Adjust(bin="b2", grams=2031, empty=True)]


def test_what_another_window_has_begun_is_shown_here_too_where_this_one_would_begin_something(
    corner: Corner,
) -> None:
    corner.come_to(Scene((SCALE, tile(1), foot(1)), refuses="corner_busy"))
    for key in (1, 10, 2, 0):
        corner.touch(".key", key)
    corner.server.tell("corner", {"job": {**ADJUST, "bin": "b1", "kg": "1.980", "step": "load"}})
    corner.touch(".key", 11)
    assert "2031" not in corner.page.inner_text("#corner"), "asked whether the bin is empty"
    corner.touch(".corner-foot .action", 2)
    assert "1.980 kg" in corner.page.inner_text("#corner h1"), "the other's bottle"
    corner.caretaker.scene = Scene()
    corner.page.click(".corner-foot .action")
    until(lambda: len(corner.sent(shapes.Cancel)) == 1, "it can be ended here, too")
    corner.server.tell("corner", {"job": None})
    corner.page.wait_for_function("() => document.querySelectorAll('.tiles li').length === 9")


def test_turning_pages_tells_the_station_that_somebody_is_there(corner: Corner) -> None:
    corner.come_to(Scene((BROKEN, tile(0), foot(0), foot(0))))
    corner.page.wait_for_function("() => document.querySelectorAll('.tiles li').length === 9")
    until(lambda: len(corner.sent(shapes.Stir)) >= 2, "the station was not told")
    assert corner.sent(shapes.AtBin) == []


def test_fingers_quicker_than_the_station_lose_no_touch(corner: Corner) -> None:
    corner.caretaker.takes_s["corner_touch"] = 0.2
    corner.come_to(Scene((CLEAN, tile(1), foot(1))))
    assert [type(act) for act in corner.caretaker.touched] == [
        shapes.Stir,
        shapes.Stir,
        shapes.AtBin,
    ]
    assert corner.page.get_attribute("#corner", "data-care") == "false"


def test_an_answer_that_comes_late_takes_nobody_back(corner: Corner) -> None:
    corner.caretaker.takes_s["corner_doctor"] = 0.3
    corner.come_to(Scene())
    corner.page.evaluate(
        "([place, number]) => document.querySelectorAll(place)[number].click()", DOCTOR
    )
    corner.touch(*BAG)
    chosen = corner.page.inner_text("#corner h1")
    until(lambda: len(corner.sent(shapes.Stir)) == 1, "the doctor's answer came first")
    assert corner.page.inner_text("#corner h1") == chosen


def test_a_touch_whose_turn_never_came_is_said_to_be_early(corner: Corner) -> None:
    corner.caretaker.takes_s["corner_touch"] = 3.5
    corner.come_to(Scene((CLEAN, tile(1))))
    corner.page.click(".corner-foot .action:last-child")
    corner.page.wait_for_selector("#corner .state")
    said = texts.load()[0].corner["why_corner_busy"]
    assert corner.page.inner_text("#corner .sentence").replace("\n", "") == said


def test_a_corner_in_the_heat_is_dark_and_as_easy_to_read(corner: Corner) -> None:
    for scene in (
        SCENES["corner-number"],
        SCENES["corner-bins-cleaning"],
        SCENES["corner-doctor-good"],
    ):
        corner.come_to(replace(scene, shown=msgspec.structs.replace(scene.shown, warm="dim")))
        assert faults(corner.page) == []


def test_a_corner_that_closes_leaves_no_page_of_it(corner: Corner) -> None:
    corner.come_to(Scene((BROKEN, tile(0)), OPEN))
    corner.server.publish(view(corner="closed"))
    corner.page.wait_for_function("() => document.querySelector('#corner').hidden")
    corner.server.publish(OPEN)
    corner.page.wait_for_function("() => document.querySelectorAll('.tiles li').length === 9")


def test_prepared_sentences_fit_the_screen() -> None:
    languages = texts.load()
    for start in (SENTENCE, REASON):
        keys = [key for key in languages[0].corner if key.startswith(start)]
        assert len(keys) >= 3
        for key in keys:
            said = {one.code: one.corner[key] for one in languages}
            Message(said, 0)
            Close(said)


def test_every_sentence_of_the_corner_is_used() -> None:
    drawn = script("corner.js", "corner_pages.js")
    used = set(re.findall(r"\bsaid\.([a-z_0-9]+)", drawn))
    used |= set(re.findall(r'"((?:why|help|adjust|done)[a-z_0-9]*)"', drawn))
    open_ended = ("home_", "doctor_", "step_", SENTENCE, REASON)
    for key in texts.load()[0].corner:
        assert key in used or key.startswith(open_ended), key
