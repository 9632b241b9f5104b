"""A thousand stations come back after the broker was away: the rules alone, in virtual time."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from sync.reconnecting import SPREAD_MS, STEADY_MS
from sync.uplink import Link, Uplink
from sync.uplink_events import LinkDown, LinkUp, StationUp, Tick

STATIONS = 1_000
LATENCY_MS = 200
"""Within so long the stations notice that the broker is gone."""


def returns_ms(random: Random, up_ms: int, outage_ms: int) -> list[int]:
    """When each station's try meets a broker that is there again; 0 is the broker's end."""
    came_ms = []
    for _ in range(STATIONS):
        rules = Uplink(random.random)
        rules.handle(StationUp("a1" * 16, 0, 0, 1), -up_ms)
        rules.handle(LinkUp(20), -up_ms)
        now_ms = random.randrange(LATENCY_MS)
        rules.handle(LinkDown("connection_lost", ""), now_ms)
        while rules.link is not Link.UP:
            assert rules.deadline_ms is not None
            now_ms = max(now_ms, rules.deadline_ms)
            rules.handle(Tick(), now_ms)
            rules.handle(
                LinkUp(20) if now_ms >= outage_ms else LinkDown("broker_unreachable", ""), now_ms
            )
        came_ms.append(now_ms)
    return came_ms


@pytest.mark.parametrize("outage_ms", [300, 4_000, 19_000, 45_000, 600_000])
def test_a_thousand_stations_come_back_at_an_even_rate_however_long_the_broker_was_away(
    outage_ms: int,
) -> None:
    """Over the time from the broker's return to the last station: the busiest second, and the mean."""
    came_ms = returns_ms(Random(outage_ms), up_ms=STEADY_MS, outage_ms=outage_ms)
    took_ms = max(came_ms) - outage_ms
    busiest = max(Counter((ms - outage_ms) // 1000 for ms in came_ms).values())
    assert busiest <= 2 * STATIONS / (took_ms / 1000)
    assert took_ms <= SPREAD_MS + LATENCY_MS, "and nobody waits longer than one period for it"


def test_a_line_that_flickers_is_tried_again_soon() -> None:
    """One station whose connections last a second each: half of its first tries come within half a one."""
    random = Random(1)
    waits_ms = []
    for _ in range(200):
        rules = Uplink(random.random)
        rules.handle(StationUp("a1" * 16, 0, 0, 1), 0)
        rules.handle(LinkUp(20), 0)
        rules.handle(LinkDown("connection_lost", ""), 1_000)
        assert rules.deadline_ms is not None
        waits_ms.append(rules.deadline_ms - 1_000)
    assert max(waits_ms) < 1_000
