"""Stories of cards that change hands: begun, lost, replaced, closed."""

from __future__ import annotations

import pytest
from kept_day import KeptDay

from kiosk.core.effects import Record
from kiosk.core.entries import CardAccount, CardBegun, CardClosed, CardJoined, Checkin
from kiosk.core.events import CardRefused, CardSeen, CardWork, Moment, SlipSeen, Touch

ANN, BOB = b"a" * 16, b"b" * 16
NEW, OLD, HOME = b"n" * 16, b"o" * 16, b"h" * 16


class Desk(KeptDay):
    """A day in a town whose residents may begin a card by themselves."""

    def __init__(self, *, self_issue: bool = True) -> None:
        super().__init__(self_issue=self_issue)

    def show(self, name: bytes, *, spare: bool = False, account: bytes | None = None) -> list[str]:
        card = None if account is None else name
        return self.tell(CardSeen(self.t_ms, account or name, "qr", True, card=card, spare=spare))

    def ask(self, work: str, lost: SlipSeen | None = None) -> list[str]:
        assert work in ("replace", "close", "end")
        return self.tell(CardWork(self.t_ms, "r1", work, lost))  # type: ignore[arg-type]

    def slip(self, card: bytes, account: bytes | None = None, *, closed: bool = False) -> SlipSeen:
        return SlipSeen(self.t_ms, card, account or card, closed)

    def kinds(self) -> list[tuple[type, bytes | None, int]]:
        return [(type(i.draft), i.pseudonym, i.back) for i in self.items]


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_a_touch_and_a_spare_card_make_a_resident_without_a_name(desk: Desk) -> None:
    assert desk.station.view().can_begin
    desk.tell(Touch(desk.t_ms, "begin_card"))
    assert desk.station.view().awaiting == "begin"
    desk.show(NEW, spare=True)
    assert desk.kinds() == [(CardBegun, NEW, 0), (Checkin, NEW, 0)]
    assert desk.phase == "welcome"
    desk.run(5_000)
    assert desk.phase == "greeting", "and drops as anybody does"


def test_a_spare_card_without_the_touch_is_told_to_touch_first(desk: Desk) -> None:
    desk.show(NEW, spare=True)
    assert desk.phase == "spare"
    assert desk.items == []
    desk.run(7_000)
    assert desk.phase == "waiting"


def test_the_touch_counts_for_thirty_seconds_and_no_longer(desk: Desk) -> None:
    desk.tell(Touch(desk.t_ms, "begin_card"))
    desk.run(31_000)
    assert desk.station.view().awaiting is None
    desk.show(NEW, spare=True)
    assert desk.phase == "spare"


def test_a_resident_who_touches_by_mistake_and_shows_an_own_card_is_greeted(desk: Desk) -> None:
    desk.tell(Touch(desk.t_ms, "begin_card"))
    desk.show(ANN)
    assert desk.kinds() == [(Checkin, ANN, 0)]
    desk.show(NEW, spare=True)
    assert desk.phase == "spare", "the touch was answered by the card before"


def test_where_the_town_does_not_allow_it_the_touch_does_nothing() -> None:
    desk = Desk(self_issue=False)
    assert not desk.station.view().can_begin
    desk.tell(Touch(desk.t_ms, "begin_card"))
    desk.show(NEW, spare=True)
    assert desk.phase == "spare"
    assert desk.items == []


def test_two_readers_that_see_the_spare_card_at_once_begin_it_once(desk: Desk) -> None:
    desk.tell(Touch(desk.t_ms, "begin_card"))
    desk.show(NEW, spare=True)
    desk.show(NEW, spare=True)
    assert [kind for kind, _, _ in desk.kinds()].count(CardBegun) == 1
    assert desk.phase == "greeting"


def test_a_lost_cards_points_follow_to_the_next_spare_card(desk: Desk) -> None:
    assert desk.ask("replace", desk.slip(OLD)) == ["show_card"]
    assert desk.station.view().awaiting == "replace"
    assert desk.show(NEW, spare=True) == ["done"]
    assert desk.kinds() == [(CardClosed, OLD, 0), (CardJoined, NEW, 1)]
    assert desk.phase == "welcome"
    first = desk.items[0].draft
    assert isinstance(first, CardClosed)
    assert first.reason == "replaced"


