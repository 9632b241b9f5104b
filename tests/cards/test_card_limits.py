"""What a card may earn on one day: never less weighed, only no more credited."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hw_sim.days import Day
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk.core.config import Crowd
from kiosk.core.earned import Earned, Earnings, Limits
from kiosk.core.events import Touch
from kiosk.core.station import Station

ANN, BOB = b"a" * 16, b"b" * 16


def begun(limits: Limits, crowd: Crowd = "one_by_one") -> Day:
    """10 points a kilogram in ``one_by_one``, 1 a visit in ``together``."""
    day = Day(4, crowd=crowd)
    day.rules = replace(day.rules, limits=limits)
    day.restart()
    day.run(4_000)
    return day


def visit(day: Day, person: bytes, *drops_g: int) -> int:
    """What a visit with these drops earned; then nobody is there for a quarter of an hour."""
    before = len(day.books.weighings)
    day.card(person)
    day.run(3_000)
    for drop_g in drops_g:
        day.drop(person, "b1", drop_g)
        day.run(6_000)
    day.run(30_000)
    day.quiet(900_000)
    day.check()
    return sum(w.points for w in day.books.weighings[before:])


def test_after_the_days_points_everything_is_weighed_and_nothing_credited() -> None:
    day = begun(Limits(points=25))
    assert visit(day, ANN, 1_550) == 15
    assert visit(day, ANN, 2_050) == 10, "as much as there is room for"
    assert visit(day, ANN, 2_050) == 0
    assert visit(day, BOB, 2_050) == 20, "somebody else's day is another"
    assert len(day.books.weighings) == 4
    day.days += 1
    assert visit(day, ANN, 1_050) == 10


def test_the_resident_is_told_when_the_day_is_full() -> None:
    day = begun(Limits(points=5))
    day.card(ANN)
    day.run(3_000)
    assert not day.station.view().points_limited
    day.drop(ANN, "b1", 1_050)
    day.run(4_000)
    seen = day.station.view()
    assert (seen.points, seen.points_limited) == (5, True)


def test_what_is_taken_out_takes_back_only_what_was_credited() -> None:
    day = begun(Limits(points=8))
    assert visit(day, ANN, 1_050, -1_050) == 0
    assert visit(day, ANN, 1_050, -500, 200) == 7


def test_visits_are_counted_that_earned_something() -> None:
    day = begun(Limits(visits=2))
    assert [visit(day, ANN, g) for g in (0, 1_050, 1_050, 1_050)] == [0, 10, 10, 0]


def test_a_visit_that_goes_on_is_not_another_one() -> None:
    day = begun(Limits(visits=1))
    day.card(ANN)
    day.run(3_000)
    day.drop(ANN, "b1", 1_020)
    day.run(60_000)
    day.card(ANN)
    day.run(3_000)
    day.drop(ANN, "b1", 1_020)
    day.run(6_000)
    assert [w.points for w in day.books.weighings] == [10, 10]


def test_points_by_visit_are_given_once_a_day_unless_the_settings_say_otherwise() -> None:
    for limits, points in ((Limits(), [1, 0, 0]), (Limits(visits=2), [1, 1, 0])):
        day, given = begun(limits, "together"), []
        for _ in range(3):
            day.card(ANN)
            given.append(day.station.view().points)
            day.run(30_000)
            day.quiet(900_000)
        assert given == points


def test_a_drop_that_is_more_than_the_day_has_room_for_cannot_be_claimed_past_it() -> None:
    day = begun(Limits(points=5))
    day.drop(ANN, "b0", 1_050)
    day.run(5_000)
    day.post(Touch(day.t_ms, "claim"))
    day.card(ANN)
    assert day.books.checkins == [ANN], "the card is greeted; the drop stays nobody's"
    assert day.books.weighings[0].visit not in day.books.visits
    day.run(60_000)
    assert visit(day, ANN, 1_050) == 5


def test_a_restart_goes_on_with_the_day() -> None:
    day = begun(Limits(points=25))
    memory = replace(
        day.books.memory("again", same_boot=True), earned={ANN: Earned(day.days, 1, 20)}
    )
    day.station = Station(day.rules, memory)
    day.run(4_000)
    assert visit(day, ANN, 2_050) == 5


NAMES = st.sampled_from([(b"a",), (b"b",), (b"a", b"o"), (b"b", b"o")])


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(NAMES, st.integers(1, 9), st.booleans()), max_size=30))
def test_no_name_ever_earns_more_than_a_day_has(
    earning: list[tuple[tuple[bytes, ...], int, bool]],
) -> None:
    limits = Limits(visits=3, points=20)
    earnings = Earnings({})
    for names, points, first in earning:
        room = earnings.room(names, 7, limits, first=first)
        assert room is not None
        earnings.add(names, 7, min(points, room), first=first and min(points, room) > 0)
        for name in names:
            assert earnings.of((name,), 7).points <= 20
            assert earnings.of((name,), 7).visits <= 3


@pytest.mark.parametrize("limits", [Limits(), Limits(points=0), Limits(visits=0)])
def test_a_day_without_room_credits_nothing_at_all(limits: Limits) -> None:
    room = Earnings({}).room((ANN,), 1, limits, first=True)
    assert room == (None if limits == Limits() else 0)
