"""What residents say and play, drawn: large, calm, and gone as soon as somebody comes."""

from __future__ import annotations

import queue
from collections.abc import Iterator

import msgspec
import pytest
from play_scenes import OFF, lesson, round_of, value
from playwright.sync_api import Page
from screen_people import LONG_S
from screen_scenes import bins, setup, spoken, view
from shots import LANGUAGES, PANELS, show

from kiosk.core.errors import OperatorError
from kiosk.ledger.heard import Votes
from kiosk.noticeboard.play_desk import Act, QuizAct, TeamAct, ThanksAct, VoiceAct
from kiosk.noticeboard.playing import PlayTold
from kiosk.screen import ScreenServer, Taker


class Hall:
    """A screen whose station takes what is said, or says why not."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.taken: queue.Queue[Act] = queue.Queue()
        self.refusal: OperatorError | None = None
        shapes = (VoiceAct, ThanksAct, TeamAct)
        self.screen = ScreenServer(
            "127.0.0.1",
            0,
            setup=setup(count),
            languages=spoken(count).languages,
            act=lambda _action, _bin: None,
            takers=[
                *(Taker(shape, self._take) for shape in shapes),
                Taker(QuizAct, lambda _: {"questions": round_of(7, count)}),
            ],
        )
        self.screen.start()

    def _take(self, asked: Act) -> object:
        if self.refusal is not None:
            raise self.refusal
        self.taken.put(asked)
        return {"kept": True}


@pytest.fixture
def hall(request: pytest.FixtureRequest, page: Page) -> Iterator[Hall]:
    running = Hall(getattr(request, "param", 4))
    page.set_viewport_size(PANELS["wide"])
    page.goto(f"http://127.0.0.1:{running.screen.port}/")
    yield running
    running.screen.stop()


def press(page: Page, selector: str) -> None:
    """A touch by whoever needs no finger; a page that has just come is deaf to one for a moment."""
    page.wait_for_selector(f"{selector}:enabled")
    page.evaluate("selector => document.querySelector(selector).click()", selector)


def choice(number: int) -> str:
    return f"#play .choices li:nth-child({number}) button"


def first_page(page: Page, hall: Hall, language: str, told: PlayTold, **changes: object) -> None:
    show(page, hall.screen, view(bins=bins(hall.count), **changes), language)
    hall.screen.tell("play", told)
    page.wait_for_selector(".together")


def test_a_touch_gives_the_turn_and_the_sum_is_everybodys(page: Page, hall: Hall) -> None:
    show(page, hall.screen, view(classroom=lesson(3)), "en")
    assert "15.1 kg" in page.inner_text("#play .sum")
    assert page.locator("#play [aria-pressed=true]").inner_text().startswith("Blue fish")
    page.click(choice(3))
    assert hall.taken.get(timeout=LONG_S) == TeamAct(2)
    soon = page.inner_text(choice(3))
    assert "Soon" in soon and "0.00" not in soon, "nobody reads a nought"


def test_a_residents_card_has_the_screen_and_no_team_is_named_beside_it(
    page: Page, hall: Hall
) -> None:
    resident = lesson(3, counting=False)
    show(page, hall.screen, view(classroom=lesson(3)), "ja")
    greeted = view(phase="greeting", checkins=1, visits_open=1, classroom=resident)
    show(page, hall.screen, greeted, "ja")
    page.wait_for_selector('[data-scene="greeting"]')
    assert page.is_visible("#bins") and not page.is_visible("#play")
    for phase in ("weighing", "recorded", "thanks"):
        drop = view(phase=phase, bin="b1", net_g=400, checkins=1, classroom=resident)
        show(page, hall.screen, drop, "ja")
        assert not page.is_visible("#play"), phase


def test_an_answer_is_one_touch_and_the_first_page_comes_back(page: Page, hall: Hall) -> None:
    page.clock.install()
    page.reload()
    few = value(Votes({}, 0))
    first_page(page, hall, "ja", few)
    press(page, ".together")
    press(page, choice(1))
    page.wait_for_selector("#play .asking")
    assert page.locator("#play .touches .action").count() == 1, "no result before five answers"
    press(page, choice(2))
    assert hall.taken.get(timeout=LONG_S) == VoiceAct("2026-12", 1)
    page.wait_for_selector("#play .kept")
    assert page.locator("#play .bars").count() == 0
    page.clock.run_for(9_500)
    page.wait_for_selector("#play", state="hidden")
    assert page.is_visible("#bins")


def test_results_are_bars_with_words_and_numbers(page: Page, hall: Hall) -> None:
    first_page(page, hall, "en", value())
    press(page, ".together")
    press(page, choice(1))
    page.wait_for_selector("#play .asking")
    press(page, "#play .touches .action:nth-child(2)")
    page.wait_for_selector("#play .results")
    rows = [row.inner_text().split("\n") for row in page.locator("#play .bars li").all()]
    assert rows == [["Flowers", "3"], ["A park bench", "11"], ["Children's books", "6"]]
    assert "20 answers" in page.inner_text("#play .note")


def test_a_station_that_does_not_take_it_says_so_kindly(page: Page, hall: Hall) -> None:
    hall.refusal = OperatorError("play_rest", "Just taken.", "Wait.")
    first_page(page, hall, "en", value())
    press(page, ".together")
    press(page, choice(2))
    page.wait_for_selector("#play .thanking")
    press(page, choice(1))
    page.wait_for_selector("#play .kept")
    assert "in a minute" in page.inner_text("#play h1")


def test_a_wrong_answer_is_told_kindly_and_nothing_goes_to_the_station(
    page: Page, hall: Hall
) -> None:
    (asked, *_) = round_of(7, 4)
    wrong = (asked.right + 1) % 3
    first_page(page, hall, "en", value())
    press(page, ".together")
    press(page, choice(3))
    page.wait_for_selector("#play .quiz")
    press(page, choice(wrong + 1))
    page.wait_for_selector("#play .right")
    said = page.inner_text("#play .note")
    assert said.startswith("Nearly!") and asked.answers[asked.right].words["en"] in said
    assert page.locator("#play .choice.right .of-check").count() == 1, "a sign, not a colour alone"
    assert hall.taken.empty()


def test_whoever_comes_has_the_screen_at_once(page: Page, hall: Hall) -> None:
    first_page(page, hall, "ja", value())
    press(page, ".together")
    page.wait_for_selector("#play .menu")
    hall.screen.publish(view(phase="weighing", bin="b1", live_g=100))
    page.wait_for_selector('[data-scene="weighing"]')
    assert not page.is_visible("#play") and not page.is_visible(".together")


def test_where_all_is_off_nothing_is_to_be_seen(page: Page, hall: Hall) -> None:
    first_page(page, hall, "ja", value())
    hall.screen.tell("play", OFF)
    page.wait_for_selector(".together", state="hidden")
    assert page.is_visible("#line"), "the station's name is there again"


def test_what_people_wrote_is_text_and_never_markup(page: Page, hall: Hall) -> None:
    words = dict.fromkeys(LANGUAGES, "<img src=x onerror=alert(1)><b>何を</b>")
    told = value()
    assert told.question is not None
    question = msgspec.structs.replace(told.question, words=words)
    first_page(page, hall, "ja", PlayTold(question=question))
    press(page, ".together")
    page.wait_for_selector("#play .asking")
    assert "<b>何を</b>" in page.inner_text("#play h1")
    assert page.locator("#play img").count() == 0
