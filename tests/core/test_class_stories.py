"""Stories of a class that weighs in teams: nothing of children is written, and residents go on as ever."""

from __future__ import annotations

import pytest
from hw_sim.days import Day

from kiosk.core.classroom import LESSON_MS
from kiosk.core.events import Touch
from kiosk.core.said import ClassBegin, ClassEnd
from kiosk.core.taught import ClassAsked, TeamChosen
from kiosk.core.view import ClassView

ANN = b"a" * 16


@pytest.fixture
def day() -> Day:
    day = Day(1, crowd="together")
    day.run(4_000)
    day.post(ClassAsked(day.t_ms, "r1", 3))
    assert day.answers[-1].code == "done"
    return day


def room(day: Day) -> ClassView:
    seen = day.station.view().classroom
    assert seen is not None
    return seen


def take_turn(day: Day, team: int) -> None:
    day.post(TeamChosen(day.t_ms, team))


def test_each_teams_drops_are_its_own_and_the_sum_is_everybodys(day: Day) -> None:
    day.drop(None, "b0", 1_000)
    day.run(5_000)
    take_turn(day, 2)
    day.drop(None, "b1", 2_000)
    day.run(5_000)
    take_turn(day, 0)
    day.drop(None, "b0", 500)
    day.run(5_000)
    first, second, third = room(day).grams
    assert abs(first - 1_500) <= 40 and second == 0 and abs(third - 2_000) <= 20
    assert room(day).team == 0


def test_a_touch_on_no_team_changes_nothing(day: Day) -> None:
    take_turn(day, 3)
    take_turn(day, -1)
    assert room(day).team == 0


def test_a_weighing_looks_as_if_no_class_were_there(day: Day) -> None:
    day.drop(None, "b0", 1_000)
    day.run(60_000)
    day.post(ClassAsked(day.t_ms, "r2", 0))
    day.drop(None, "b0", 1_000)
    day.run(60_000)
    during, after = day.books.weighings
    assert during.points == after.points == 0
    assert None not in (during.visit, after.visit)
    assert day.books.lessons == [ClassBegin(3), ClassEnd("caretaker", (during.net_g, 0, 0))]


def test_a_residents_drop_is_the_residents_and_the_class_goes_on(day: Day) -> None:
    day.card(ANN)
    assert day.station.view().phase == "greeting"
    assert not room(day).counting
    day.drop(None, "b0", 3_000)
    day.run(60_000)
    assert room(day).grams == (0, 0, 0)
    assert room(day).counting
    day.drop(None, "b0", 700)
    day.run(5_000)
    assert abs(room(day).grams[0] - 700) <= 20


def test_what_nobody_can_tell_from_a_residents_is_no_teams(day: Day) -> None:
    day.drop(None, "b0", 700)
    day.run(3_000)
    had = room(day).grams
    day.card(ANN)
    day.run(3_000)
    day.drop(None, "b1", 900)
    day.run(3_000)
    assert room(day).grams == had


def test_a_drop_that_a_card_claims_afterwards_is_taken_back(day: Day) -> None:
    day = Day(2)
    day.run(4_000)
    day.post(ClassAsked(day.t_ms, "r1", 2))
    day.drop(None, "b0", 800)
    day.run(3_000)
    assert sum(room(day).grams) > 0
    day.post(Touch(day.t_ms, "claim", None))
    day.card(ANN)
    assert room(day).grams == (0, 0)


def test_what_is_taken_out_again_is_taken_from_the_team(day: Day) -> None:
    day.drop(None, "b0", 800)
    day.run(4_000)
    day.drop(None, "b0", -800)
    day.run(6_000)
    assert abs(room(day).grams[0]) <= 20


def test_a_lesson_ends_by_itself_and_by_a_restart(day: Day) -> None:
    day.quiet(LESSON_MS - 120_000)
    assert room(day)
    day.quiet(180_000)
    assert day.station.view().classroom is None
    assert day.books.lessons == [ClassBegin(3), ClassEnd("time", (0, 0, 0))]
    day.post(ClassAsked(day.t_ms, "r2", 2))
    assert room(day)
    day.restart()
    assert day.station.view().classroom is None


def test_only_a_class_that_is_here_can_leave_and_a_new_one_sends_the_old_one_home(day: Day) -> None:
    day.post(ClassAsked(day.t_ms, "r2", 2))
    assert room(day).grams == (0, 0)
    day.post(ClassAsked(day.t_ms, "r3", 0))
    day.post(ClassAsked(day.t_ms, "r4", 0))
    assert [(one.request, one.code) for one in day.answers[-2:]] == [
        ("r3", "done"),
        ("r4", "no_class"),
    ]
    assert [type(one) for one in day.books.lessons] == [ClassBegin, ClassEnd, ClassBegin, ClassEnd]
