"""Closing a gap: the first stable weight after nobody looked (a start, a lost scale, a bin away, an
overload).

What happened meanwhile is joined to the books with its cause (design.md, Weights), and is nobody's drop.
"""

from __future__ import annotations

from dataclasses import replace

from kiosk.core import adjusting, bags
from kiosk.core.bin import Bin
from kiosk.core.effects import Item
from kiosk.core.entries import AnyDraft, BagSwap, Cause
from kiosk.core.settled import Settled
from kiosk.core.state import State

UNCLEAR_ZERO = 0.04
"""An indicator at about zero where the book says more than this share of Max: ask."""
TOO_MUCH_MS = 30_000
"""Who sees that it is too much takes some out again within this time."""


def go_away(bin_: Bin) -> None:
    """Less than empty: the bin is lifted off, and weighs nothing until it is back."""
    bin_.stage, bin_.swap, bin_.doubted = "away", None, None
    bin_.disengage()


def go_over(bin_: Bin, settled: Settled | None) -> None:
    """Above Max + 9 e (R 76, 4.2.3): nothing is weighed until less lies on it.

    ``settled`` the weight that cannot be, None where an indicator says only that it is too much.
    """
    if bin_.stage != "over":
        bin_.overloaded = settled
    bin_.stage, bin_.swap, bin_.doubted = "over", None, None
    bin_.disengage()


def below_max(bin_: Bin, settled: Settled) -> Settled | None:
    """Less lies there again. Somebody's change that was too much for the scale and went at once has
    only taken longer: it began where it began. None where it has lain there for long.
    """
    over = bin_.overloaded
    came = settled if over is None else replace(settled, before=over.before, began_ms=over.began_ms)
    if bin_.book.gross_g is None or settled.t_ms - came.began_ms > TOO_MUCH_MS:
        return None
    bin_.stage, bin_.overloaded = "normal", None
    return came


def join(state: State, bin_: Bin, settled: Settled) -> tuple[AnyDraft, ...] | None:
    """The first stable weight since a start or a gap."""
    adjusted = adjusting.of_settings(bin_)
    if adjusted is not None:
        return adjusting.entered(bin_, adjusted, settled.gross_g)
    if bin_.below_empty(settled.gross_g):
        bin_.stage = "away"
        return None
    drafts = _joined(state, bin_, settled)
    if drafts is None:
        bin_.stage, bin_.asked = "question", settled
    return drafts


def _joined(state: State, bin_: Bin, settled: Settled) -> tuple[AnyDraft, ...] | None:
    """The entry that joins the book to the first stable weight; None when somebody must be asked.

    design.md, Weights: near empty is a new bag, up to a division is drift, anything else happened
    while nobody looked.
    """
    book_g, after_gap, new_bag = bin_.book.gross_g, bin_.stage == "gap", state.name("b")
    if book_g is None:
        return (bin_.first_weight(settled.gross_g),)
    change_g = settled.gross_g - book_g
    if bin_.near_empty(settled.gross_g) and not bin_.near_empty(book_g):
        power_went = after_gap or not state.same_boot
        held = book_g - bin_.book.empty_g > UNCLEAR_ZERO * bin_.scale.max_g
        if bin_.scale.zeroes_itself and power_went and held:
            return None
        return (bin_.bag_swap(new_bag, book_g, settled.gross_g),)
    if abs(change_g) <= bin_.scale.division_g:
        cause: Cause = bin_.quiet_cause(book_g, settled.gross_g)
    elif after_gap:
        cause = "unscaled"
    else:
        cause = "restart" if state.same_boot else "while_off"
    return bin_.unattributed(cause, book_g, settled.gross_g, settled.uncertainty_g)


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
    bin_.stage, bin_.overloaded = "normal", None
    bin_.disengage()
    if any(isinstance(item.draft, BagSwap) for item in items):
        bags.done(state, bin_)
