"""A piece of a station's year: ``KIOSK_SEARCH_SIZE`` multiplies its days (183 is a year).

``tests/benchmarks/years.py`` prints the figures of whole ones.
"""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest
from hw_sim.years import DIVISION_G, Year, year

SIZE = int(os.environ.get("KIOSK_SEARCH_SIZE", "1"))
DAYS = 2 * SIZE


def test_a_year_of_a_station(record_property: Callable[[str, object], None]) -> None:
    """Every drop weighed once, of whoever dropped it, and no gram lost or found."""
    life = year(1, DAYS)
    judge = life.judge
    record_property("weighings", judge.weighings)
    record_property("within_stated", f"{judge.coverage:.1%}")
    record_property("median_uncertainty_g", judge.median_g)
    assert life.verdict() == []
    least = 0.95 if judge.weighings > 2_000 else 0.92
    assert least <= judge.coverage <= 0.99, f"{judge.coverage:.3f} of {judge.weighings}"
    assert 2 * judge.median_g <= DIVISION_G, "the whole interval within a division"


@pytest.mark.parametrize("rate_sps", [10, 80])
def test_small_things_come_out_as_their_sum_within_what_was_stated(rate_sps: int) -> None:
    """Many of them shared their levels; two levels err, not eleven, and not by more than was stated."""
    life = Year(7, rate_sps=rate_sps)
    for person in range(6 * SIZE):
        life.small_visit(bytes([person % 250 + 1]) * 16)
        life.rest(900_000)
    assert len(life.judge.sums) == 6 * SIZE
    assert life.verdict() == []
    assert all(may_g <= DIVISION_G / 2 for _, may_g in life.judge.sums)
