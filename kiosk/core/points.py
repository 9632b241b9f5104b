"""Points of a visit, by tariff.

Invariant: the points of an entry are ``tariff(visit so far) - tariff(visit before it)``, so that ten
small drops earn what one large one earns, and taking out takes back no more than was given. Where a
card's day is full (``earned``) the tariff's word is cut to what there is room for.
"""

from __future__ import annotations

from collections.abc import Mapping

from kiosk.core.config import Tariff


def visit_points(tariff: Tariff, net_g: Mapping[str, int]) -> int:
    """Points for what a visit brought: grams by item, never negative for an item."""
    if tariff.mode == "kg":
        return sum(
            max(0, grams) * tariff.per_kg.get(item, 0) // 1000 for item, grams in net_g.items()
        )
    if tariff.mode == "item":
        return sum(tariff.per_item.get(item, 0) for item, grams in net_g.items() if grams > 0)
    return 0


def entitled(tariff: Tariff, net_g: Mapping[str, int]) -> int:
    """What a card's visit would have earned on a day without limits."""
    return tariff.per_visit if tariff.mode == "visit" else visit_points(tariff, net_g)
