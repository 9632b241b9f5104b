"""The caretaker's corner against the rules alone: opened, kept, ended, and idle while it is closed."""

from __future__ import annotations

import os
import random

import pytest
from kept_day import KeptDay

from kiosk.core.cornered import UNTOUCHED_MS
from kiosk.core.entries import CardBegun, Checkin, Commanded, Weighing
from kiosk.core.events import (
    CardRefused,
    CardSeen,
    CardWork,
    CornerActed,
    CornerAsked,
    CornerWord,
    OrderGiven,
    Tick,
)
from kiosk.core.orders import LockBin, UnlockBin

CARE, ANN, SPARE = b"c" * 16, b"a" * 16, b"s" * 16
WORLDS = max(6, int(os.environ.get("KIOSK_SEARCH_SIZE", "0")))


class Corner(KeptDay):
    """A day with a caretaker."""

    def say(self, word: CornerWord) -> list[str]:
        return self.tell(CornerAsked(self.t_ms, "r", word))

    def show(self, name: bytes, *, caretaker: bool = False, spare: bool = False) -> None:
        self.tell(CardSeen(self.t_ms, name, "qr", True, caretaker=caretaker, spare=spare))

    def act(self, *, lock: bool = True) -> list[str]:
        bin_id = next(iter(self.station.bins))
        order = LockBin(bin_id) if lock else UnlockBin(bin_id)
        return self.tell(
            CornerActed(self.t_ms, "r", OrderGiven(self.t_ms, "r", "caretaker", order))
        )

    def skip(self, ms: int) -> None:
        """Nobody touches a scale meanwhile: no sample is looked at."""
        self.t_ms += ms
        self.post(Tick(self.t_ms))

    def written(self, kind: type) -> int:
        return sum(isinstance(item.draft, kind) for item in self.items)

    @property
    def seen(self) -> str:
        return self.station.view().corner

    def enter(self) -> None:
        self.say("begin")
        self.show(CARE, caretaker=True)
        assert self.seen == "open"


@pytest.fixture
def day() -> Corner:
    return Corner()


def test_while_somebody_is_thanked_the_touch_asks_for_the_card_and_the_next_drop_goes_before_it(
    day: Corner,
) -> None:
    """People follow each other closely: the page that waits for somebody is hardly ever there."""
    bin_id = next(iter(day.platforms))
    day.drop(None, bin_id, 4_000)
    while day.phase != "no_card":
        day.run(200)
    assert day.say("begin") == ["done"]
    assert day.seen == "card"
    day.drop(None, bin_id, 3_000)
    day.run(2_000)
    assert day.phase in ("weighing", "recorded") and day.seen == "closed"


def test_a_bare_caretakers_card_is_greeted_like_everybodys(day: Corner) -> None:
    day.show(CARE, caretaker=True)
    assert day.seen == "closed" and day.written(Checkin) == 1


def test_after_the_touch_it_opens_and_is_no_check_in(day: Corner) -> None:
    assert day.say("begin") == ["done"]
    assert day.seen == "card" and day.station.view().awaiting is None
    day.show(CARE, caretaker=True)
    assert day.seen == "open" and day.written(Checkin) == 0
    day.show(CARE, caretaker=True)
    assert day.written(Checkin) == 0, "the card lay at the reader a while longer"


def test_whoever_comes_by_after_the_touch_is_greeted_and_the_touch_is_over(day: Corner) -> None:
    day.say("begin")
    day.show(ANN)
    assert day.written(Checkin) == 1 and day.seen == "closed"
    day.show(CARE, caretaker=True)
    assert day.seen == "closed"


def test_a_card_that_is_refused_after_the_touch_is_told_of_at_the_corners_door(day: Corner) -> None:
    day.say("begin")
    day.tell(CardRefused(day.t_ms, "qr", "unknown"))
    assert day.seen == "card" and day.station.view().refusals == 1
    day.show(CARE, caretaker=True)
    assert day.seen == "open"


def test_whoever_drops_without_a_card_after_the_touch_sees_the_drop(day: Corner) -> None:
    day.say("begin")
    day.say("number")
    bin_id = next(iter(day.station.bins))
    day.drop(None, bin_id, 640)
    day.run(6_000)
    assert day.written(Weighing) == 1 and day.phase == "no_card" and day.seen == "closed"
    day.run(30_000)
    assert day.seen == "card", "the resident has gone, and there is time left"


def test_the_touch_counts_for_thirty_seconds(day: Corner) -> None:
    day.say("begin")
    day.skip(31_000)
    day.show(CARE, caretaker=True)
    assert day.seen == "closed" and day.written(Checkin) == 1


def test_a_card_closed_a_moment_ago_opens_nothing(day: Corner) -> None:
    day.tell(CardWork(day.t_ms, "r", "close"))
    day.show(CARE, caretaker=True)
    day.say("begin")
    day.show(CARE, caretaker=True)
    assert day.seen == "closed"


