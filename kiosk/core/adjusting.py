"""A scale's new line: the service around it, and how it gets into the books, loaded or empty.

Invariants
  1. Every line in force has a number of its own in the ledger, higher than the one before it, and a
     weighing names the number that it was made under.
  2. What a new line makes of the same load is ``unattributed`` with cause ``adjustment``: nobody's, and
     never collected.

Theory. A line maps counts to grams, so a load that lies still has one weight by the old line and one by the
new: both are known the moment the line changes, and the entry that joins them is exact. In one commit
stand what crept since the last entry (``drift``), the ``adjustment``, and the step. Meanwhile the bin is in
service: reference weights come and go, and nothing on it is anybody's. A service that ends without an
adjustment ends like any gap.

A number in the settings that is higher than the books' is a line that somebody wrote into the file: it is
entered at the first stable weight after the start (method ``settings``).
"""

from __future__ import annotations

import math
from dataclasses import replace

from kiosk.core.adjusted import NANO, Adjusted, slope_ncounts
from kiosk.core.bin import Bin
from kiosk.core.entries import Adjustment, AnyDraft, Cause
from kiosk.core.events import ScaleAdjusted
from kiosk.core.intents import Adjust, Serve
from kiosk.core.state import State
from kiosk.core.warmth_line import WarmthLine

LEAST_SLOPE, MOST_SLOPE = 0.001, 100_000.0
"""Counts a gram, as the settings have it."""
ADC_LIMIT = 1 << 23
MOST_MC, MOST_G_PER_C, MOST_GAIN_PER_C = 125_000, 1_000.0, 0.01


# -- service ------------------------------------------------------------------------------------


def decide_service(state: State, serve: Serve) -> tuple[AnyDraft, ...] | None:
    """() where it may begin (or end); None, answered, where not."""
    asked = serve.asked
    bin_ = state.bins.get(asked.bin)
    if bin_ is None or bin_.rules.scale is None:
        state.answer(asked.request, "no_scale")
        return None
    if not asked.begin:  # also of a scale that was lost meanwhile: it weighs again when it is back
        if bin_.stage == "service":
            _end_service(bin_)
        state.answer(asked.request, "done", bin_)
        return None
    if bin_.lost or bin_.broken:
        state.answer(asked.request, "no_scale")
        return None
    if bin_.stage == "service":  # another's, whose end would be this one's too
        state.answer(asked.request, "in_service", bin_)
        return None
    if bin_.stage in ("starting", "question"):
        state.answer(asked.request, "not_ready", bin_)
        return None
    if any(not v.closed for v in state.visits) or any(s.bin == asked.bin for s in state.held):
        state.answer(asked.request, "visit_open", bin_)
        return None
    if bin_.swap is not None:
        state.answer(asked.request, "moving", bin_)
        return None
    return ()


def begin_service(state: State, serve: Serve) -> None:
    bin_ = state.bins[serve.asked.bin]
    bin_.stage = "service"
    bin_.disengage()
    state.answer(serve.asked.request, "done", bin_)


def _end_service(bin_: Bin) -> None:
    """Nobody looked meanwhile: the next plateau closes the gap."""
    bin_.stage = "normal"
    bin_.interrupt()


# -- the new line -------------------------------------------------------------------------------


def decide(state: State, adjust: Adjust) -> tuple[AnyDraft, ...] | None:
    """What crept, the adjustment, and the step from the old line's grams to the new line's."""
    asked = adjust.asked
    bin_ = state.bins.get(asked.bin)
    if bin_ is None or bin_.rules.scale is None or bin_.lost or bin_.broken:
        state.answer(asked.request, "no_scale")
        return None
    if not _possible(bin_, asked.adjusted):
        state.answer(asked.request, "impossible", bin_)
        return None
    if bin_.stage in ("starting", "gap", "question"):
        state.answer(asked.request, "not_ready", bin_)
        return None
    if bin_.stage != "service" and any(not v.closed for v in state.visits):
        state.answer(asked.request, "visit_open", bin_)
        return None
    if bin_.level_g is None or bin_.swap is not None:
        state.answer(asked.request, "moving", bin_)
        return None
    return _step(state, bin_, asked)


def done(state: State, adjust: Adjust) -> None:
    """The new line is durable, and in force since (``Bin.booked``)."""
    bin_ = state.bins[adjust.asked.bin]
    bin_.stage, bin_.weighed = "normal", False
    state.answer(adjust.asked.request, "done", bin_)


def _step(state: State, bin_: Bin, asked: ScaleAdjusted) -> tuple[AnyDraft, ...]:
    level_g, book_g = bin_.level_g, bin_.book.gross_g
    assert level_g is not None
    drafts: list[AnyDraft] = []
    if book_g is not None:
        drafts += _meanwhile(state, bin_, book_g, level_g)
    number = max(bin_.book.adjustment, bin_.scale.adjustment) + 1
    empty_g = asked.empty_g
    if empty_g is None:
        empty_g = by_new_line(bin_, asked.adjusted, bin_.book.empty_g)
    drafts.append(entry(bin_, number, asked.method, asked.adjusted, empty_g, book_g, level_g))
    if book_g is not None:
        after_g = by_new_line(bin_, asked.adjusted, level_g)
        drafts += bin_.unattributed("adjustment", level_g, after_g, bin_.quiet_uncertainty_g())
    return tuple(drafts)


