"""Closing a gap: the first stable weight after nobody looked (a start, a lost scale, a bin away, an
overload).

What happened meanwhile is joined to the books with its cause (design.md, Weights), and is nobody's drop.
"""

from __future__ import annotations

from kiosk.core import adjusting, bags
from kiosk.core.bin import Bin, Settled
from kiosk.core.effects import Item
from kiosk.core.entries import AnyDraft, BagSwap, Cause
from kiosk.core.state import State


def go_away(bin_: Bin) -> None:
    """Less than empty: the bin is lifted off, and weighs nothing until it is back."""
    bin_.stage, bin_.swap = "away", None
    bin_.disengage()


def go_over(bin_: Bin) -> None:
    """Above Max + 9 e (R 76, 4.2.3): nothing is weighed until less lies on it."""
    bin_.stage, bin_.swap = "over", None
    bin_.disengage()


def join(state: State, bin_: Bin, settled: Settled) -> tuple[AnyDraft, ...] | None:
    """The first stable weight since a start or a gap."""
    adjusted = adjusting.of_settings(bin_)
    if adjusted is not None:
        return adjusting.entered(bin_, adjusted, settled.gross_g)
    if bin_.below_empty(settled.gross_g):
        bin_.stage = "away"
        return None
    drafts = bin_.first_stable(
        settled,
        same_boot=state.same_boot,
        after_gap=bin_.stage == "gap",
        new_bag=state.name("b"),
    )
    if drafts is None:
        bin_.stage, bin_.asked = "question", settled
    return drafts


def come_back(state: State, bin_: Bin, settled: Settled) -> tuple[AnyDraft, ...] | None:
    """A bin that was away, or overloaded, stands still again."""
    gross_g, book_g = settled.gross_g, bin_.book.gross_g
    if bin_.below_empty(gross_g):
        bin_.stage = "away"
        return None
    if book_g is None:
        return join(state, bin_, settled)
    if bin_.near_empty(gross_g) and not bin_.near_empty(book_g):
        return (bin_.bag_swap(state.name("b"), book_g, gross_g),)
    near = abs(gross_g - book_g) <= bin_.scale.division_g
    cause: Cause = "drift" if near else "removal"
    return bin_.unattributed(cause, book_g, gross_g, settled.uncertainty_g)


def done(state: State, bin_: Bin, items: tuple[Item, ...]) -> None:
    """The gap is closed: the bin weighs."""
    bin_.stage = "normal"
    bin_.disengage()
    if any(isinstance(item.draft, BagSwap) for item in items):
        bags.done(state, bin_)
