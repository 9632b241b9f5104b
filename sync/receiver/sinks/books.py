"""What lies in a bin, after each entry that touches it.

The same rule as the station's own books: the empty weight moves with ``zero`` and ``indicator_zeroed``
by their ``net_g``, an adjustment sets it; what is held is gross - empty. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

EMPTY_MOVES = frozenset({"zero", "indicator_zeroed"})


@dataclass(frozen=True, slots=True)
class Book:
    """``gross_g`` None without a scale; ``changed_seq`` None until an entry touched the bin."""

    item: str = ""
    gross_g: int | None = None
    empty_g: int = 0
    uncertainty_g: int | None = None
    changed_seq: int | None = None
    emptied_seq: int | None = None

    @property
    def held_g(self) -> int | None:
        return None if self.gross_g is None else self.gross_g - self.empty_g


def changed(book: Book, row: Any) -> Book:
    """After a row of ``bin_change`` of this bin, of this ledger's own (not recovered)."""
    if row.kind == "item_count":
        # A count is no weighing: it says nothing of when a bin with a scale was last weighed.
        touched = row.seq if book.gross_g is None else book.changed_seq
        return replace(book, item=row.item, changed_seq=touched)
    empty_g = book.empty_g
    if row.kind == "unattributed" and row.cause in EMPTY_MOVES:
        empty_g += row.net_g or 0
    return Book(
        item=row.item,
        gross_g=row.gross_after_g,
        empty_g=empty_g,
        uncertainty_g=row.uncertainty_g if row.kind != "bag_swap" else book.uncertainty_g,
        changed_seq=row.seq,
        emptied_seq=row.seq if row.kind == "bag_swap" else book.emptied_seq,
    )


def filled_in(book: Book, row: Any, *, adjusted_since: bool) -> Book:
    """After a row that came later than others of its bin, which it may stand before. ``adjusted_since``: an
    adjustment behind it said anew what empty weighs."""
    if book.changed_seq is None or row.seq > book.changed_seq:
        return changed(book, row)
    if row.kind == "bag_swap" and row.seq > (book.emptied_seq or 0):
        return replace(book, emptied_seq=row.seq)
    if row.kind == "unattributed" and row.cause in EMPTY_MOVES and not adjusted_since:
        return replace(book, empty_g=book.empty_g + (row.net_g or 0))
    return book


def adjusted(book: Book, empty_g: int) -> Book:
    """After an adjustment: the scale's grams are new ones, and so is what an empty bin weighs."""
    return replace(book, empty_g=empty_g)
