"""A thermometer's readings, and the adjustment that comes of them where the settings want it.

Theory. What a thermometer says corrects a scale only by what an adjustment says of warmth
(``warmth_line``); with ``learns_warmth`` undisturbed hours teach it (``nights``). What is learned is an
adjustment like any other (method ``temperature``), with a number, an entry, and the step that it makes of
the load.
"""

from __future__ import annotations

import msgspec

from kiosk.core.adjusted import Adjusted, slope_ncounts
from kiosk.core.bin import Bin
from kiosk.core.events import ScaleAdjusted, Warmth
from kiosk.core.intents import Adjust
from kiosk.core.nights import Learned
from kiosk.core.state import State

QUIET_MS = 60_000
"""A plateau teaches from so long after it was told (and is averaged well by then)."""
LEARN_EVERY_MS = 3_600_000


def seen(state: State, reading: Warmth) -> None:
    """A reading for one bin, or for all."""
    for bin_ in state.bins.values():
        if reading.bin in (None, bin_.rules.bin) and bin_.warmth is not None:
            bin_.warmth.seen(reading.t_ms, reading.temperature_mc)


def pass_time(state: State, t_ms: int) -> None:
    """Learns from what lies still; what is sure becomes an adjustment while nobody is there."""
    for bin_ in state.bins.values():
        if bin_.nights is None or bin_.warmth is None or bin_.warmth.now_mc is None:
            continue
        level_g = bin_.level_g
        if level_g is None or bin_.stage != "normal":
            continue
        began_ms = bin_.still_since_ms
        if began_ms != bin_.taught_ms:
            bin_.nights.end(bin_.looked_ms, bin_.lay_g)
            bin_.taught_ms = began_ms
        if t_ms - began_ms >= QUIET_MS:
            bin_.nights.point(t_ms, bin_.warmth.now_mc / 1000, level_g)
            bin_.looked_ms, bin_.lay_g = t_ms, level_g - bin_.book.empty_g
        if t_ms - bin_.learned_ms >= LEARN_EVERY_MS and not state.visits.open():
            bin_.learned_ms = t_ms
            learned = bin_.nights.learned()
            if learned is not None:
                bin_.nights.forget()
                adjusted = with_warmth(bin_, learned)
                state.intend(
                    Adjust(ScaleAdjusted(t_ms, bin_.rules.bin, "", "temperature", adjusted, None))
                )


def with_warmth(bin_: Bin, learned: Learned) -> Adjusted:
    """The present line, with what was learned beside it.

    A line whose own temperature nobody knew takes the present one for it.
    """
    assert bin_.warmth is not None and bin_.warmth.now_mc is not None
    scale, present = bin_.scale, bin_.book.adjusted or Adjusted()
    assert scale.counts_per_gram is not None
    at_mc = present.temperature_mc
    return msgspec.structs.replace(
        present,
        slope_ncounts_per_g=slope_ncounts(scale.counts_per_gram),
        zero_counts=scale.zero_counts,
        temperature_mc=round(bin_.warmth.now_mc) if at_mc is None else at_mc,
        zero_mg_per_c=present.zero_mg_per_c + round(1000 * learned.zero_g_per_c),
        gain_ppb_per_c=present.gain_ppb_per_c + round(1e9 * learned.gain_per_c),
    )