def test_the_right_number_opens_only_before_the_pad(day: Corner) -> None:
    assert day.say("opened") == ["corner_closed"]
    assert day.say("number") == ["done"]
    assert day.say("opened") == ["done"] and day.seen == "open"


def test_untouched_it_ends_and_every_touch_keeps_it(day: Corner) -> None:
    day.enter()
    for _ in range(3):
        day.skip(UNTOUCHED_MS - 2_000)
        assert day.say("touch") == ["done"]
    day.skip(UNTOUCHED_MS + 1_000)
    assert day.seen == "closed" and day.say("touch") == ["corner_closed"]
    assert day.act() == ["corner_closed"] and day.written(Commanded) == 0


def test_a_restart_ends_it(day: Corner) -> None:
    day.enter()
    day._start(same_boot=True)
    day.run(4_000)
    assert day.seen == "closed" and day.act() == ["corner_closed"]


def test_work_is_written_as_the_caretakers_and_names_nobody(day: Corner) -> None:
    day.enter()
    assert day.act() == ["done"]
    (entry,) = [item for item in day.items if isinstance(item.draft, Commanded)]
    assert entry.draft.by == "caretaker" and entry.pseudonym is None  # type: ignore[union-attr]


def test_a_new_card_is_handed_out_where_residents_may_not_begin_one(day: Corner) -> None:
    assert not day.station.view().can_begin
    day.enter()
    day.tell(CornerActed(day.t_ms, "r", CardWork(day.t_ms, "r", "begin")))
    day.show(SPARE, spare=True)
    assert day.written(CardBegun) == 1 and day.answers[-1].code == "done"


def test_a_resident_meanwhile_is_greeted_weighed_and_thanked(day: Corner) -> None:
    day.enter()
    day.run(500)
    day.show(ANN)
    assert day.seen == "aside" and day.station.view().phase == "greeting"
    day.run(500)
    day.say("touch")
    assert day.seen == "open", "a touch goes on where it was"
    bin_id = next(iter(day.station.bins))
    day.drop(ANN, bin_id, 640)
    day.run(6_000)
    assert day.written(Weighing) == 1 and day.seen == "aside"
    day.run(60_000)
    assert day.seen == "open", "the resident has gone"


def test_while_the_command_line_waits_for_a_card_the_touch_says_so(day: Corner) -> None:
    day.tell(CardWork(day.t_ms, "cli", "appoint"))
    assert day.station.view().awaiting == "appoint"
    assert day.say("begin") == ["busy"]
    day.show(ANN)
    assert day.answers[-1].code == "done" and day.answers[-1].card == ANN
    assert day.written(Checkin) == 0


def test_a_card_that_anybody_can_copy_becomes_no_caretakers(day: Corner) -> None:
    day.tell(CardWork(day.t_ms, "cli", "appoint"))
    day.post(CardSeen(day.t_ms, ANN, "nfc", False))
    assert day.answers[-1].code == "no_proof" and day.answers[-1].card is None


@pytest.mark.parametrize("seed", range(WORLDS))
def test_whatever_happens_nothing_is_done_from_a_closed_corner(seed: int) -> None:
    draw = random.Random(seed)
    day = Corner()
    open_until = awaits_until = 0
    done = 0
    busy: set[bytes] = set()
    for _ in range(60):
        t_ms = day.t_ms
        is_open = t_ms < open_until
        awaits = not is_open and t_ms < awaits_until
        match draw.choice(("begin", "opened", "end", "touch", "care", "ann", "act", "act", "wait")):
            case "begin":
                assert day.say("begin") == ["done"]
                if is_open:
                    open_until = t_ms + UNTOUCHED_MS
                else:
                    awaits_until = t_ms + 30_000
            case "opened":
                told = day.say("opened")
                assert told == (["done"] if awaits or is_open else ["corner_closed"])
                if told == ["done"]:
                    open_until, awaits_until = t_ms + UNTOUCHED_MS, 0
            case "end":
                day.say("end")
                open_until = awaits_until = 0
            case "touch":
                assert day.say("touch") == (["done"] if is_open else ["corner_closed"])
                open_until = t_ms + UNTOUCHED_MS if is_open else open_until
            case "care":
                before = day.written(Checkin)
                day.show(CARE, caretaker=True)
                if awaits:
                    open_until, awaits_until = t_ms + UNTOUCHED_MS, 0
                    assert day.written(Checkin) == before and day.seen != "closed"
                elif day.written(Checkin) == before and is_open and CARE not in busy:
                    open_until = t_ms + UNTOUCHED_MS  # the card that opened it
                else:
                    busy.add(CARE)
            case "ann":
                day.show(ANN)
                awaits_until = 0
            case "act":
                told = day.act(lock=bool(draw.getrandbits(1)))
                assert told == (["done"] if is_open else ["corner_closed"])
                done += is_open
                open_until = t_ms + UNTOUCHED_MS if is_open else open_until
            case "wait":
                day.skip(draw.choice((500, 20_000, 100_000, UNTOUCHED_MS + 500)))
        assert day.written(Commanded) == done
        assert (day.seen in ("open", "aside")) == (day.t_ms < open_until)
