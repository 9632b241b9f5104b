"""A text that came after a sink had passed its entry reaches it too, once, with all that it changes."""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from sink_site import NOW_MS, Remembering, a_day, drain, new_city, set_clock, store_all
from sync_site import TOPIC, Book, relayed

from kiosk.core.adjusted import Adjusted, slope_ncounts
from sync.receiver import store
from sync.receiver.sinks import Follower

ADJUSTED = msgspec.to_builtins(Adjusted(slope_ncounts_per_g=slope_ncounts(10.5), zero_counts=100))
SIZE = int(os.environ.get("KIOSK_SEARCH_SIZE", "1"))


@pytest.fixture
def both(city_url: str) -> Iterator[sa.Engine]:
    engine = new_city(city_url)
    yield engine
    engine.dispose()


def known(sink: Remembering) -> tuple[Any, ...]:
    """What a platform holds in the end: changes by id, and the last word on bins, days and the station."""
    changes = {
        one.id: (one.net_g, one.gross_after_g, one.count, one.when.time)
        for one in sink.deposits.values()
    }
    bins = {one.bin: (one.item, one.held_g) for batch in sink.batches for one in batch.bins}
    days = {(one.day, one.item): one for batch in sink.batches for one in batch.days}
    undated = [one.undated for batch in sink.batches for one in batch.stations][-1]
    return changes, bins, days, undated


def send(city: sa.Engine, payload: bytes) -> None:
    store.take(city, [store.Delivery(TOPIC, payload)], NOW_MS)


def a_week(rng: random.Random) -> Book:
    """Days with zeroings and adjustments between them, which move what an empty bin weighs."""
    book = Book(ledger=f"{rng.getrandbits(128):032x}")
    a_day(book)
    for day in range(3):
        match rng.randrange(4):
            case 0:
                book.add(
                    "adjustment", bin="b1", number=2 + day, method="two_points", gross_before_g=-5,
                    gross_after_g=-5, empty_g=rng.randrange(40), scale=ADJUSTED,
                )  # fmt: skip
            case 1:
                book.add("unattributed", bin="b1", item="pet-bottle", bag="bag-2", cause="zero",
                         net_g=rng.randrange(-9, 9), gross_before_g=-5, gross_after_g=-5,
                         uncertainty_g=20)  # fmt: skip
            case 2:
                set_clock(book)
            case _:
                book.weigh(1)
        a_day(book)
    return book


def test_what_was_filled_in_reaches_a_sink_that_had_passed_it(both: sa.Engine) -> None:
    for seed in range(3 * SIZE):
        rng = random.Random(seed)
        book, honest, sink = a_week(rng), Remembering(f"honest{seed}"), Remembering(f"robbed{seed}")
        thin = rng.sample(range(2, book.head + 1), rng.randint(1, book.head - 1))
        half = rng.randint(1, book.head - 1)
        follower = Follower(both, sink)
        send(both, relayed(book.batch(0, half), thin))
        drain(follower)
        if rng.random() < 0.5:
            send(both, relayed(book.batch(0, half // 2 + 1), thin[::2]))
            drain(follower)
        send(both, relayed(book.batch(half), thin))
        drain(follower)
        store_all(both, book)
        drain(follower)
        drain(Follower(both, honest))
        mine = [one for one in honest.deposits.values() if one.ledger == book.ledger]
        firsts = Counter(one.id for batch in sink.batches for one in batch.changes if not one.again)
        assert all(firsts[one.id] == 1 for one in mine), seed
        assert known(sink) == known(honest), seed
        with both.begin() as connection:
            for table in ("entry", "bin_change", "anchor", "clock_settled", "ledger", "opening"):
                connection.exec_driver_sql(f"DELETE FROM {table}")
