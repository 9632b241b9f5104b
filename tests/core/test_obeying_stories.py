"""Stories of what the city and caretakers order: locked, closed, a message, "this one"."""

from __future__ import annotations

import pytest
from hw_sim.days import Day

from kiosk.core import standing
from kiosk.core.effects import Answered, Beep, Effect, Lamp, Record
from kiosk.core.entries import Commanded
from kiosk.core.events import CardSeen, Event, Moment, OrderGiven, Tick
from kiosk.core.orders import (
    AnyOrder,
    Close,
    Identify,
    LockBin,
    Message,
    Open,
    Refresh,
    UnlockBin,
)

ANN = b"a" * 16
HOUR_MS = 3_600_000
LATER_MS = 10**9


class Hall(Day):
    """A day of which every effect and every order's entry is kept; the disk may be full."""

    def __init__(self) -> None:
        super().__init__(1, crowd="together")
        self.effects: list[Effect] = []
        self.written: list[Commanded] = []
        self.clock_known = True
        self.disk_full = False
        self.run(4_000)
        self.ids = 0

    def post(self, event: Event) -> None:
        clock = "synced" if getattr(self, "clock_known", True) else "unsynced"
        now = Moment(self.t_ms, self.t_ms, clock, self.days)  # type: ignore[arg-type]
        waiting: list[Effect] = list(reversed(self.station.handle(event, now)))
        while waiting:
            effect = waiting.pop()
            if isinstance(effect, Record):
                if getattr(self, "disk_full", False):
                    waiting.extend(reversed(self.station.failed(effect.items)))
                    continue
                seqs = self.books.append(effect.items)
                drafts = [item.draft for item in effect.items]
                if hasattr(self, "written"):
                    self.written += [d for d in drafts if isinstance(d, Commanded)]
                waiting.extend(reversed(self.station.recorded(effect.items, seqs)))
            elif isinstance(effect, Answered):
                self.answers.append(effect)
            elif hasattr(self, "effects"):
                self.effects.append(effect)

    def order(self, order: AnyOrder, *, name: str | None = None, end_ms: int = LATER_MS) -> str:
        """The city's; how it was answered."""
        self.ids += 1
        known = len(self.answers)
        asked = OrderGiven(self.t_ms, "r", "city", order, name or f"c{self.ids}", end_ms)
        self.post(asked)
        return self.answers[-1].code if len(self.answers) > known else "silence"

    def caretaker(self, order: AnyOrder) -> None:
        self.post(OrderGiven(self.t_ms, "r", "caretaker", order))

    def locked(self) -> list[str]:
        return [one.bin for one in self.station.view().bins if one.locked]


@pytest.fixture
def hall() -> Hall:
    return Hall()


def test_a_locked_bin_says_so_through_a_night_and_weighs_what_falls_in_all_the_same(
    hall: Hall,
) -> None:
    assert hall.order(LockBin("b1")) == "done"
    assert Lamp("b1", "off") in hall.effects
    hall.power_cut(9 * HOUR_MS)
    assert hall.locked() == ["b1"]
    hall.effects.clear()
    hall.drop(None, "b1", 500)
    hall.run(8_000)
    assert [w.bin for w in hall.books.weighings] == ["b1"]
    assert Beep("recorded") in hall.effects
    assert Lamp("b1", "on") not in hall.effects, "no lamp calls people to a locked bin"
    assert hall.order(UnlockBin("b1")) == "done"
    assert hall.locked() == []
    assert [one.order for one in hall.written] == [LockBin("b1"), UnlockBin("b1")]
    hall.check()


def test_a_bin_that_is_not_there_cannot_be_locked(hall: Hall) -> None:
    assert hall.order(LockBin("b9")) == "no_such_bin"
    assert hall.written == []