def test_of_a_household_the_account_is_named_beside_the_lost_card(desk: Desk) -> None:
    desk.ask("replace", desk.slip(OLD, HOME))
    desk.show(NEW, spare=True)
    assert desk.kinds() == [
        (CardClosed, OLD, 0),
        (CardAccount, HOME, 0),
        (CardJoined, NEW, 1),
    ]


def test_a_neighbour_who_comes_by_while_a_card_is_replaced_is_only_greeted(desk: Desk) -> None:
    desk.ask("replace", desk.slip(OLD))
    desk.show(BOB)
    assert desk.kinds() == [(Checkin, BOB, 0)]
    assert desk.show(NEW, spare=True) == ["done"]


def test_the_slip_is_shown_and_then_the_new_card(desk: Desk) -> None:
    assert desk.ask("replace") == []
    assert desk.station.view().awaiting == "slip"
    assert desk.tell(desk.slip(OLD)) == ["show_card"]
    assert desk.show(NEW, spare=True) == ["done"]


def test_a_slip_that_nobody_asked_for_does_nothing(desk: Desk) -> None:
    desk.tell(desk.slip(OLD))
    assert desk.items == []
    assert desk.phase == "refused"


def test_a_card_is_replaced_once(desk: Desk) -> None:
    desk.ask("replace", desk.slip(OLD))
    desk.show(NEW, spare=True)
    assert desk.ask("replace", desk.slip(OLD)) == ["card_closed"]
    assert desk.ask("replace", desk.slip(BOB, closed=True)) == ["card_closed"]


def test_the_lost_card_itself_cannot_be_its_own_replacement(desk: Desk) -> None:
    desk.ask("replace", desk.slip(NEW))
    assert desk.show(NEW, spare=True) == []
    assert desk.items == []


def test_a_replacement_that_is_called_off_or_forgotten_changes_nothing(desk: Desk) -> None:
    desk.ask("replace", desk.slip(OLD))
    desk.ask("end")
    assert desk.show(NEW, spare=True) == []
    desk.ask("replace", desk.slip(OLD))
    desk.run(29_000)
    assert desk.station.view().awaiting == "replace"
    desk.run(2_000)
    assert desk.station.view().awaiting is None
    assert desk.items == []


def test_a_lost_card_is_closed_by_its_code_without_a_word_on_the_screen(desk: Desk) -> None:
    assert desk.ask("close", desk.slip(OLD, HOME)) == ["done"]
    assert desk.kinds() == [(CardClosed, OLD, 0)]
    assert desk.phase == "waiting"
    assert desk.ask("close", desk.slip(OLD, HOME)) == ["card_closed"]


def test_a_card_found_in_the_street_is_closed_by_showing_it(desk: Desk) -> None:
    desk.ask("close")
    assert desk.show(OLD, account=HOME) == ["done"]
    assert desk.kinds() == [(CardClosed, OLD, 0)]
    assert desk.phase == "stopped"


def test_a_found_card_that_is_closed_already_is_told_so_and_another_towns_is_waited_past(
    desk: Desk,
) -> None:
    desk.ask("close")
    assert desk.tell(CardRefused(desk.t_ms, "qr", "unknown")) == []
    assert (desk.phase, desk.station.view().awaiting) == ("refused", "close")
    assert desk.tell(CardRefused(desk.t_ms, "qr", "closed")) == ["card_closed"]
    assert desk.station.view().awaiting is None and desk.items == []
    assert desk.tell(CardRefused(desk.t_ms, "qr", "closed")) == []
    assert desk.phase == "refused"


def test_a_resident_touches_in_vain_while_the_caretaker_waits_for_a_card(desk: Desk) -> None:
    desk.ask("replace", desk.slip(OLD))
    desk.tell(Touch(desk.t_ms, "begin_card"))
    assert desk.show(NEW, spare=True) == ["done"]


def test_a_disk_that_is_full_loses_no_closing(desk: Desk) -> None:
    now = Moment(desk.t_ms, desk.t_ms, "synced", desk.days)
    asked = CardWork(desk.t_ms, "r1", "close", desk.slip(OLD))
    (record,) = [e for e in desk.station.handle(asked, now) if isinstance(e, Record)]
    desk.station.failed(record.items)
    desk.run(1_500)
    assert [answer.code for answer in desk.answers] == ["done"], "as soon as there was room"
    assert desk.kinds() == [(CardClosed, OLD, 0)]
