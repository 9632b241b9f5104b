"""Votes: told by fives, once or never, whatever is cut off in between."""

from __future__ import annotations

import os
import random

from kept_day import KeptDay

from kiosk.core.events import Noted
from kiosk.core.said import AnySaid, Thanked, Voice
from kiosk.core.voices import (
    LEAST,
    REST_MS,
    Held,
    Rest,
    after_telling,
    held_for,
    to_tell,
    with_vote,
)
from kiosk.core.yard import AnyStock, Pickup

SEARCH = int(os.environ.get("KIOSK_SEARCH_SIZE", "100"))


def test_no_entry_tells_of_fewer_than_five() -> None:
    held = held_for(None, "snacks", 3, 0)
    for choice in (0, 1, 1, 2):
        held = with_vote(held, choice)
        assert to_tell(held) is None
    held = with_vote(held, 1)
    assert to_tell(held) == Voice("snacks", 1, (1, 3, 1))
    assert after_telling(held) == Held("snacks", (0, 0, 0), 1)


def test_every_vote_is_told_once_or_waits_whatever_is_cut_off() -> None:
    for seed in range(SEARCH):
        dice = random.Random(seed)
        ledger: list[Voice] = []
        file: Held | None = None  # what the last write left
        given = [0, 0]
        for _ in range(60):
            held = held_for(file, "q", 2, len(ledger))
            choice = dice.randrange(2)
            held = with_vote(held, choice)
            if dice.random() < 0.1:
                continue  # power cut before the vote was kept: nobody was thanked
            file = held
            given[choice] += 1
            entry = to_tell(held)
            if entry is None or dice.random() < 0.2:
                continue  # the ledger did not take it: tried again with the next vote
            ledger.append(entry)
            if dice.random() < 0.7:  # else power cut after the commit
                file = after_telling(held)
        waiting = held_for(file, "q", 2, len(ledger))
        for answer in range(2):
            told = sum(entry.counts[answer] for entry in ledger)
            assert told + waiting.counts[answer] == given[answer]
        assert all(sum(entry.counts) >= LEAST for entry in ledger)
        assert [entry.batch for entry in ledger] == list(range(1, len(ledger) + 1))


def test_what_waited_for_another_question_or_other_answers_is_never_told() -> None:
    held = Held("old", (2, 2), 0)
    assert held_for(held, "new", 2, 0) == Held("new", (0, 0), 0)
    assert held_for(held, "old", 3, 0) == Held("old", (0, 0, 0), 0)
    assert held_for(held, "old", 2, 0) is held


def test_one_finger_fills_no_box() -> None:
    rest = Rest(10_000, 3)
    assert not rest.is_over(10_000 + REST_MS - 1, 3)
    assert rest.is_over(10_000 + REST_MS, 3)
    assert rest.is_over(10_500, 4), "somebody else has come"


def test_who_is_greeted_between_touch_and_entry_is_not_beside_it() -> None:
    day = KeptDay()

    def written(draft: AnyStock | AnySaid) -> bool:
        day.post(Noted(day.t_ms, draft))
        return any(item.draft is draft for item in day.items)

    day.card(b"a" * 16)
    assert not written(Thanked("bag")) and written(Pickup("pet-bottle", 1, None, None))
    day.run(180_000)
    assert day.station.view().visits_open == 0 and written(Thanked("bag"))
