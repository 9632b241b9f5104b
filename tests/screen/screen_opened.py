"""What a touch on a bin opens: how many bins, what the station says, and what is touched in turn."""

from __future__ import annotations

import msgspec
from screen_scenes import LONG, TROUBLED, bins, view

from kiosk.core.view import Full, View


def _full(why: Full) -> View:
    return view(
        bins=tuple(
            msgspec.structs.replace(one, full=why if one.state == "full" else None)
            for one in bins(4, b2="full", b4="no_scale")
        )
    )


def _bin(number: int) -> str:
    return f"#bins li:nth-child({number}) button"


BAG, CALL = "#actions .action:nth-child(1)", "#actions .action:nth-child(2)"
OPENED: dict[str, tuple[int, View, tuple[str, ...]]] = {
    "opened-bin": (4, view(), (_bin(1),)),
    "opened-count": (4, view(), (_bin(4),)),
    "opened-away": (4, view(bins=TROUBLED), (_bin(3),)),
    "opened-full-said": (4, _full("said"), (_bin(2),)),
    "opened-full-sensor": (4, _full("sensor"), (_bin(2),)),
    "opened-full-limit": (4, _full("limit"), (_bin(2),)),
    "opened-bag": (4, _full("limit"), (_bin(2), BAG)),
    "opened-call": (4, _full("limit"), (_bin(2), CALL)),
}
LONGEST: dict[str, tuple[int, View, tuple[str, ...]]] = {
    "opened-longest": (LONG, view(bins=bins(LONG)), (_bin(3),)),
    "opened-longest-full": (LONG, view(bins=bins(LONG, b1="full")), (_bin(1),)),
    "opened-longest-trouble": (LONG, view(bins=bins(LONG, b3="trouble")), (_bin(3),)),
}
"""The same with the longest names, to be measured only."""
