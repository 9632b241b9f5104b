"""Zero: a bin's empty weight, how it creeps after its scale, and how a caretaker sets it.

Invariants
  1. The empty weight moves only with an entry ``zero`` of the same grams (design.md, Weights).
  2. All of it stays within 4 % of Max around the adjustment's own zero, or around where initial
     zero-setting put it, and that within 20 % (R 76, 4.5.1).
  3. Zero-tracking acts only at zero, in stable equilibrium, while nobody is there, and is far slower
     than 0.5 d a second (R 76, 4.5.7).

Theory. Grams here are always those of the adjustment's line, so nothing that has to be remembered is taken
off a reading: what follows a drifting zero is the *empty weight* in the books. A plateau that holds
goes after its scale by itself, no faster than 0.02 d a second; once its level at an empty bin is
``TRACK_D`` away from the book and nobody is there, the book follows, by at most a division in ten minutes.
A real load that creeps in while nobody is there is faster than that: it is no zero, but ``drift``, and
stays in the bin's contents.

A bag changed or a caretaker's word says "this is empty" of a weight that the books do not call so. That is
two entries: what the books held too much (``drift``), and the zero that was there instead. The scale's
gross stays what it is, and what a new bag weighs more or less than the old one goes the same way (tare).
"""

from __future__ import annotations

from kiosk.core import limits
from kiosk.core.bin import Bin
from kiosk.core.entries import AnyDraft, Unattributed
from kiosk.core.intents import Track, Zero
from kiosk.core.state import State

TRACK_D = 0.5
"""So far the zero is let go before the book follows, in divisions."""
TRACK_EVERY_MS = 10 * 60_000
QUIET_MS = 30_000
"""Nobody was there, and the bin stood still, for so long."""
SET_MS = 30_000
"""A new bag hangs as it will hang once nothing has moved for so long."""
TARE_D = 0.5
"""A new bag's weight beyond this, in divisions, moves the empty weight."""


# -- tracking -----------------------------------------------------------------------------------


def pass_time(state: State, t_ms: int) -> None:
    """Lets the books of empty bins follow their scales."""
    if state.visits.open() or state.held:
        return
    for bin_ in state.bins.values():
        if (_crept(bin_, t_ms) or _bag_is_set(bin_, t_ms)) and not any(
            isinstance(i, Track) and i.bin == bin_.rules.bin for i in state.intents
        ):
            state.intend(Track(bin_.rules.bin))


def _crept(bin_: Bin, t_ms: int) -> bool:
    if bin_.stage != "normal" or not bin_.weighs or bin_.engaged is not None:
        return False
    level_g, book_g = bin_.level_g, bin_.book.gross_g
    if level_g is None or book_g is None or bin_.swap is not None:
        return False
    quiet = t_ms - bin_.still_since_ms >= QUIET_MS
    return (
        quiet
        and t_ms - bin_.tracked_ms >= TRACK_EVERY_MS
        and abs(level_g - book_g) >= TRACK_D * bin_.scale.division_g
        and bin_.near_empty(book_g)
    )


def decide_track(state: State, bin_: Bin) -> tuple[AnyDraft, ...] | None:
    """``zero`` where it can only be the scale's own; ``drift`` where something may lie in the bin."""
    if state.visits.open():
        return None
    level_g, book_g = bin_.level_g, bin_.book.gross_g
    if level_g is None or book_g is None:
        return None
    if _bag_is_set(bin_, state.now.boot_ms):
        return tare(bin_, level_g, book_g)
    if not _crept(bin_, state.now.boot_ms):
        return None
    return bin_.unattributed(
        bin_.quiet_cause(book_g, level_g), book_g, level_g, bin_.quiet_uncertainty_g()
    )


def tracked(state: State, bin_: Bin) -> None:
    """The book has followed."""
    bin_.tracked_ms, bin_.swapped_ms = state.now.boot_ms, None


def _bag_is_set(bin_: Bin, t_ms: int) -> bool:
    """Whether a new bag has hung long enough, so that what it weighs is known."""
    if bin_.swapped_ms is None or bin_.stage != "normal" or not bin_.weighs:
        return False
    since_ms = max(bin_.swapped_ms, bin_.still_since_ms)
    return bin_.swap is None and bin_.level_g is not None and t_ms - since_ms >= SET_MS


# -- a caretaker's word -------------------------------------------------------------------------


def decide_zero(state: State, zero: Zero) -> tuple[AnyDraft, ...] | None:
    """The bin is empty now: its empty weight is what it weighs. None where that is refused."""
    asked = zero.asked
    bin_ = state.bins.get(asked.bin)
    if bin_ is None or bin_.rules.scale is None or bin_.lost or bin_.broken:
        state.answer(asked.request, "no_scale")
        return None
    if bin_.stage == "service":
        state.answer(asked.request, "in_service", bin_)
        return None
    if bin_.stage not in ("normal", "away") or bin_.book.gross_g is None:
        state.answer(asked.request, "not_ready", bin_)
        return None
    if state.visits.open() or any(not v.closed for v in state.visits):
        state.answer(asked.request, "visit_open", bin_)
        return None
    level_g = bin_.level_g
    if level_g is None or bin_.swap is not None or any(s.bin == asked.bin for s in state.held):
        state.answer(asked.request, "moving", bin_)
        return None
    initial = abs(level_g) <= limits.zero_range_g(bin_.scale, initial=True) and not bin_.weighed
    if not bin_.zero_allowed(level_g) and not initial:
        state.answer(asked.request, "beyond_limit", bin_)
        return None
    return set_empty(bin_, bin_.book.gross_g, level_g)


def zeroed(state: State, zero: Zero) -> None:
    """The zero is durable: the bin weighs, also one that was below it."""
    bin_ = state.bins[zero.asked.bin]
    if not bin_.zero_allowed(bin_.book.empty_g):
        bin_.zero_from_g = bin_.book.empty_g
    bin_.stage, bin_.swapped_ms = "normal", None
    bin_.disengage()
    state.answer(zero.asked.request, "done", bin_)


# -- tare ---------------------------------------------------------------------------------------


def tare(bin_: Bin, level_g: int, before_g: int) -> tuple[Unattributed, ...]:
    """After a bag change, before anything is dropped: ``level_g`` is what the bin weighs with its new bag.

    ``before_g`` is where the books stand by then. Nothing where the weights differ by less than matters, or
    zero may not go so far.
    """
    off_g = abs(level_g - bin_.book.empty_g)
    new = bin_.swapped_ms is not None and bin_.near_empty(level_g)
    if not new or off_g < TARE_D * bin_.scale.division_g or not bin_.zero_allowed(level_g):
        return ()
    return set_empty(bin_, before_g, level_g)


def set_empty(bin_: Bin, before_g: int, level_g: int) -> tuple[Unattributed, ...]:
    """The two entries after which ``level_g`` is both gross and empty weight."""
    empty_g, uncertainty_g = bin_.book.empty_g, bin_.quiet_uncertainty_g()
    return (
        *bin_.unattributed("drift", before_g, empty_g, uncertainty_g),
        *bin_.unattributed("zero", empty_g, level_g, uncertainty_g),
    )
