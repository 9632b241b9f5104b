"""Seeded worlds: station days in virtual time. ``KIOSK_SEARCH_SIZE`` multiplies their number."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest
from hw_sim.days import saturday, usual_day

from kiosk.core.config import Crowd

SIZE = int(os.environ.get("KIOSK_SEARCH_SIZE", "1"))
DAYS = 20 * SIZE
GROUP = 10


@pytest.mark.parametrize("first", range(0, DAYS, GROUP))
def test_station_days_add_up_after_every_entry(first: int) -> None:
    for seed in range(first, first + GROUP):
        try:
            usual_day(seed, crowd="one_by_one" if seed % 4 else "together")
        except AssertionError as error:
            raise AssertionError(f"hw_sim.days.usual_day({seed}): {error}") from error


@pytest.mark.parametrize("crowd", ["one_by_one", "together"])
def test_on_a_saturday_every_card_is_greeted_and_nobody_gets_anothers_grams(
    crowd: Crowd, record_property: Callable[[str, object], None]
) -> None:
    dropped_g = credited_to_no_one_g = 0.0
    for seed in range(4 * SIZE):
        day = saturday(seed, crowd)
        assert day.greeted == 6, f"saturday({seed}, {crowd!r})"
        assert len(day.books.checkins) == 6
        for who, (grams, n) in day.books.credited_g().items():
            assert grams <= day.dropped_g[who] + 20 * n, f"saturday({seed}, {crowd!r}): {who}"
        day.check()
        dropped_g += sum(day.true_g.values())
        credited_to_no_one_g += sum(
            w.net_g for w in day.books.weighings if day.books.visits.get(w.visit or "") is None
        )
    record_property("credited_to_no_one", f"{credited_to_no_one_g / dropped_g:.0%}")


def test_a_hall_that_cuts_the_power_every_night() -> None:
    day = usual_day(7, visits=4)
    bins = sorted(day.platforms)
    for night in range(7):
        day.power_cut(12 * 3_600_000, lambda n=night: day.drop(None, bins[n % 4], 700.0))
        day.check()
        day.usual_visit(bytes([1 + night]) * 16)
        day.check()
