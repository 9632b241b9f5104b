"""Somebody with a bottle at a real platform: what the guide asks, sees and refuses."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest
from hw_sim.physics import Build, Platform

from kiosk.core.adjustment import (
    Fit,
    Instrument,
    NotRepeated,
    NotSeen,
    Reference,
    WrongOrder,
    ZeroMoved,
    fit,
)
from kiosk.core.guide import Ask, Finished, GaveUp, Guide, Refused, Sign

SCALE = Instrument(max_g=60_000, division_g=20, counts_per_gram=43.0)
BOTTLE = Reference(2_031.0, 5.0)
Hands = Callable[[Ask], float | None]
"""What lies on the plate once this was asked; None: as it is."""


class Hall:
    """A platform with an HX711 that drifts, sways and rings; the bin may hold something already."""

    def __init__(self, seed: int, *, rate_sps: int, slope: float = 43.7, held_g: float = 0) -> None:
        self.rng = Random(seed)
        self.rate_sps, self.slope = rate_sps, slope
        self.platform = Platform(Build.drawn(self.rng, SCALE.division_g), self.rng, 0.0)
        self.platform.shift(held_g)
        self.lies_g = 0.0
        self.t_s = 0.0

    def lay(self, grams: float) -> None:
        over_s, hand_s = self.rng.uniform(0.15, 0.6), self.rng.uniform(0, 0.8)
        self.platform.lay(grams - self.lies_g, over_s, hand_s)
        self.lies_g = grams

    def sample(self) -> tuple[int, int]:
        self.t_s += 1 / self.rate_sps
        self.platform.advance(self.t_s)
        noise = 25 if self.rate_sps == 10 else 40
        counts = 84_000 + self.slope * self.platform.force_g + self.rng.gauss(0, noise)
        if self.rng.random() < 1e-3:
            counts += self.rng.choice((-1, 1)) * self.rng.uniform(1e4, 1e6)
        return round(self.t_s * 1000), round(counts)

    def guided(self, guide: Guide, hands: Hands, limit_s: float = 400.0) -> list[Sign]:
        """What was said until the end; the caretaker needs some seconds for each step."""
        said = guide.begin()
        asked, at_s = said[-1], self.t_s + self.rng.uniform(2, 6)
        while not guide.over and self.t_s < limit_s:
            if isinstance(asked, Ask) and self.t_s >= at_s:
                grams = hands(asked)
                if grams is not None:
                    self.lay(grams)
                asked = None
            signs = guide.feed(*self.sample())
            said += signs
            if signs and isinstance(signs[-1], Ask):
                asked, at_s = signs[-1], self.t_s + self.rng.uniform(2, 6)
        return said


def well_done(asked: Ask) -> float:
    return asked.reference.mass_g if asked.step == "load" else 0.0


@pytest.mark.parametrize("rate_sps", [10, 80])
@pytest.mark.parametrize("seed", range(6))
def test_a_bottle_laid_on_twice_adjusts_within_three_minutes(seed: int, rate_sps: int) -> None:
    hall = Hall(seed, rate_sps=rate_sps)
    guide = Guide([BOTTLE], 2, SCALE, rate_sps)
    said = hall.guided(guide, well_done)
    assert not [one for one in said if isinstance(one, Refused)]
    assert isinstance(said[-1], Finished)
    found = fit(said[-1].loads, SCALE)
    assert isinstance(found, Fit)
    assert abs(found.counts_per_gram / hall.slope - 1) <= found.relative_uncertainty < 0.005
    assert hall.t_s < 120  # so a slow walker has a minute more


def test_a_bin_that_holds_ten_kilograms_is_adjusted_just_as_well() -> None:
    hall = Hall(1, rate_sps=10, held_g=10_000)
    said = hall.guided(Guide([BOTTLE], 2, SCALE, 10), well_done)
    assert isinstance(said[-1], Finished)
    found = fit(said[-1].loads, SCALE)
    assert isinstance(found, Fit)
    assert abs(found.counts_per_gram / hall.slope - 1) <= found.relative_uncertainty


def test_three_loads_show_that_the_cell_is_straight() -> None:
    hall = Hall(2, rate_sps=10)
    loads = [Reference(2_000.0 * n, 5.0) for n in (1, 2, 5)]
    said = hall.guided(Guide(loads, 1, SCALE, 10), well_done)
    assert isinstance(said[-1], Finished)
    found = fit(said[-1].loads, SCALE)
    assert isinstance(found, Fit) and max(map(abs, found.residuals_g)) < 10


def refusals(said: list[Sign]) -> list[type]:
    return [type(one.why) for one in said if isinstance(one, Refused)]


def test_the_bottle_was_on_it_from_the_beginning() -> None:
    """The first 'empty' was none: taking the bottle off shows it, and the guide begins anew."""
    hall = Hall(3, rate_sps=10)
    hall.platform.shift(BOTTLE.mass_g)
    hall.lies_g = BOTTLE.mass_g
    asked_loads = 0

    def hands(asked: Ask) -> float | None:
        nonlocal asked_loads
        if asked.step == "empty":
            return None
        asked_loads += asked.step == "load"
        return 0.0 if asked_loads == 1 else well_done(asked)

    said = hall.guided(Guide([BOTTLE], 2, SCALE, 10), hands)
    assert refusals(said) == [WrongOrder] and isinstance(said[-1], Finished)


def test_the_wrong_bottle_is_not_taken_for_the_right_one() -> None:
    hall = Hall(4, rate_sps=10)
    light = iter([300.0])
    said = hall.guided(
        Guide([BOTTLE], 1, SCALE, 10),
        lambda asked: next(light, BOTTLE.mass_g) if asked.step == "load" else 0.0,
    )
    assert refusals(said) == [NotSeen] and isinstance(said[-1], Finished)


def test_a_bottle_that_leaks_or_leans_is_weighed_again() -> None:
    hall = Hall(5, rate_sps=10)
    grams = iter([2_031.0, 1_900.0])
    said = hall.guided(
        Guide([BOTTLE], 2, SCALE, 10),
        lambda asked: next(grams, 2_031.0) if asked.step == "load" else 0.0,
    )
    assert refusals(said) == [NotRepeated] and isinstance(said[-1], Finished)


def test_a_towel_left_behind_is_noticed() -> None:
    hall = Hall(6, rate_sps=10)
    left = iter([150.0])
    said = hall.guided(
        Guide([BOTTLE], 1, SCALE, 10),
        lambda asked: BOTTLE.mass_g if asked.step == "load" else next(left, 0.0),
    )
    assert refusals(said) == [ZeroMoved] and isinstance(said[-1], Finished)


def test_a_blocked_plate_ends_with_words_and_not_with_a_number() -> None:
    hall = Hall(7, rate_sps=10)
    said = hall.guided(
        Guide([BOTTLE], 1, SCALE, 10),
        lambda asked: 300.0 if asked.step == "load" else 0.0,
        limit_s=900,
    )
    assert set(refusals(said)) == {NotSeen} and said[-1] == GaveUp("refusals")


def test_who_is_called_away_leaves_nothing_behind() -> None:
    hall = Hall(8, rate_sps=10)
    said = hall.guided(Guide([BOTTLE], 1, SCALE, 10), lambda asked: None)
    assert said[-1] == GaveUp("patience")
