"""Balances on request: their messages, and which asks the city answers, on every kind of database."""

from __future__ import annotations

import json
import os
import random
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from sync_site import BOOT, CITY, CITY_KEY, STATION
from test_points import ANN, Diary

from sync.messages import Malformed
from sync.messages.points import MAX_BALANCE_BYTES, encode_balance, read_balance
from sync.messages.wire import signature_text
from sync.receiver.arriving import Delivery
from sync.receiver.balances import LIVE_MS, MAX_OF_BATCH, Told
from sync.receiver.store import take

SIZE = int(os.environ.get("KIOSK_SEARCH_SIZE", "1"))
NOW_MS = 1_790_000_000_000
SENT = encode_balance(CITY_KEY, CITY, STATION, ask="a1-2-a1", points=-7, as_of_ms=NOW_MS)


def code_of(data: bytes) -> str | None:
    try:
        read_balance(data, CITY, STATION, CITY_KEY.public_key)
    except Malformed as malformed:
        return malformed.code
    return None


def test_the_signed_text_is_the_contracts() -> None:
    wire = json.loads(SENT)
    text = f"kiosk-points-v1\n{CITY}/{STATION}\na1-2-a1\n-7\n{NOW_MS}"
    assert wire["sig"] == signature_text(CITY_KEY.sign(text.encode()))
    told = read_balance(SENT, CITY, STATION, CITY_KEY.public_key)
    assert (told.ask, told.points, told.as_of_ms) == ("a1-2-a1", -7, NOW_MS)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"points": -8}, "bad_signature"),
        ({"ask": "a1-2-a2"}, "bad_signature"),
        ({"as_of_ms": NOW_MS + 1}, "bad_signature"),
        ({"ask": "A 1"}, "shape"),
        ({"ask": "a" * 65}, "shape"),
        ({"points": 1.0}, "shape"),
        ({"points": 2**53 + 1}, "shape"),
        ({"as_of_ms": -1}, "shape"),
        ({"pseudonym": "ab" * 16}, "shape"),
        ({"sig": "A" * 85 + "B=="}, "shape"),
        ({"ask": "a" * MAX_BALANCE_BYTES}, "too_large"),
    ],
    ids=str,
)
def test_what_the_city_did_not_sign_is_refused(change: dict[str, Any], code: str) -> None:
    assert code_of(json.dumps(json.loads(SENT) | change).encode()) == code


def test_another_stations_answer_is_none() -> None:
    other = encode_balance(CITY_KEY, CITY, "hall-2", ask="x", points=1, as_of_ms=1)
    assert code_of(other) == "bad_signature"


def test_no_flipped_bit_is_believed() -> None:
    rng = random.Random(0)
    for _ in range(300 * SIZE):
        bent = bytearray(SENT)
        bent[rng.randrange(len(bent))] ^= 1 << rng.randrange(8)
        assert code_of(bytes(bent)) in ("shape", "bad_signature")


@given(st.binary(max_size=200))
def test_noise_is_never_a_balance(data: bytes) -> None:
    assert code_of(data) == "shape"


# --- what is answered -------------------------------------------------------------------------------


def asks(book: Diary, name: str, *, at: dict[str, Any] | None = None, person: bytes = ANN) -> int:
    return book.sealed("balance_asked", person, ask=name, at=at)


def at(ms_ago: int) -> dict[str, Any]:
    return {"utc_ms": NOW_MS - ms_ago, "clock": "synced"}


def send(city: sa.Engine, book: Diary, after: int) -> list[Told]:
    topic = f"kiosk/v1/{CITY}/{book.station}/ledger"
    return take(city, [Delivery(topic, book.batch(after))], NOW_MS).balances


def test_the_answer_counts_what_came_with_the_ask_and_comes_once(city: sa.Engine) -> None:
    book = Diary()
    book.come(ANN, None, 7)
    asks(book, "x-a1", at=at(0))
    asks(book, "x-a2", at=at(0), person=b"z")
    told = send(city, book, 0)
    assert told == [
        Told(CITY, STATION, "x-a1", 7, NOW_MS),
        Told(CITY, STATION, "x-a2", 0, NOW_MS),
    ]
    assert told[0].topic == f"kiosk/v1/{CITY}/{STATION}/points"
    assert ANN.hex() * 16 not in told[0].signed(CITY_KEY).decode()
    assert send(city, book, 0) == [], "a batch that comes again"


def test_what_comes_out_of_a_backlog_is_not_answered(city: sa.Engine) -> None:
    book = Diary()
    asks(book, "old", at=at(LIVE_MS + 1))
    asks(book, "ahead", at=at(-LIVE_MS - 1))
    asks(book, "live", at=at(LIVE_MS))
    assert [each.ask for each in send(city, book, 0)] == ["live"]


def test_without_a_clock_the_batchs_last_entry_stands_for_now(city: sa.Engine) -> None:
    book = Diary()
    asks(book, "old", at={"boot_ms": 1_000})
    asks(book, "boot-before", at={"boot": "c0" * 16, "boot_ms": LIVE_MS + 5_000})
    asks(book, "live", at={"boot_ms": LIVE_MS})
    book.add("boot", at={"boot": BOOT, "boot_ms": LIVE_MS + 2_000}, software="x", settings="y")
    book.add("news", at={"boot_ms": 10 * LIVE_MS}, of="a later version")
    assert [each.ask for each in send(city, book, 0)] == ["live"]


def test_of_a_station_that_asks_without_end_the_newest_are_answered(city: sa.Engine) -> None:
    book = Diary()
    for number in range(MAX_OF_BATCH + 5):
        asks(book, f"a{number}", at=at(0))
    asks(book, "X Y", at=at(0))
    book.seals.pop(asks(book, "forgotten", at=at(0)))
    book.add("balance_asked", ask=7, seal=None, at=at(0))
    assert [each.ask for each in send(city, book, 0)] == [
        f"a{number}" for number in range(5, MAX_OF_BATCH + 5)
    ]
    with city.connect() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM point_name")) == 0
