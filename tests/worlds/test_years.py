"""A year of a station, or a piece of it: ``KIOSK_SEARCH_SIZE`` multiplies its days (183 is a year).

``KIOSK_SEARCH_SIZE=183 nice -n 19 python -m pytest tests/worlds/test_years.py -k year``
"""

from __future__ import annotations

import os
from collections.abc import Callable

from hw_sim.years import DIVISION_G, year

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
