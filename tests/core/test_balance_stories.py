"""Stories of 「ポイントを見る」, in virtual time."""

from __future__ import annotations

import pytest
from kept_day import KeptDay

from kiosk.core.entries import BalanceAsked, Checkin
from kiosk.core.events import BalanceTold, CardSeen, CardWork, Event, LinkChanged, Touch

ANN, BOB, NEW = b"a" * 16, b"b" * 16, b"n" * 16


class Hall(KeptDay):
    """A day on line in a town that lets residents ask."""

    def __init__(self, *, balance: bool = True) -> None:
        super().__init__("one_by_one", balance=balance)
        self.online(True)

    def online(self, is_so: bool) -> None:
        self.post(LinkChanged(self.t_ms, is_so))

    def touch(self) -> None:
        self.post(Touch(self.t_ms, "balance"))

    def show(self, name: bytes, **more: object) -> None:
        self.post(CardSeen(self.t_ms, name, "qr", True, **more))  # type: ignore[arg-type]

    def ask(self, name: bytes = ANN) -> str:
        """A touch and a card; the ask's name."""
        self.touch()
        self.show(name)
        draft = self.items[-1].draft
        assert isinstance(draft, BalanceAsked)
        return draft.ask

    def told(self, ask: str, points: int = 120) -> None:
        event: Event = BalanceTold(self.t_ms, ask, points)
        self.post(event)

    @property
    def balance(self) -> int | None:
        return self.station.view().balance


@pytest.fixture
def hall() -> Hall:
    return Hall()


def test_a_touch_a_card_and_the_citys_answer_is_shown_once_and_goes(hall: Hall) -> None:
    assert hall.station.view().can_ask
    ask = hall.ask()
    assert [(type(i.draft), i.pseudonym) for i in hall.items] == [(BalanceAsked, ANN)]
    assert (hall.phase, hall.balance) == ("balance_asked", None)
    assert hall.station.view().visits_open == 0, "to look is no visit"
    hall.run(1_000)
    hall.told(ask)
    assert (hall.phase, hall.balance) == ("balance", 120)
    hall.run(9_000)
    assert (hall.phase, hall.balance) == ("waiting", None)
    hall.told(ask)
    assert (hall.phase, hall.balance) == ("waiting", None), "an answer answers once"


def test_a_bare_card_means_i_am_here_also_when_the_touch_is_over(hall: Hall) -> None:
    hall.show(ANN)
    hall.touch()
    assert hall.station.view().awaiting == "balance"
    hall.run(31_000)
    hall.show(BOB)
    assert [type(i.draft) for i in hall.items if i.pseudonym] == [Checkin, Checkin]


def test_without_the_line_it_is_said_at_once_and_nothing_is_written(hall: Hall) -> None:
    hall.online(False)
    hall.touch()
    assert (hall.phase, hall.station.view().awaiting) == ("balance_unknown", None)
    hall.run(7_000)
    hall.online(True)
    hall.touch()
    hall.online(False)
    hall.show(ANN)
    assert hall.phase == "balance_unknown"
    assert hall.items == []


def test_an_answer_that_is_late_or_to_another_ask_is_passed_over(hall: Hall) -> None:
    first = hall.ask()
    hall.run(31_000)
    assert hall.phase == "balance_unknown"
    hall.told(first)
    assert hall.balance is None
    second = hall.ask()
    assert second != first
    hall.told(first)
    assert (hall.phase, hall.balance) == ("balance_asked", None)
    hall.told(second, -3)
    assert hall.balance == -3


def test_nobody_sees_the_balance_of_the_one_before(hall: Hall) -> None:
    ask = hall.ask(ANN)
    hall.show(BOB)
    hall.told(ask)
    assert (hall.phase, hall.balance) == ("greeting", None)


def test_a_spare_card_has_no_balance_and_a_renamed_one_asks_under_its_former_name(
    hall: Hall,
) -> None:
    hall.touch()
    hall.show(NEW, spare=True)
    assert (hall.phase, hall.items) == ("spare", [])
    hall.touch()
    hall.show(NEW, formerly=ANN)
    assert [i.pseudonym for i in hall.items] == [ANN]


def test_a_caretakers_word_goes_first_and_the_last_touch_counts(hall: Hall) -> None:
    hall.post(CardWork(hall.t_ms, "r1", "close"))
    hall.touch()
    assert hall.station.view().awaiting == "close"
    hall.post(CardWork(hall.t_ms, "r1", "end"))
    hall.drop(None, "b0", 400.0)
    hall.run(6_000)
    hall.touch()
    hall.post(Touch(hall.t_ms, "claim"))
    hall.show(ANN)
    assert BalanceAsked not in [type(i.draft) for i in hall.items]


def test_a_town_that_does_not_want_it_has_no_such_touch() -> None:
    hall = Hall(balance=False)
    assert not hall.station.view().can_ask
    hall.touch()
    hall.show(ANN)
    assert [type(i.draft) for i in hall.items] == [Checkin]
