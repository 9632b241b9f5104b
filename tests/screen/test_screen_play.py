"""What residents say and play, drawn: large, calm, and gone as soon as somebody comes."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from play_scenes import OFF, lesson, longest, round_of, value
from playwright.sync_api import Page
from screen_people import LONG_S
from screen_scenes import TROUBLED, bins, languages, setup, spoken, view
from shots import LANGUAGES, PANELS, browser_page, show
from town_scenes import LONGEST_EN, cards
from town_scenes import longest as longest_town
from town_scenes import value as usual_town

from kiosk.core.errors import OperatorError
from kiosk.ledger.heard import Votes
from kiosk.noticeboard.play_desk import Act, QuizAct, TeamAct, ThanksAct, VoiceAct
from kiosk.noticeboard.playing import PlayTold
from kiosk.screen import ScreenServer, Taker

MEASURE = (Path(__file__).parent / "measure.js").read_text("utf-8")
INSIDE = """() => {
  const all = (selector) => [...document.querySelectorAll(selector)];
  const seen = (selector) => all(selector).filter((one) => one.checkVisibility());
  const wide = seen(".choice, .together, .language").filter(
    (box) => box.scrollHeight > box.clientHeight + 1 || box.scrollWidth > box.clientWidth + 1,
  );
  const foot = document.querySelector("footer").getBoundingClientRect().top;
  const low = seen("#play .page > *").filter((one) => one.getBoundingClientRect().bottom > foot);
  const over = seen("#play .page > * + *").map((next) => [next.previousElementSibling, next]).filter(
    ([one, next]) => one.getBoundingClientRect().bottom > next.getBoundingClientRect().top + 1,
  );
  return [...wide, ...low, ...over.map(([one]) => one)].map((one) => one.innerText);
}"""
"""What is larger than the frame that it stands in, or over what stands below it."""


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


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with browser_page(PANELS["wide"]) as opened:
        opened.set_default_timeout(LONG_S * 1000)
        opened.emulate_media(reduced_motion="reduce")
        yield opened


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


def good(page: Page, what: str) -> None:
    assert page.evaluate(MEASURE) == [], what
    assert page.evaluate(INSIDE) == [], what


def choice(number: int) -> str:
    return f"#play .choices li:nth-child({number}) button"


def first_page(page: Page, hall: Hall, language: str, told: PlayTold, **changes: object) -> None:
    show(page, hall.screen, view(bins=bins(hall.count), **changes), language)
    hall.screen.tell("play", told)
    page.wait_for_selector(".together")


@pytest.mark.parametrize("panel", PANELS)
@pytest.mark.parametrize(
    ("hall", "told"), [(4, value()), (13, longest())], indirect=["hall"], ids=["4", "13"]
)
def test_every_page_can_be_read_and_touched(
    page: Page, hall: Hall, told: PlayTold, panel: str
) -> None:
    page.set_viewport_size(PANELS[panel])
    hall.screen.tell("town", usual_town() if hall.count == 4 else longest_town())
    for language in LANGUAGES:
        first_page(page, hall, language, told)
        page.wait_for_selector(".strip")
        good(page, f"first page in {language}")
        press(page, ".together")
        page.wait_for_selector("#play .menu")
        good(page, f"menu in {language}")
        press(page, choice(1))
        page.wait_for_selector("#play .asking")
        good(page, f"question in {language}")
        press(page, choice(2))
        page.wait_for_selector("#play .kept .bars")
        good(page, f"answered in {language}")
        press(page, "#play .touches .action")
        press(page, ".together")
        press(page, "#play .menu li:nth-child(2) button")
        page.wait_for_selector("#play .thanking")
        good(page, f"thanks in {language}")
        press(page, choice(1))
        page.wait_for_selector("#play .kept")
        good(page, f"sent in {language}")
        press(page, "#play .touches .action")
        press(page, ".together")
        press(page, "#play .menu li:nth-child(3) button")
        page.wait_for_selector("#play .quiz")
        good(page, f"quiz in {language}")
        press(page, choice(1))
        page.wait_for_selector("#play .choice.right")
        good(page, f"quiz answered in {language}")
        press(page, "#play .touches .action")


@pytest.mark.parametrize("panel", PANELS)
@pytest.mark.parametrize("hall", [12], indirect=True)
def test_beside_five_languages_there_is_room_for_it_and_a_visit_keeps_its_own(
    page: Page, hall: Hall, panel: str
) -> None:
    page.set_viewport_size(PANELS[panel])
    thanks = view(phase="thanks", visit_g=12_340, points=12, turn=3, shown=3, visits_open=1)
    no_card = view(phase="no_card", visit_g=510, can_claim=True, visits_open=1)
    first_page(page, hall, "ja", value())
    hall.screen.tell("town", cards(longest_town())["notice"])
    page.wait_for_selector(".strip")
    for language in ("ja", "easy", "pt"):
        assert language in languages(hall.count)
        for shown in (view(), thanks, no_card):
            told = msgspec.structs.replace(shown, bins=bins(hall.count))
            show(page, hall.screen, told, language)
            good(page, f"{shown.phase} in {language}")
    assert LONGEST_EN in page.inner_text(".strip"), "as in the language it is like"


@pytest.mark.parametrize("panel", PANELS)
def test_a_class_is_large_and_its_turn_is_seen_from_the_bins(
    page: Page, hall: Hall, panel: str
) -> None:
    page.set_viewport_size(PANELS[panel])
    for language in LANGUAGES:
        for teams in (2, 3, 4):
            show(page, hall.screen, view(classroom=lesson(teams)), language)
            page.wait_for_selector(f"#play .class .choices[data-count='{teams}']")
            good(page, f"{teams} teams in {language}")
        for phase in ("weighing", "recorded"):
            at_bin = view(
                phase=phase, bin="b1", live_g=420, net_g=420, visits_open=1, classroom=lesson()
            )
            show(page, hall.screen, at_bin, language)
            page.wait_for_selector("#play .strip.team-1")
            good(page, f"{phase} in {language}")


@pytest.mark.parametrize("panel", PANELS)
def test_a_class_at_a_full_bin_and_at_one_that_is_away_reads_all_of_it(
    page: Page, hall: Hall, panel: str
) -> None:
    page.set_viewport_size(PANELS[panel])
    full = view(phase="recorded", bin="b2", net_g=420, can_claim=True, visits_open=1)
    away = view(phase="weighing", bin="b3", live_g=420)
    for language in LANGUAGES:
        for shown in (full, away):
            told = msgspec.structs.replace(shown, bins=TROUBLED, classroom=lesson())
            show(page, hall.screen, told, language)
            page.wait_for_selector("#play .strip.team-1")
            good(page, f"{shown.phase} in {language}")
            assert page.inner_text("#actions") == "", "nobody in a class has a card to show"


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
    assert "in a minute" in page.inner_text("#play h2")


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
    assert "<b>何を</b>" in page.inner_text("#play h2")
    assert page.locator("#play img").count() == 0
