"""What an entry does to its bin's book.

Where the grams begin and end is ``kiosk.core.conserving``'s. The empty weight moves with ``zero`` and
``indicator_zeroed`` by their ``net_g``; an adjustment sets it, for the scale's grams are new ones.
"""

from __future__ import annotations

from dataclasses import replace

import msgspec

from kiosk.core.adjusted import Adjusted
from kiosk.core.conserving import GRAM_KINDS as GRAM_KINDS
from kiosk.core.conserving import Broken, broken
from kiosk.core.conserving import Entry as Entry
from kiosk.core.memory import BinBook

_EMPTY_MOVES = frozenset({"zero", "indicator_zeroed"})


def opening_books(genesis: Entry) -> dict[str, BinBook]:
    """The books that a ledger begins with. An opening names no item: a bin's first entry does."""
    return {
        bin_id: BinBook(
            bin=bin_id,
            item="",
            bag=opening["bag"] or "",
            gross_g=opening["gross_g"],
            adjustment=opening["adjustment"],
        )
        for bin_id, opening in genesis["opening"].items()
    }


def fault(book: BinBook | None, entry: Entry) -> Broken | None:
    """What does not add up between the book and an entry that carries grams."""
    return broken(None if book is None else book.gross_g, entry)


def moved(book: BinBook | None, entry: Entry) -> BinBook:
    """The book after an entry that carries grams; ``book`` None at a bin's first."""
    book = book or BinBook(bin=entry["bin"], item="", bag="", gross_g=None)
    before_g, after_g = entry["gross_before_g"], entry["gross_after_g"]
    empty_g = entry["empty_g"] if entry["kind"] == "adjustment" else book.empty_g
    if before_g is not None and after_g is not None:
        reason = entry["cause"] if entry["kind"] == "unattributed" else entry["kind"]
        if reason in _EMPTY_MOVES:
            empty_g += after_g - before_g
    return replace(
        book,
        item=entry.get("item", book.item),
        bag=entry["new_bag"] if entry["kind"] == "bag_swap" else entry.get("bag", book.bag),
        gross_g=after_g,
        empty_g=empty_g,
        adjustment=entry["number"] if entry["kind"] == "adjustment" else book.adjustment,
        adjusted=_adjusted(entry) if entry["kind"] == "adjustment" else book.adjusted,
    )


def _adjusted(entry: Entry) -> Adjusted:
    return msgspec.convert(entry["scale"], Adjusted)
