"""What stands on the screen between a weight that moves and its record."""

from __future__ import annotations

import itertools

import pytest
from hw_sim.days import Day
from kept_day import KeptDay

from kiosk.core.showing import RESULT_MS

MOMENT_MS = 100


def test_a_weight_that_waits_for_its_owner_stays_in_sight_until_it_is_written() -> None:
    day = KeptDay("one_by_one")
    day.block_ms = 100
    bin_id = next(iter(day.platforms))
    day.drop(None, bin_id, 4_000)
    phases = [day.phase]
    while "recorded" not in phases and len(phases) < 100:
        day.run(100)
        phases.append(day.phase)
    seen = [phase for phase, _ in itertools.groupby(phases)]
    assert seen == ["waiting", "weighing", "recorded"]


def moments(day: Day, last_ms: int) -> list[tuple[str, int]]:
    """What the screen showed one after another, and for how long (ms)."""
    phases = []
    while len(phases) * MOMENT_MS < last_ms:
        day.run(MOMENT_MS)
        phases.append(day.station.view().phase)
    return [(phase, len(list(some)) * MOMENT_MS) for phase, some in itertools.groupby(phases)]


@pytest.mark.parametrize("crowd", ["one_by_one", "together"])
def test_a_light_drop_without_a_card_is_in_sight_until_it_is_recorded_and_then_long_enough(
    crowd: str,
) -> None:
    """It has to lie still for a while first (``kiosk.core.doubts``)."""
    day = Day(3, crowd=crowd)
    day.run(4_000)
    day.drop(None, "b0", 120)
    seen = dict(moments(day, 15_000))
    assert list(seen) == ["waiting", "weighing", "recorded", "no_card"]
    assert seen["recorded"] >= RESULT_MS


def test_what_is_below_the_least_weight_and_nobodys_is_thanked_for_too() -> None:
    day = Day(3)
    day.run(4_000)
    day.drop(None, "b0", 13)
    seen = dict(moments(day, 14_000))
    assert list(seen) == ["waiting", "weighing", "small"]
    assert seen["small"] >= RESULT_MS
    assert day.books.weighings == []
