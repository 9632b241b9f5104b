"""The demo's log speaks of what is there: a bin without a scale has no grams."""

from __future__ import annotations

from typing import Any

import pytest
from hw_sim import telling

SWAP = {"kind": "bag_swap", "bin": "b4", "bag": "s-b1", "net_g": None}
PIECES = {"kind": "item_count", "item": "carton", "visit": "v1", "count": 2, "ml": None}
GAP = {"kind": "unattributed", "item": "carton", "net_g": None, "cause": "unscaled"}


@pytest.mark.parametrize(
    ("body", "line"),
    [
        (SWAP, "bag s-b1 of b4 changed"),
        (SWAP | {"net_g": 340}, "bag s-b1 of b4 with 340 g changed"),
        (PIECES, "2 × carton of v1"),
        (PIECES | {"count": None, "ml": 500}, "500 ml carton of v1"),
        (GAP, "unweighed carton, nobody's (unscaled)"),
        (GAP | {"net_g": -3}, "-3 g carton, nobody's (unscaled)"),
        ({"kind": "boot"}, None),
    ],
)
def test_an_entry_at_the_city_is_one_plain_line(body: dict[str, Any], line: str | None) -> None:
    assert telling.of_entry(body) == line
