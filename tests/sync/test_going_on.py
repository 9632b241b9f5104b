"""A card that died in mid-drain: its gap is nobody's, and takes nothing from the ledger that goes on."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sync_site import CITY_KEY, TOPIC, Book

from sync.messages import AckError, encode_ack
from sync.receiver import care, registry
from sync.receiver.arriving import Delivery
from sync.receiver.giving_up import Left, give_up
from sync.receiver.parking import MAX_PARKED
from sync.receiver.reminders import GAPS_OF_THE_PAST, Answer, remind, standing
from sync.receiver.store import take
from sync.receiver.tables import parked, quarantine

NOW_MS = 1_000_000
MINUTES_MS = 400_000
"""Longer than any wait between two words on a gap."""


def send(city: sa.Engine, *payloads: bytes, now_ms: int = NOW_MS) -> list[Answer]:
    return take(city, [Delivery(TOPIC, payload) for payload in payloads], now_ms).answers


def died(city: sa.Engine) -> Book:
    """What was on its way is at the city but for the middle."""
    book = Book(ledger="ff" * 16)
    book.weigh(29)
    send(city, book.batch(0, 10), book.batch(20))
    return book


def codes(city: sa.Engine, now_ms: int) -> list[str]:
    with city.connect() as connection:
        return [each.code for one in care.look(connection, now_ms) for each in one.findings]


@pytest.mark.parametrize("knows", [True, False], ids=["ack kept", "nothing kept"])
def test_the_gap_of_a_card_that_died_takes_no_place_of_the_new_ones(
    city: sa.Engine, knows: bool
) -> None:
    old = died(city)
    point = {"ledger": old.ledger, "seq": 10, "head": old.hashes[10].hex()} if knows else None
    new = Book(ledger="a2" * 16, continues=point)
    (answer,) = send(city, new.batch(0), now_ms=NOW_MS + 1)
    retained = answer.ack
    assert answer.stands
    said = []
    for turn in range(1, 4 * GAPS_OF_THE_PAST):
        said += remind(city, NOW_MS + turn * MINUTES_MS)
    assert [each.ack.ledger for each in said] == [old.ledger] * GAPS_OF_THE_PAST
    assert not any(each.stands for each in said), "the retained place is the new ledger's"
    assert [each.ack for each in standing(city, "")] == [retained]
    assert new.judge(encode_ack(retained, CITY_KEY)) is not None
    assert codes(city, NOW_MS + 4 * GAPS_OF_THE_PAST * MINUTES_MS) == []


def test_what_a_dead_card_left_is_set_aside_and_told_once_its_gap_is_told_no_more(
    city: sa.Engine,
) -> None:
    old = died(city)
    new = Book(ledger="a2" * 16)
    send(city, new.batch(0), now_ms=NOW_MS + 1)
    now_ms = NOW_MS
    for _ in range(GAPS_OF_THE_PAST):
        now_ms += MINUTES_MS
        assert remind(city, now_ms) != [] and give_up(city, now_ms) == []
    now_ms += MINUTES_MS
    assert give_up(city, now_ms) == [Left("demo", "hall-1", old.ledger, 1)]
    assert give_up(city, now_ms) == remind(city, now_ms) == []
    with city.connect() as connection:
        assert connection.execute(sa.select(parked)).all() == []
        (row,) = connection.execute(sa.select(quarantine))
        assert (row.ledger, row.first, row.reason) == (old.ledger, 21, "gap")
    assert codes(city, now_ms) == ["refused"]
    assert codes(city, now_ms + care.RECENT_MS) == []
    # The card is found after all: a batch that comes too early waits again, and all of it joins on.
    send(city, old.batch(20), now_ms=now_ms)
    assert give_up(city, now_ms) == []
    (answer,) = send(city, old.batch(10, 20), now_ms=now_ms + 1)
    assert answer.ack.seq == old.head
    assert give_up(city, now_ms + MINUTES_MS) == []


def test_a_living_ledgers_parked_batches_are_never_given_up(city: sa.Engine) -> None:
    died(city)
    now_ms = NOW_MS
    for _ in range(3 * GAPS_OF_THE_PAST):
        now_ms += MINUTES_MS
        remind(city, now_ms)
        assert give_up(city, now_ms) == []


def test_a_living_ledgers_gap_is_told_as_long_as_it_lasts(city: sa.Engine) -> None:
    old = died(city)
    for turn in range(1, 2 * GAPS_OF_THE_PAST):
        (answer,) = remind(city, NOW_MS + turn * MINUTES_MS)
        assert (answer.ack.ledger, answer.ack.error, answer.stands) == (
            old.ledger, AckError("gap", 11), True,
        )  # fmt: skip
    assert codes(city, NOW_MS + 2 * GAPS_OF_THE_PAST * MINUTES_MS) == ["gap"]


def test_after_a_restore_both_are_told_and_the_place_is_the_one_that_goes_on(
    city: sa.Engine,
) -> None:
    old = Book(ledger="ff" * 16)
    send(city, old.batch(0))
    new = Book(ledger="a2" * 16)
    send(city, new.batch(0), now_ms=NOW_MS + 1)
    with city.begin() as connection:
        registry.new_epoch(connection)
    told = {each.ack.ledger: each.stands for each in remind(city, NOW_MS)}
    assert told == {old.ledger: False, new.ledger: True}


def test_where_all_places_are_taken_a_gap_is_told_all_the_same(city: sa.Engine) -> None:
    """By batches of a ledger that never joins on: nothing parked would be a gap of which nobody speaks."""
    old = Book(ledger="ff" * 16)
    old.weigh(MAX_PARKED + 5)
    send(city, *(old.batch(seq, seq + 1) for seq in range(2, old.head)))
    new = Book(ledger="a2" * 16)
    new.weigh(9)
    send(city, new.batch(0, 3), new.batch(7), new.batch(5, 7), now_ms=NOW_MS + 1)
    said = {each.ack.ledger: each.ack.error for each in remind(city, NOW_MS + MINUTES_MS)}
    assert said[new.ledger] == AckError("gap", 4)
    (answer,) = send(city, new.batch(3, 5), now_ms=NOW_MS + MINUTES_MS)
    assert answer.ack.seq == 7, "of two that wait, one place kept the lower"
