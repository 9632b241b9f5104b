"""A town changes its pseudonym key: for some weeks a card has two names, and stays one person."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hw_sim.days import Day

from kiosk.core import cards
from kiosk.core.cards import CardBody, CardDesk
from kiosk.core.cards.knowledge import Holding, Standing
from kiosk.core.events import CardRefused, CardSeen, Touch

CARD_KEY = bytes(range(32))
NEW_KEY, OLD_KEY = b"n" * 32, b"o" * 32
ID = bytes(range(10))
OLD, NEW = b"o" * 16, b"n" * 16
TODAY = cards.day_of(2026, 11, 24)
TEXT = cards.issue(CardBody(1, cards.day_of(2030, 3, 31), ID), CARD_KEY)
UNDER_OLD, UNDER_NEW = (cards.pseudonym(key, "qr", ID) for key in (OLD_KEY, NEW_KEY))


class Lists(dict[bytes, Standing]):
    """A list that names some cards; of the others it says ``other``."""

    other: Standing = "good"

    def standing(self, name: bytes) -> Standing:
        return self.get(name, self.other)


class Household:
    """Several cards, one account."""

    def __init__(self, accounts: Mapping[bytes, bytes]) -> None:
        self._accounts = accounts

    def account(self, name: bytes) -> bytes:
        return self._accounts.get(name, name)

    def holding(self, name: bytes) -> Holding:
        return "held"


def shown(lists: Lists | None = None, accounts: Mapping[bytes, bytes] = {}) -> object:
    desk = CardDesk(
        {1: CARD_KEY},
        NEW_KEY,
        former_key=OLD_KEY,
        lists=Lists() if lists is None else lists,
        holders=Household(accounts),
    )
    return desk.identify_qr(TEXT, t_ms=3, day=TODAY)


def test_a_card_gets_its_new_name_and_brings_its_old_one() -> None:
    assert shown() == CardSeen(3, UNDER_NEW, "qr", True, formerly=UNDER_OLD)
    only_new = CardDesk({1: CARD_KEY}, NEW_KEY).identify_qr(TEXT, t_ms=3, day=TODAY)
    assert only_new == CardSeen(3, UNDER_NEW, "qr", True)


@pytest.mark.parametrize("closed", [UNDER_OLD, UNDER_NEW])
def test_a_card_that_was_closed_under_either_name_is_closed(closed: bytes) -> None:
    assert shown(Lists({closed: "closed"})) == CardRefused(3, "qr", "closed")


@pytest.mark.parametrize("listed", [UNDER_OLD, UNDER_NEW])
def test_an_allow_list_of_either_key_is_enough(listed: bytes) -> None:
    allowed = Lists({listed: "good"})
    allowed.other = "unlisted"
    assert isinstance(shown(allowed), CardSeen)
    allowed.clear()
    assert shown(allowed) == CardRefused(3, "qr", "unlisted")


def test_a_household_is_tied_by_its_accounts() -> None:
    seen = shown(accounts={UNDER_OLD: b"A" * 16, UNDER_NEW: b"B" * 16})
    assert seen == CardSeen(3, b"B" * 16, "qr", True, card=UNDER_NEW, formerly=b"A" * 16)
    same = shown(accounts={UNDER_OLD: b"A" * 16, UNDER_NEW: b"A" * 16})
    assert same == CardSeen(3, b"A" * 16, "qr", True, card=UNDER_NEW)


def gone(day: Day) -> None:
    """The visit ends, and then nobody is there for a quarter of an hour."""
    day.run(30_000)
    day.quiet(900_000)


@pytest.fixture
def day() -> Day:
    day = Day(5, crowd="together")
    day.run(2_000)
    return day


def test_the_first_card_of_the_day_ties_the_names_and_the_next_does_not(day: Day) -> None:
    for _ in range(3):
        day.card(NEW, formerly=OLD)
        gone(day)
    assert day.books.checkins == [NEW] * 3
    assert day.books.aliases == [(OLD, NEW)]


def test_when_the_seals_of_yesterday_are_forgotten_the_names_are_tied_again(day: Day) -> None:
    day.card(NEW, formerly=OLD)
    gone(day)
    day.days += 1
    day.card(NEW, formerly=OLD)
    assert day.books.aliases == [(OLD, NEW)] * 2


def test_where_seals_live_for_ninety_days_the_names_are_tied_once() -> None:
    day = Day(5)
    day.run(2_000)
    for days in (0, 1, 89, 1):
        day.days += days
        day.card(NEW, formerly=OLD)
        gone(day)
    assert day.books.aliases == [(OLD, NEW)] * 2, "once more on the 91st day"


def test_a_second_change_of_the_key_is_another_tie(day: Day) -> None:
    day.card(NEW, formerly=OLD)
    gone(day)
    day.card(b"2" * 16, formerly=NEW)
    assert day.books.aliases == [(OLD, NEW), (NEW, b"2" * 16)]


def test_nobody_is_tied_while_one_key_is_valid(day: Day) -> None:
    day.card(NEW)
    assert day.books.aliases == []


def test_a_card_shown_for_its_drop_is_tied_too() -> None:
    day = Day(5)
    day.run(4_000)
    day.drop(NEW, "b0", 300)
    day.run(5_000)
    day.post(Touch(day.t_ms, "claim"))
    day.card(NEW, formerly=OLD)
    assert day.books.checkins == []
    assert day.books.aliases == [(OLD, NEW)]


def test_a_card_that_had_its_point_under_the_old_name_gets_none_under_the_new(day: Day) -> None:
    day.card(OLD)
    gone(day)
    day.card(NEW, formerly=OLD)
    assert day.station.view().points == 0 and day.station.view().points_limited


def test_the_households_other_card_does_not_get_the_days_point_again(day: Day) -> None:
    day.card(NEW, formerly=OLD)
    assert day.station.view().points == 1
    gone(day)
    day.card(b"m" * 16, formerly=OLD)
    assert day.station.view().points == 0


def test_a_visit_goes_on_over_the_change_of_the_key() -> None:
    day = Day(5)
    day.run(4_000)
    day.card(OLD)
    day.run(3_000)
    day.drop(OLD, "b1", 150)
    day.run(60_000)
    day.card(NEW, formerly=OLD)
    day.run(3_000)
    day.drop(NEW, "b1", 150)
    day.run(6_000)
    assert sum(w.points for w in day.books.weighings) == 3, "300 g of one visit at 10 a kilogram"
    assert day.station.view().visit_g in range(260, 341)


def test_a_visit_that_is_open_under_the_old_name_is_not_opened_twice(day: Day) -> None:
    day.card(OLD)
    day.card(NEW, formerly=OLD)
    assert day.books.checkins == [OLD]
