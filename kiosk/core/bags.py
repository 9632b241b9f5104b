"""Bags: how a change of bag is seen, waited for and written, and a caretaker's word where it is unclear.

Theory (design.md, Weights). A fall to nearly the empty weight is a bag change, without anyone pressing
anything; it is written once the bin has kept still for ``SWAP_QUIET_MS``. What falls into the new bag
before that is counted after it. A bin that does not weigh is told of its new bag by a touch.
"""

from __future__ import annotations

from dataclasses import replace

from kiosk.core import putback
from kiosk.core.bin import Bin
from kiosk.core.entries import AnyDraft, Cause
from kiosk.core.intents import Answer, Settle, Swap
from kiosk.core.settled import Level, PendingSwap, Settled
from kiosk.core.state import State
from kiosk.core.visits import Visit

SWAP_QUIET_MS = 3_000
"""So long a bin must keep still near its empty weight before a bag change is written."""

NEW_BAG_MS = 30_000
"""So long after a bag change small movements near empty are the new bag being pulled straight."""


def looks_changed(bin_: Bin, visit: Visit | None, left_g: int, settled: Settled) -> bool:
    """Whether this fall takes more out than ``visit`` itself has put in, down to nearly nothing."""
    fall_g = left_g - settled.gross_g
    put_in_g = 0 if visit is None else visit.put_in_g.get(settled.bin, 0)
    return (
        bin_.near_empty(settled.gross_g)
        and fall_g >= bin_.rules.bag_min_g
        and put_in_g < fall_g - bin_.scale.division_g
    )


def is_being_set(bin_: Bin, anonymous: bool, left_g: int, settled: Settled) -> bool:
    """Whether this is the new bag's own movement, a moment after the change.

    Where nobody is there anything small is. In a visit only what fills a hole: the bag that was taken
    out left less than the empty weight, and what comes makes up for it.
    """
    if bin_.swapped_ms is None or settled.t_ms - bin_.swapped_ms > NEW_BAG_MS:
        return False
    empty_g, d = bin_.book.empty_g, bin_.scale.division_g
    if anonymous:
        return bin_.near_empty(left_g) and bin_.near_empty(settled.gross_g)
    missing_g = empty_g - left_g
    return missing_g >= d and abs(settled.gross_g - empty_g) <= missing_g


def wait(bin_: Bin, left: Level, settled: Settled) -> None:
    """A bag seems to have gone: the change is written when the bin has kept still."""
    bin_.swap = PendingSwap(settled.since(left), settled.t_ms)


def go_on(state: State, bin_: Bin, swap: PendingSwap, settled: Settled) -> None:
    """The bin moved again before its bag change was written."""
    if bin_.near_empty(settled.gross_g):
        moved = replace(swap.settled, after=settled.after, t_ms=settled.t_ms)
        bin_.swap = PendingSwap(moved, settled.t_ms)
        return
    # Something fell into the new bag before the change was written: first the bag, then it.
    state.intend_first(Settle(settled.since(swap.settled.after)))
    state.intend_first(Swap(settled.bin))


def pass_time(state: State, t_ms: int) -> None:
    for bin_ in state.bins.values():
        if bin_.swap is None or bin_.moving_since_ms is not None:
            continue
        if t_ms - bin_.swap.since_ms >= SWAP_QUIET_MS:
            state.intend(Swap(bin_.rules.bin))


def decide(state: State, bin_: Bin) -> tuple[AnyDraft, ...] | None:
    """The bag change that was waited for."""
    if bin_.swap is None:
        return None
    settled = bin_.swap.settled
    assert settled.before is not None
    before_g = settled.before.gross_g
    flush = bin_.flush(before_g)
    return (*flush, bin_.bag_swap(state.name("b"), before_g, settled.gross_g))


def done(state: State, bin_: Bin) -> None:
    """A bag change is durable: what was put into the old bag can no longer be taken out."""
    putback.bag_changed(state, bin_)
    bin_.swap = None
    bin_.disengage()
    bin_.filling.disturb(state.now.boot_ms)
    bin_.swapped_ms = bin_.tracked_ms = state.now.boot_ms
    for visit in state.visits:
        visit.put_in_g.pop(bin_.rules.bin, None)


# -- a caretaker's word: what the scale alone cannot tell ---------------------------------------


def decide_answer(state: State, answer: Answer) -> tuple[AnyDraft, ...] | None:
    """``indicator_zeroed`` or ``bag_swap`` for a bin that asks, ``bag_swap`` for one that does not
    weigh; nothing where the scale knows better."""
    bin_ = state.bins[answer.bin]
    book_g = bin_.book.gross_g
    if bin_.asked is not None and bin_.stage == "question" and book_g is not None:
        asked = bin_.asked
        if answer.action == "bag_swap":
            return (bin_.bag_swap(state.name("b"), book_g, asked.gross_g),)
        cause: Cause = "indicator_zeroed"
        return bin_.unattributed(cause, book_g, asked.gross_g, asked.uncertainty_g)
    if answer.action != "bag_swap" or bin_.weighs:
        return None  # a bin that weighs sees its bag change by itself
    if bin_.stage in ("starting", "over", "service"):
        return None  # and so will this one
    after_g = None if book_g is None else bin_.book.empty_g
    return (bin_.bag_swap(state.name("b"), book_g, after_g),)


def answered(state: State, bin_: Bin) -> None:
    """The answer is durable: the bin goes on."""
    if bin_.stage == "question":
        bin_.stage, bin_.asked = "normal", None
    done(state, bin_)
