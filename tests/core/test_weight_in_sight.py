"""What stands on the screen between a weight that moves and its record."""

from __future__ import annotations

import itertools

from kept_day import KeptDay


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