def test_a_closed_station_says_why_greets_whoever_comes_and_weighs(hall: Hall) -> None:
    assert hall.order(Close({"ja": "点検中"})) == "done"
    view = hall.station.view()
    assert (view.phase, view.closed) == ("closed", {"ja": "点検中"})
    hall.post(CardSeen(hall.t_ms, ANN, "qr", True))
    assert hall.station.view().phase == "greeting"
    assert hall.station.view().closed is not None, "and is told that it is closed"
    hall.drop(ANN, "b0", 800)
    hall.run(40_000)
    assert [w.net_g for w in hall.books.weighings] == [pytest.approx(800, abs=20)]
    assert hall.station.view().phase == "closed"
    hall.restart()
    assert hall.station.view().phase == "closed"
    hall.caretaker(Open())
    assert (hall.station.view().phase, hall.station.view().closed) == ("waiting", None)
    assert [(one.by, one.id) for one in hall.written] == [("city", "c1"), ("caretaker", None)]


def test_a_clock_that_nobody_vouches_for_closes_and_opens_nothing(hall: Hall) -> None:
    hall.order(Close(None))
    hall.order(Open())
    hall.clock_known = False
    hall.power_cut(HOUR_MS)
    hall.run(10_000)
    assert hall.station.view().phase == "waiting"
    hall.caretaker(Close({"ja": "停電"}))
    hall.power_cut(HOUR_MS)
    assert hall.station.view().closed == {"ja": "停電"}


def test_a_message_stands_until_its_time_and_does_not_come_back_with_an_unknown_clock(
    hall: Hall,
) -> None:
    text = {"ja": "<b>明日は休みです</b>", "en": "Closed tomorrow"}
    assert hall.order(Message(text, hall.t_ms + HOUR_MS)) == "done"
    hall.restart()
    assert hall.station.view().message == text, "hostile or not, text is text"
    hall.quiet(HOUR_MS)
    assert hall.station.view().message is None
    assert hall.written[-1].by == "station"
    hall.clock_known = False
    hall.power_cut(HOUR_MS)
    assert hall.station.view().message is None


def test_a_message_taken_away_by_the_city_is_gone(hall: Hall) -> None:
    hall.order(Message({"ja": "あ"}, LATER_MS))
    hall.order(Message(None, 0))
    assert hall.station.view().message is None
    hall.run(2_000)
    assert len(hall.written) == 2


def test_this_one_blinks_sounds_and_says_so_for_its_seconds(hall: Hall) -> None:
    assert hall.order(Identify(5)) == "done"
    assert hall.effects == [Beep("here"), *(Lamp(f"b{n}", "blink") for n in range(4))]
    assert hall.station.view().here
    hall.effects.clear()
    hall.run(5_100)
    assert not hall.station.view().here
    assert hall.effects == [Lamp(f"b{n}", "off") for n in range(4)]


def test_the_same_command_twice_is_done_once_and_answered_alike_also_after_a_night(
    hall: Hall,
) -> None:
    assert hall.order(LockBin("b1"), name="once") == "done"
    hall.order(UnlockBin("b1"))
    assert hall.order(LockBin("b1"), name="once") == "done"
    assert hall.locked() == []
    hall.clock_known = False
    hall.power_cut(9 * HOUR_MS)
    assert hall.order(LockBin("b1"), name="once") == "done"
    assert hall.locked() == [], "nor may somebody who kept it lock the bin again"
    assert len(hall.written) == 2


def test_what_could_not_be_kept_is_not_done_and_not_after_its_end(hall: Hall) -> None:
    hall.disk_full = True
    assert hall.order(LockBin("b1"), name="late", end_ms=hall.t_ms + 60_000) == "silence"
    assert hall.locked() == []
    hall.t_ms += 61_000
    hall.disk_full = False
    hall.post(Tick(hall.t_ms))
    assert hall.answers[-1].code == "expired"
    assert hall.locked() == []
    assert hall.order(LockBin("b1"), name="again") == "done"


def test_commands_without_end_are_bounded_and_time_makes_room(hall: Hall) -> None:
    end_ms = hall.t_ms + HOUR_MS
    for number in range(standing.MAX_DONE):
        assert hall.order(Refresh(), name=f"n{number}", end_ms=end_ms) == "done"
    assert hall.order(Refresh(), end_ms=end_ms) == "too_many"
    assert hall.order(Refresh(), name="n0", end_ms=end_ms) == "done", "known: answered alike"
    hall.t_ms = end_ms + standing.KEEP_MS
    assert hall.order(Refresh()) == "done"
    hall.caretaker(Close(None))
    assert hall.station.view().phase == "closed", "a caretaker is never shut out"
