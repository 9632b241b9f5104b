"""Stories of turns: nothing that one resident does is written for another, or ends another's turn."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hw_sim.days import Day

from kiosk.core.effects import Record
from kiosk.core.events import CardRefused, CardSeen, Moment, RefusalReason, Touch

ANN, BOB = b"a" * 16, b"b" * 16


@pytest.fixture
def day() -> Day:
    made = Day(1)
    made.run(4_000)
    return made


def credited(day: Day) -> list[tuple[bytes | None, int]]:
    """Who was credited with how much, to the division."""
    visits = day.books.visits
    return [
        (None if one.visit is None else visits.get(one.visit), round(one.net_g / 20) * 20)
        for one in day.books.weighings
    ]


def ann_drops(day: Day) -> None:
    day.card(ANN)
    day.run(3_000)
    day.drop(ANN, "b0", 800)


# -- one movement, two residents -------------------------------------------------------------------


def test_what_two_residents_laid_in_while_it_still_moved_is_nobodys(day: Day) -> None:
    ann_drops(day)
    for moment in range(9):  # her hand stays on, also after Bob's card
        day.run(700)
        if moment == 3:
            day.card(BOB)
        day.platforms["b0"].move(day.t_ms, 0)
    day.drop(BOB, "b0", 1_500)
    day.run(12_000)
    assert credited(day) == [(None, 2_300)]
    day.check()


# -- goodbye ---------------------------------------------------------------------------------------


def test_a_goodbye_to_ones_own_last_weight_does_not_end_the_next_ones_turn(day: Day) -> None:
    ann_drops(day)
    for _ in range(4):
        day.run(700)
        day.platforms["b0"].move(day.t_ms, 0)
    day.card(BOB)
    day.run(1_500)
    view = day.station.view()
    assert (view.phase, view.shown, view.turn, view.can_leave) == ("recorded", 1, 2, False)
    day.post(Touch(day.t_ms, "goodbye"))
    assert day.station.view().turn == 2
    day.run(3_000)
    day.drop(BOB, "b1", 700)
    day.run(5_000)
    assert credited(day) == [(ANN, 800), (BOB, 700)]
    assert day.station.view().can_leave
    day.post(Touch(day.t_ms, "goodbye"))
    assert day.station.view().turn is None


def test_a_goodbye_that_comes_as_the_next_card_is_greeted_is_nobodys(day: Day) -> None:
    ann_drops(day)
    day.run(5_000)
    day.card(BOB)
    day.post(Touch(day.t_ms, "goodbye"))
    assert day.station.view().turn == 2


def test_together_nobody_ends_anothers_visit() -> None:
    day = Day(2, crowd="together")
    day.run(4_000)
    day.card(ANN)
    day.card(BOB)
    day.run(2_000)
    day.drop(ANN, "b0", 500)
    day.run(5_000)
    assert not day.station.view().can_leave
    day.post(Touch(day.t_ms, "goodbye"))
    day.run(500)
    assert day.station.view().visits_open == 2
    day.drop(BOB, "b1", 700)
    day.run(5_000)
    assert [one.visit for one in day.books.weighings] == [None, None]


# -- whoever else shows a card ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reason", "owner"), [("unknown", None), ("closed", None), ("unread", ANN), ("replayed", ANN)]
)
def test_what_falls_after_a_card_that_is_not_taken_is_not_the_one_befores(
    day: Day, reason: RefusalReason, owner: bytes | None
) -> None:
    """What may be her own card, held badly, changes nothing."""
    ann_drops(day)
    day.run(6_000)
    day.post(CardRefused(day.t_ms, "nfc", reason))
    day.run(3_000)
    day.drop(owner, "b1", 700)
    day.run(6_000)
    assert credited(day) == [(ANN, 800), (owner, 700)]


def test_a_foreign_card_in_the_same_purse_ends_no_turn(day: Day) -> None:
    day.card(ANN)
    day.run(300)
    day.post(CardRefused(day.t_ms, "nfc", "unknown"))
    day.run(3_000)
    day.drop(ANN, "b1", 700)
    day.run(6_000)
    assert credited(day) == [(ANN, 700)]


def test_who_showed_a_foreign_card_shows_her_own_again_and_goes_on(day: Day) -> None:
    ann_drops(day)
    day.run(6_000)
    day.post(CardRefused(day.t_ms, "nfc", "unknown"))
    day.run(1_500)
    day.card(ANN)
    day.run(3_000)
    day.drop(ANN, "b1", 700)
    day.run(6_000)
    assert credited(day) == [(ANN, 800), (ANN, 700)]


def test_what_falls_after_a_spare_card_is_not_the_one_befores(day: Day) -> None:
    ann_drops(day)
    day.run(6_000)
    day.post(CardSeen(day.t_ms, BOB, "qr", True, spare=True))
    day.run(3_000)
    day.drop(None, "b1", 700)
    day.run(6_000)
    assert credited(day) == [(ANN, 800), (None, 700)]


@pytest.mark.parametrize("late_ms", [0, 500])
def test_a_card_that_could_not_be_kept_ends_the_turn_before_it(day: Day, late_ms: int) -> None:
    """The storage fails at Bob's card, or has failed a moment before it."""
    ann_drops(day)
    day.run(6_000)
    first, then = (BOB, None) if late_ms == 0 else (b"c" * 16, BOB)
    now = Moment(day.t_ms, day.t_ms, "synced", day.days)
    record = next(
        one
        for one in day.station.handle(CardSeen(day.t_ms, first, "qr", True), now)
        if isinstance(one, Record)
    )
    day.station.failed(record.items)
    if then is not None:
        day.t_ms += late_ms
        day.post(CardSeen(day.t_ms, then, "qr", True))
    day.run(3_000)
    day.drop(None, "b1", 700)
    day.run(6_000)
    assert credited(day) == [(ANN, 800), (None, 700)]


# -- points ----------------------------------------------------------------------------------------


def test_points_for_a_visit_are_the_check_ins_and_no_drop_takes_them_back() -> None:
    day = Day(3, crowd="together")
    day.run(4_000)
    day.card(ANN)
    for _ in range(2):
        day.run(2_000)
        day.drop(ANN, "b0", 500)
        day.run(4_500)
        assert (day.station.view().points, day.station.view().points_limited) == (1, False)
    assert [one.points for one in day.books.weighings] == [0, 0]


def test_what_was_claimed_afterwards_has_its_visits_point_too_and_once() -> None:
    day = Day(4)
    day.rules = replace(day.rules, tariff=replace(day.rules.tariff, mode="visit"))
    day.restart()
    day.run(4_000)
    for _ in range(2):
        day.drop(None, "b0", 500)
        day.run(5_000)
        day.post(Touch(day.t_ms, "claim"))
        day.card(ANN)
        day.run(1_000)
        view = day.station.view()
        assert (view.points, view.points_limited) == (1, False)
        day.post(Touch(day.t_ms, "goodbye"))
        day.run(1_000)
    assert day.books.checkins == [ANN], "the second visit goes on with the first"
    assert [one.points for one in day.books.weighings] == [0, 0]
    day.card(BOB)
    day.run(1_000)
    assert day.books.checkins == [ANN, BOB]
    assert day.station.view().points == 1
