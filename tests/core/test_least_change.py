"""From when a change counts: one rule, on the station and in the replay of a trace."""

from __future__ import annotations

import os
import random
from dataclasses import replace

import pytest
from hw_sim.cells import Cell
from hw_sim.days import COUNTS_PER_GRAM, Day
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk.core import least
from kiosk.core.config import ScaleRules
from kiosk.core.events import CountsBlock, Tick
from kiosk.core.settled import Level
from kiosk.replay import replay

ANN = b"a" * 16
BASE_G = 30_000
SIZE = int(os.environ.get("KIOSK_SEARCH_SIZE", "1"))


class Traced:
    """A day with one bin, everything its scale says written down: a trace for the replay."""

    def __init__(self, seed: int, rate_sps: int = 10, min_increment_g: int = 20) -> None:
        day = Day(seed, bins=1)
        (one,) = day.rules.bins
        self.scale = ScaleRules(60_000, 20, min_increment_g, float(rate_sps), COUNTS_PER_GRAM)
        day.rules = replace(day.rules, bins=(replace(one, scale=self.scale),))
        day.books.gross_g["b0"] = BASE_G
        day.restart()
        self.day = day
        self.period_ms = 1000 / rate_sps
        self.rows = ["t_ms,counts\n"]
        self.samples = 0
        self.started_ms = day.t_ms
        self.cell = Cell(random.Random(seed), COUNTS_PER_GRAM, 60_000)
        self.cell.set_down(BASE_G)

    def run(self, ms: int) -> None:
        day = self.day
        until_ms = day.t_ms + ms
        while day.t_ms < until_ms:
            self.samples += 1
            day.t_ms = self.started_ms + round(self.samples * self.period_ms)
            counts = self.cell.counts(day.t_ms / 1000)
            self.rows.append(f"{day.t_ms},{counts}\n")
            day.post(CountsBlock("b0", (day.t_ms,), (counts,)))
            day.post(Tick(day.t_ms))

    def drop(self, grams: float, ms: int = 5_000) -> None:
        self.cell.lay(grams)
        self.run(ms)

    def visit(self, drops_g: list[float]) -> list[int]:
        """What the station weighs of them; the visit goes on to the end."""
        self.run(5_000)
        self.day.card(ANN)
        self.run(3_000)
        for grams in drops_g:
            self.drop(grams)
        return [w.net_g for w in self.day.books.weighings]

    def replayed(self) -> list[float]:
        found = replay(self.rows, self.scale)
        return [line["net_g"] for line in found if line["kind"] == "weighing"]


@pytest.mark.parametrize("seed", range(3))
def test_twenty_grams_ten_times_on_thirty_kilograms_are_all_the_residents(seed: int) -> None:
    trace = Traced(seed)
    nets = trace.visit([20.0] * 10)
    assert len(nets) == 10, "each is the least increment, and counts"
    assert sum(nets) == pytest.approx(200, abs=6)


def test_what_is_clearly_less_is_carried_until_it_is_enough() -> None:
    trace = Traced(1)
    nets = trace.visit([10.0] * 6)
    assert len(nets) == 3 and sum(nets) == pytest.approx(60, abs=6)


SIZES_G = st.sampled_from(
    [-300.0, -40.0, -20.0, 8.0, 12.0, 15.0, 16.0, 18.0, 20.0, 23.0, 60.0, 700.0]
)


@settings(max_examples=12 * SIZE, deadline=None)
@given(
    seed=st.integers(0, 1 << 20),
    rate_sps=st.sampled_from([10, 80]),
    min_increment_g=st.sampled_from([20, 20, 50]),
    drops_g=st.lists(SIZES_G, min_size=1, max_size=8),
)
def test_station_and_replay_agree_on_the_same_trace(
    seed: int, rate_sps: int, min_increment_g: int, drops_g: list[float]
) -> None:
    """Change by change, also those that are a matter of a gram."""
    trace = Traced(seed, rate_sps, min_increment_g)
    nets = trace.visit(drops_g)
    assert trace.replayed() == [pytest.approx(net, abs=1.01) for net in nets]


@given(
    st.floats(1, 200), st.floats(0, 20), st.floats(0, 20), st.integers(0, 60_000), st.floats(0, 400)
)
def test_the_least_increment_counts_and_less_than_three_quarters_never_does(
    min_g: float, before_sd_g: float, after_sd_g: float, at_g: int, change_g: float
) -> None:
    before, after = Level(at_g, before_sd_g), Level(at_g + change_g, after_sd_g)
    counted = least.counts(min_g, before, after)
    assert counted == least.counts(min_g, after, before), "taking out is as good as laying in"
    if change_g >= min_g + 0.5:
        assert counted
    if change_g < 0.75 * min_g - 0.5:
        assert not counted


def test_a_well_known_change_below_the_least_increment_does_not_count() -> None:
    assert not least.counts(20, Level(0, 0.1), Level(18, 0.1))
    assert least.counts(20, Level(0, 1.0), Level(18, 1.0)), "18 g may well be 20"
