"""An indicator whose weight lies between two divisions shows now one, now the other, both stable."""

from __future__ import annotations

import itertools

from kiosk.core.config import ScaleRules
from kiosk.core.events import IndicatorReading
from kiosk.core.settle import IndicatorSettler, Plateau

RULES = ScaleRules(max_g=60_000, division_g=20, min_increment_g=20, rate_sps=10.0)


def plateaus(shown_g: list[int]) -> list[Plateau]:
    settler = IndicatorSettler(RULES)
    signs = [
        settler.feed(IndicatorReading("b3", 100 * number, "stable", gross_g * 1_000))
        for number, gross_g in enumerate(shown_g)
    ]
    return [sign for sign in itertools.chain(*signs) if isinstance(sign, Plateau)]


def test_a_weight_between_two_divisions_is_known_although_it_flickers() -> None:
    (only,) = plateaus([2_040, 2_060] * 30)
    assert only.gross_g in (2_040, 2_060)


def test_a_weight_that_walks_away_is_not() -> None:
    assert plateaus([2_000 + 20 * (number // 2) for number in range(60)]) == []
