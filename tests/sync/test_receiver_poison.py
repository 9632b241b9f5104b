"""What a mad or hostile station may sign: none of it ends a receiver, holds up others, or fills a disk."""

from __future__ import annotations

import os
import random

import pytest
import sqlalchemy as sa
from sync_site import CITY, STATION, TOPIC, Book, weighing_fields

from sync.messages import AckError
from sync.receiver import books, parking, quarantine
from sync.receiver.arriving import Delivery
from sync.receiver.continuity import Whose
from sync.receiver.store import take
from sync.receiver.verify import verify_all

SIZE = int(os.environ.get("KIOSK_SEARCH_SIZE", "1"))


def send(city: sa.Engine, *payloads: bytes, topic: str = TOPIC) -> list[AckError | None]:
    outcome = take(city, [Delivery(topic, payload) for payload in payloads], 1_000)
    return [answer.ack.error for answer in outcome.answers]


def count(city: sa.Engine, table: str) -> int:
    with city.connect() as connection:
        return int(connection.scalar(sa.text(f"SELECT count(*) FROM {table}")) or 0)


def holds(city: sa.Engine) -> bool:
    with city.connect() as connection:
        return not any(each.faults for each in verify_all(connection))


@pytest.mark.parametrize(
    "point",
    [
        {"ledger": "a0" * 16, "seq": 1, "head": "no hexadecimal"},
        {"ledger": "a0" * 16, "seq": 1, "head": "ab"},
        {"ledger": "x" * 50_000, "seq": 1, "head": "ab" * 32},
        {"ledger": "a0" * 16, "seq": -(2**53), "head": "AB" * 32},
    ],
)
def test_a_genesis_that_continues_nonsense_is_refused(
    city: sa.Engine, point: dict[str, object]
) -> None:
    assert send(city, Book(continues=point).batch(0)) == [AckError("genesis", 1)]
    assert send(city, Book(ledger="a2" * 16).batch(0)) == [None]


def test_kinds_that_nobody_knows_are_stored_whatever_their_name(city: sa.Engine) -> None:
    """As contracts.md says: else one of them would hold up its ledger for ever."""
    newer = Book()
    kinds = ["rain-gauge", "rain_gauge", "RainGauge", "雨量", "a.b:c/d", "\\N\t'", "", "k" * 10_000]
    for kind in kinds:
        newer.add(kind, amount=1)
    newer.weigh()
    assert send(city, newer.batch(0)) == [None]
    with city.connect() as connection:
        rows = sa.text("SELECT kind FROM entry ORDER BY seq")
        stored = list(connection.scalars(rows))
    assert stored == ["genesis", *kinds, "weighing"]
    assert holds(city)


def test_odd_values_in_known_places_are_kept_and_verify(city: sa.Engine) -> None:
    """No index, no column and no driver is to choke on what canonical JSON allows."""
    mad = Book()
    long = "ペ" * 10_000
    for odd in (
        {"item": long, "bag": long, "visit": long},
        {"net_g": 2**53, "gross_after_g": -(2**53), "points": 2**53},
        {"item": "\x01\\N\t\n\x7f", "bag": "'\"\\.", "visit": ""},
    ):
        mad.add("weighing", **weighing_fields(0, 0) | odd)
    mad.add("item_count", item=long, bin=None, visit=None, count=2**53)
    mad.add("clock", utc_ms=-(2**53), uncertainty_ms=2**53, source=long)
    inner = {"seq": 1, "kind": "weighing", "at": {"boot": "b0" * 16, "boot_ms": -1, "utc_ms": 0,
             "clock": "synced"}, **weighing_fields(0, 1)}  # fmt: skip
    for of in (
        {"ledger": long, "seq": 1},
        {"ledger": "a5" * 16, "seq": -(2**53)},
        {"ledger": "a5" * 16, "seq": "1"},
        {},
    ):
        mad.add("recovered", of=of, entry=inner)
    mad.add("recovered", of={"ledger": "a5" * 16, "seq": 1}, entry={"kind": 5})
    mad.add("weighing", **weighing_fields(0, 1) | {"bin": long})
    for seq in range(mad.head):
        assert send(city, mad.batch(seq, seq + 1)) == [None], seq
    assert count(city, "entry") == mad.head
    assert count(city, "bin_change") == 5
    with city.connect() as connection:
        (checked,) = verify_all(connection)
    assert {fault.code for fault in checked.faults} <= {"books"}, "the grams are the station's own"


def test_ledgers_without_a_beginning_are_bounded_and_one_with_it_is_always_taken(
    city: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(books, "MAX_WITHOUT_GENESIS", 3)
    for number in range(6):
        endless = Book(ledger=f"{number:032x}")
        endless.weigh(2)
        assert send(city, endless.batch(1)) == []
    assert count(city, "ledger") == count(city, "parked") == 3
    assert send(city, Book(ledger="a2" * 16).batch(0)) == [None]
    with city.connect() as connection:
        assert not books.may_begin_later(connection, Whose(CITY, STATION))


def test_parking_is_bounded_for_all_stations_together(
    city: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parking, "MAX_PARKED_IN_ALL", 4)
    book = Book()
    book.weigh(9)
    for seq in range(3, 9):
        send(city, book.batch(seq, seq + 1))
    assert count(city, "parked") == 4
    send(city, book.batch(0, 3))
    send(city, book.batch(7))
    assert count(city, "entry") == 10
    assert holds(city)


def test_what_is_set_aside_is_bounded_by_topic_and_in_all(
    city: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quarantine, "MAX_ROWS", 3)
    monkeypatch.setattr(quarantine, "MAX_ROWS_IN_ALL", 8)
    for number in range(5):
        send(city, *(b"noise %d" % n for n in range(6)), topic=f"kiosk/v1/demo/h-{number}/ledger")
    send(city, b"", topic="x" * 60_000)
    assert count(city, "quarantine") == 8
    send(city, *(b"noise %d" % n for n in range(6)), topic="kiosk/v1/demo/h-0/ledger")
    with city.connect() as connection:
        most = sa.text("SELECT topic, times FROM quarantine WHERE times > 1")
        assert [tuple(row) for row in connection.execute(most)] == [
            ("kiosk/v1/demo/h-0/ledger", 2)
        ] * 3


@pytest.mark.parametrize("seed", range(SIZE))
def test_noise_of_every_kind_among_good_batches_changes_nothing(city: sa.Engine, seed: int) -> None:
    chosen = random.Random(seed)
    book = Book()
    book.check_in(b"p")
    book.weigh(20)
    good = [book.batch(after, min(after + 3, book.head)) for after in range(0, book.head, 3)]
    sent = []
    for payload in good:
        for _ in range(4):
            damaged = bytearray(payload)
            for _ in range(chosen.randint(1, 3)):
                damaged[chosen.randrange(len(damaged))] = chosen.randrange(256)
            sent.append(
                bytes(damaged[: chosen.choice([len(damaged), chosen.randrange(len(damaged))])])
            )
        sent.append(payload)
        sent.append(chosen.randbytes(chosen.randrange(40)))
    for start in range(0, len(sent), 7):
        send(city, *sent[start : start + 7])
    assert count(city, "entry") == book.head
    assert count(city, "parked") == 0
    assert holds(city)
