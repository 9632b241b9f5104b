"""A backlog drains over a real broker while residents go on weighing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from city_site import Mosquitto, eventually
from sync_site import STATION_KEY
from test_sync_broker import City

from sync.messages import Batch, decode_batch, inflate, verify_batch

BACKLOG = 9_000


@pytest.fixture
def town(tmp_path: Path, broker: Mosquitto) -> Iterator[City]:
    city = City(tmp_path, broker)
    yield city
    city.close()


def heard(town: City) -> list[Batch]:
    """Every batch so far, each proven by its own signature."""
    batches = [decode_batch(inflate(m.content_type, m.payload)) for m in town.listener.on("ledger")]
    assert all(verify_batch(batch, STATION_KEY.public_key) for batch in batches)
    return batches


def test_a_weighing_of_this_moment_overtakes_the_backlog(town: City) -> None:
    for _ in range(BACKLOG // 1_000):
        town.station.drop(1_000)
    backlog = town.station.ledger.head[0]
    town.receiver()
    town.uplink()
    eventually(lambda: bool(town.listener.on("ledger")), "the backlog begins to drain")
    for _ in range(3):
        town.station.drop()
    eventually(town.arrived, "everything is at the city")
    town.same_at_both_ends()

    batches = heard(town)
    lasts = [batch.last for batch in batches]
    ahead = [batch for batch in batches if batch.first > backlog and batch.last <= backlog + 3]
    assert ahead, "a batch of new entries alone"
    arrived = batches.index(ahead[0])
    assert arrived < lasts.index(backlog) if backlog in lasts else arrived < len(batches) - 1
    in_order = [batch.last for batch in batches if batch not in ahead]
    assert in_order == sorted(in_order), "and what stands in its order keeps it"
