"""The city's views resolve times as the rules in ``kiosk.core.timeline`` do, on both databases."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hw_sim.time_worlds import World, world
from sync_site import CITY, STATION, STATION_KEY, TOPIC, Book

from kiosk.core.timeline import Interval, resolve, settle
from sync.receiver.arriving import Delivery
from sync.receiver.database import open_database
from sync.receiver.registry import add_station
from sync.receiver.store import take
from sync.receiver.tables import anchor
from sync.receiver.timing import clock_settled, learn_all
from sync.receiver.verify import verify_all

SEARCH = int(os.environ.get("KIOSK_SEARCH_SIZE", "1"))


@pytest.fixture
def engine(city_url: str) -> Iterator[sa.Engine]:
    engine = open_database(city_url)
    with engine.begin() as connection:
        add_station(connection, CITY, STATION, STATION_KEY.public_key)
    yield engine
    engine.dispose()


def told(found: World, number: int) -> Book:
    """The world as a ledger: seq 1 is its genesis, so every entry stands one place further on."""
    book = Book(ledger=f"{number:032x}")
    events = sorted([*found.entries, *found.anchors], key=lambda one: one.seq)
    gross_g = 0
    for one in events:
        at = {"boot": one.boot, "boot_ms": one.boot_ms}
        if one in found.anchors:
            times = {"utc_ms": one.utc_ms, "uncertainty_ms": one.uncertainty_ms}
            book.add("clock", at=at, source="ntp", **times)
        else:
            fields = {"gross_before_g": gross_g, "gross_after_g": gross_g + 10, "net_g": 10}
            gross_g += 10
            book.weigh_at(at | {"utc_ms": one.utc_ms}, fields)
    return book


def test_the_views_are_the_rules(engine: sa.Engine) -> None:
    """Honest worlds and lying ones, sent in batches of any size: each interval, each flag."""
    draw = random.Random(11)
    for number in range(6 * SEARCH):
        found = world(number, boots=12, lie_share=(0.0, 0.2, 0.5)[number % 3], known_share=0.7)
        book = told(found, number + 1)
        at = 0
        while at < book.head:
            last = min(book.head, at + draw.randint(1, 20))
            take(engine, [Delivery(TOPIC, book.batch(at, last))], 1_000_000)
            at = last
        settled = settle(found.anchors)
        expected = [resolve(one.seq, one.boot, one.boot_ms, settled) for one in found.entries]
        assert _resolved(engine, book.ledger) == expected, number


def test_what_an_older_receiver_stored_is_settled_at_the_start(city_url: str) -> None:
    engine = open_database(city_url)
    with engine.begin() as connection:
        add_station(connection, CITY, STATION, STATION_KEY.public_key)
    found = world(3, boots=10, lie_share=0.3)
    book = told(found, 1)
    take(engine, [Delivery(TOPIC, book.batch(0))], 1_000_000)
    expected = _resolved(engine, book.ledger)
    with engine.begin() as connection:
        connection.execute(sa.delete(clock_settled))
        assert {fault.code for fault in verify_all(connection)[0].faults} == {"projection"}
    assert _resolved(engine, book.ledger) != expected
    engine.dispose()
    engine = open_database(city_url, serving=True)
    assert _resolved(engine, book.ledger) == expected
    with engine.begin() as connection:
        learn_all(connection)
        assert not verify_all(connection)[0].faults
        assert connection.scalar(sa.select(sa.func.count()).select_from(anchor)) == len(
            found.anchors
        )
    engine.dispose()


def test_a_year_costs_four_times_a_quarter_and_not_sixteen_times(tmp_path: Path) -> None:
    """A view over n weighings and m clock entries finds each time along an index (SQLite's own steps)."""
    city = open_database(f"sqlite:///{tmp_path / 'city.db'}")
    with city.begin() as connection:
        add_station(connection, CITY, STATION, STATION_KEY.public_key)
    steps = []
    for number, boots in enumerate((25, 100), 1):
        book = told(world(5, boots=boots), number)
        for at in range(0, book.head, 200):
            take(city, [Delivery(TOPIC, book.batch(at, min(book.head, at + 200)))], 1_000_000)
        steps.append(_steps(city, book.ledger) / boots)
    city.dispose()
    assert steps[1] < 1.5 * steps[0]


def _steps(engine: sa.Engine, ledger: str) -> int:
    """Hundreds of the virtual machine's steps for a day's weighings of one ledger."""
    counted = 0

    def step() -> int:
        nonlocal counted
        counted += 1
        return 0

    with engine.connect() as connection:
        raw: Any = connection.connection.driver_connection
        raw.set_progress_handler(step, 100)
        query = "SELECT * FROM weighing_resolved WHERE ledger = :ledger AND to_utc_ms < 86400000"
        connection.execute(sa.text(query), {"ledger": ledger}).all()
        raw.set_progress_handler(None, 0)
    return counted


def _resolved(engine: sa.Engine, ledger: str) -> list[Interval]:
    query = sa.text(
        "SELECT time, from_utc_ms, to_utc_ms FROM weighing_resolved"
        " WHERE ledger = :ledger ORDER BY seq"
    )
    with engine.connect() as connection:
        return [Interval(*row) for row in connection.execute(query, {"ledger": ledger})]
