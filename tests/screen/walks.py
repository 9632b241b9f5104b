"""Ways through everything that the page shows: each stops at a state for somebody to look at it.

A stop is the state's name and the languages in which it is to be looked at; the page may be left in any of
them. ``WALKS`` has all of them; nothing is drawn on the panel that no walk comes to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import msgspec
from corner_scenes import LONGEST as LONGEST_CORNER
from corner_scenes import SCENES as CORNER
from play_scenes import lesson
from play_scenes import longest as longest_played
from play_scenes import value as played
from playwright.sync_api import Page
from screen_opened import LONGEST as LONGEST_OPENED
from screen_opened import OPENED
from screen_people import Station
from screen_scenes import LONG, SCENES, STATIONS, TROUBLED, bins, languages, setup, spoken, view
from shots import LANGUAGES, NAMES, SPEAK, publish
from test_corner_drawn import before
from test_screen_play import Hall, choice, first_page
from test_screen_play import press as press_when_hearing
from test_screen_town import SOME, press, told
from town_scenes import cards
from town_scenes import longest as longest_town
from town_scenes import value as usual_town

DONE = "#play .touches .action"
Stops = Iterator[tuple[str, Sequence[str]]]
STRIP_AND_TOUCH = (
    ("longest-strip", view(bins=bins(LONG))),
    ("longest-strip-states", view(bins=bins(LONG, b2="full", b4="trouble", b6="away"))),
    ("longest-strip-offline", view(bins=bins(LONG), online=False)),
    (
        "longest-thanks",
        view(phase="thanks", visit_g=12_340, points=12, visits_open=1, bins=bins(LONG)),
    ),
    (
        "longest-no-card",
        view(phase="no_card", visit_g=510, can_claim=True, visits_open=1, bins=bins(LONG)),
    ),
)
"""The fullest pages: the longest names with the town's strip and the touch to what is played."""


def residents(page: Page) -> Stops:
    for count in STATIONS:
        station = Station(setup(count), languages=spoken(count).languages)
        station.screen.start()
        page.goto(f"{station.origin}/")
        for name, (bins_, shown) in SCENES.items():
            if bins_ == count:
                publish(page, station.screen, shown)
                yield name, languages(count)
        for name, (bins_, shown, touches) in (OPENED | LONGEST_OPENED).items():
            if bins_ == count:
                publish(page, station.screen, shown)
                for touch in touches:
                    press(page, touch)
                yield name, languages(count)
                press(page, "#actions .action:last-child")
        station.screen.stop()


def town(page: Page) -> Stops:
    for count, pieces in ((4, cards(usual_town())), (13, cards(longest_town()))):
        station = Station(setup(count))
        station.screen.start()
        page.goto(f"{station.origin}/")
        publish(page, station.screen, view(bins=bins(count)))
        for name in SOME:
            page.evaluate(SPEAK, NAMES["en"])  # the shortest: the strip waits where it has no room
            told(page, station, pieces[name])
            yield f"town-{name} of {count}", LANGUAGES
            page.evaluate(SPEAK, NAMES["en"])
            press(page, ".strip")
            yield f"town-{name}-large of {count}", LANGUAGES
            press(page, "#town .action")
        station.screen.stop()


def longest(page: Page) -> Stops:
    station = Station(setup(LONG), languages=spoken(LONG).languages)
    station.screen.start()
    page.goto(f"{station.origin}/")
    publish(page, station.screen, view(bins=bins(LONG)))
    station.screen.tell("town", cards(longest_town())["notice"])
    station.screen.tell("play", longest_played())
    page.wait_for_selector(".together")
    for name, shown in STRIP_AND_TOUCH:
        publish(page, station.screen, shown)
        yield name, languages(LONG)
    station.screen.stop()


def play(page: Page) -> Stops:
    for count, value in ((4, played()), (13, longest_played())):
        hall = Hall(count)
        page.goto(f"http://127.0.0.1:{hall.screen.port}/")
        hall.screen.tell("town", usual_town() if count == 4 else longest_town())
        first_page(page, hall, "ja", value)
        page.wait_for_selector(".strip")
        yield f"play-touch of {count}", LANGUAGES
        for number, pages in enumerate(
            (("question", "answered"), ("thanks", "sent"), ("quiz", "right"))
        ):
            press_when_hearing(page, ".together")
            page.wait_for_selector("#play .menu")
            if number == 0:
                yield f"play-menu of {count}", LANGUAGES
            press_when_hearing(page, f"#play .menu li:nth-child({number + 1}) button")
            page.wait_for_selector("#play :is(.asking, .thanking, .quiz)")
            yield f"play-{pages[0]} of {count}", LANGUAGES
            press_when_hearing(page, choice(2))
            page.wait_for_selector("#play :is(.kept, .choice.right)")
            yield f"play-{pages[1]} of {count}", LANGUAGES
            press_when_hearing(page, DONE)
        hall.screen.stop()


def class_mode(page: Page) -> Stops:
    hall = Hall(4)
    page.goto(f"http://127.0.0.1:{hall.screen.port}/")
    for teams in (2, 3, 4):
        publish(page, hall.screen, view(classroom=lesson(teams)))
        page.wait_for_selector(f"#play .class .choices[data-count='{teams}']")
        yield f"class of {teams}", LANGUAGES
    for name, shown in (
        ("weighing", view(phase="weighing", bin="b1", live_g=420, visits_open=1)),
        ("recorded", view(phase="recorded", bin="b1", net_g=420, visits_open=1)),
        (
            "full",
            view(
                phase="recorded", bin="b2", net_g=420, can_claim=True, visits_open=1, bins=TROUBLED
            ),
        ),
        ("away", view(phase="weighing", bin="b3", live_g=420, bins=TROUBLED)),
    ):
        publish(page, hall.screen, msgspec.structs.replace(shown, classroom=lesson()))
        page.wait_for_selector("#play .strip.team-1")
        assert page.inner_text("#actions") == "", "nobody in a class has a card to show"
        yield f"class-{name}", LANGUAGES
    hall.screen.stop()


def after_thanks(page: Page) -> Stops:
    station = Station(setup(4))
    station.screen.start()
    page.goto(f"{station.origin}/")
    publish(page, station.screen, view())
    told(page, station, usual_town())
    for name, shown in (
        ("thanks-town", view(phase="thanks", visit_g=2340, points=1)),
        (
            "thanks-town-turn",
            view(phase="thanks", visit_g=2340, points=1, turn=3, shown=3, visits_open=1),
        ),
        ("no-card-town", view(phase="no_card", visit_g=2340)),
        ("waiting-town-begin-offline", view(can_begin=True, online=False)),
        ("no-card-town-claim", view(phase="no_card", visit_g=510, can_claim=True, visits_open=1)),
    ):
        publish(page, station.screen, shown)
        assert page.is_visible(".strip"), name
        yield name, LANGUAGES
    station.screen.stop()


def corner(page: Page) -> Stops:
    scenes = CORNER | LONGEST_CORNER
    for count in sorted({scene.count for scene in scenes.values()}):
        for caretaker in before(page, count):
            for name, scene in scenes.items():
                if scene.count == count:
                    caretaker.come_to(scene)
                    yield name, languages(count)


def others(page: Page) -> Stops:
    for walk in (town, longest, play, class_mode, after_thanks):
        yield from walk(page)


WALKS: dict[str, Callable[[Page], Stops]] = {
    "residents": residents,
    "others": others,
    "corner": corner,
}