def _meanwhile(state: State, bin_: Bin, book_g: int, level_g: int) -> tuple[AnyDraft, ...]:
    """What happened to the load while nobody weighed, by the old line."""
    if bin_.stage == "service" and bin_.near_empty(level_g) and not bin_.near_empty(book_g):
        return (bin_.bag_swap(state.name("b"), book_g, level_g),)
    near = abs(level_g - book_g) <= bin_.scale.division_g
    cause: Cause = bin_.quiet_cause(book_g, level_g) if near else "removal"
    return bin_.unattributed(cause, book_g, level_g, bin_.quiet_uncertainty_g())


def entry(
    bin_: Bin,
    number: int,
    method: str,
    adjusted: Adjusted,
    empty_g: int,
    book_g: int | None,
    level_g: int,
) -> Adjustment:
    """The entry itself, which moves no grams."""
    at_g = None if book_g is None else level_g
    return Adjustment(bin_.rules.bin, number, method, at_g, at_g, empty_g, adjusted)


def by_new_line(bin_: Bin, adjusted: Adjusted, gross_g: int) -> int:
    """What the same counts are by the new line; the same for an indicator, which makes its own grams.

    The two lines may be of different temperatures: what they share are the raw counts of this moment.
    """
    slope, zero = bin_.scale.counts_per_gram, adjusted.zero_counts
    if slope is None or zero is None or adjusted.counts_per_gram is None or bin_.warmth is None:
        return gross_g
    raw = bin_.warmth.raw(gross_g * slope + bin_.scale.zero_counts)
    new = replace(bin_.scale, counts_per_gram=adjusted.counts_per_gram, zero_counts=zero)
    counts = WarmthLine(new, adjusted, bin_.warmth.now_mc).at_adjustment(raw)
    return round((counts - zero) / adjusted.counts_per_gram)


def _possible(bin_: Bin, adjusted: Adjusted) -> bool:
    """Whether a scale can have this line: an indicator has none, a converter's has both numbers."""
    slope, zero = adjusted.counts_per_gram, adjusted.zero_counts
    if not bin_.counts:
        return slope is None and zero is None
    if slope is None or zero is None:
        return False
    within = LEAST_SLOPE <= abs(slope) <= MOST_SLOPE and abs(zero) < ADC_LIMIT
    reaches = abs(zero + slope * bin_.scale.max_g) < ADC_LIMIT
    mild = (
        abs(adjusted.temperature_mc or 0) <= MOST_MC
        and abs(adjusted.zero_mg_per_c) <= 1000 * MOST_G_PER_C
        and abs(adjusted.gain_ppb_per_c) <= MOST_GAIN_PER_C * NANO
    )
    return within and reaches and mild


# -- a line that somebody wrote into the settings -----------------------------------------------


def of_settings(bin_: Bin) -> Adjusted | None:
    """The file's line, where its number is newer than the books'."""
    scale = bin_.scale
    if scale.adjustment <= bin_.book.adjustment:
        return None
    if scale.counts_per_gram is None or not math.isfinite(scale.counts_per_gram):
        return Adjusted()
    return Adjusted(
        slope_ncounts_per_g=slope_ncounts(scale.counts_per_gram), zero_counts=scale.zero_counts
    )


def entered(bin_: Bin, adjusted: Adjusted, gross_g: int) -> tuple[AnyDraft, ...]:
    """The file's line at the first weight by it, ``gross_g``: what was in the bin stays what it was.

    ``gross_g`` also holds what came or went while the station was off; nobody can tell the two apart.
    """
    book_g = bin_.book.gross_g
    number = bin_.scale.adjustment
    if book_g is None:
        first = bin_.first_weight(gross_g)
        return (entry(bin_, number, "settings", adjusted, 0, None, gross_g), first)
    empty_g = bin_.book.empty_g
    if bin_.book.adjusted is not None and bin_.counts:
        empty_g = _carried(bin_, bin_.book.adjusted, empty_g)
    return (
        entry(bin_, number, "settings", adjusted, empty_g, book_g, book_g),
        *bin_.unattributed("adjustment", book_g, gross_g, bin_.quiet_uncertainty_g()),
    )


def _carried(bin_: Bin, old: Adjusted, gross_g: int) -> int:
    """Old grams to the present line's."""
    slope = bin_.scale.counts_per_gram
    if slope is None or old.counts_per_gram is None or old.zero_counts is None:
        return gross_g
    counts = gross_g * old.counts_per_gram + old.zero_counts
    return round((counts - bin_.scale.zero_counts) / slope)
