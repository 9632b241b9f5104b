"""What pushes at bins and is nobody's drop: wind, elbows, knees, a heap that touches the flap."""

from __future__ import annotations

import os

import pytest
from hw_sim.years import Year

from kiosk.core.events import CardSeen

SIZE = int(os.environ.get("KIOSK_SEARCH_SIZE", "1"))
SEEDS = range(2 * SIZE)
ANN = b"a" * 16


def quiet_nets(year: Year) -> list[int]:
    return [w.net_g for w in year.books.weighings]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("sigma_g", [30, 120])
def test_wind_is_nobodys_drop(seed: int, sigma_g: float) -> None:
    year = Year(seed, bins=2)
    for _ in range(4):
        year.cells["b0"].blow(20, sigma_g)
        year.look(45_000)
    # A lull may look like a load; it is taken back as soon as it is gone.
    assert abs(sum(quiet_nets(year))) <= 25
    assert year.verdict() == []


@pytest.mark.parametrize("seed", SEEDS)
def test_who_leans_or_knocks_drops_nothing(seed: int) -> None:
    year = Year(seed, bins=2)
    for _ in range(4):
        year.cells["b0"].lean(3)
        year.look(8_000)
        year.cells["b0"].knock()
        year.look(6_000)
    assert quiet_nets(year) == []
    assert year.verdict() == []


@pytest.mark.parametrize("seed", SEEDS)
def test_a_heap_that_touches_the_flap_credits_nobody_with_the_touch(seed: int) -> None:
    """The flap opens (the heap is free), something falls in, the flap closes and leans on the heap."""
    year = Year(seed, bins=1)
    touch_g = year.rng.uniform(40, 90)
    year.cells["b0"].set_down(9_000)
    year.true_g["b0"] += 9_000
    year.cells["b0"].press(touch_g)
    year.look(20_000)
    first = len(year.books.weighings)
    for _ in range(3):
        year.post(CardSeen(year.t_ms, ANN, "qr", True))
        year.look(3_000)
        year.cells["b0"].press(0)
        year.look(1_500)
        year.cells["b0"].lay(600)
        year.look(2_500)
        year.cells["b0"].press(touch_g)
        year.look(40_000)
    got_g = sum(w.net_g for w in year.books.weighings[first:])
    assert got_g == pytest.approx(1_800, abs=12)
