"""What an entry does to its bin's book: grams in, grams out, none lost.

Invariant: an entry's ``gross_before_g`` is the book's ``gross_g``, its ``gross_after_g`` becomes
it, and ``net_g`` is the difference (``bag_swap`` alone: before - after). Three nulls are a bin
without a scale; null, a weight and no net are a scale that is new to the books.

The empty weight moves with ``zero`` and ``indicator_zeroed`` by their ``net_g``; an adjustment sets it, for
the scale's grams are new ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import msgspec

from kiosk.core.adjusted import Adjusted
from kiosk.core.memory import BinBook

Entry = Mapping[str, Any]
"""A parsed body."""

GRAM_KINDS = frozenset({"weighing", "unattributed", "bag_swap", "adjustment"})
"""The kinds that carry grams of a bin."""

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


def fault(book: BinBook | None, entry: Entry) -> str | None:
    """What breaks the invariant above, in words; None where it holds. ``entry`` carries grams."""
    before_g, after_g = entry["gross_before_g"], entry["gross_after_g"]
    if before_g is None and after_g is None:
        return None if entry.get("net_g") is None else "a net weight without gross weights"
    book_g = None if book is None else book.gross_g
    if before_g != book_g:
        return f"begins at {before_g} g where the book says {book_g} g"
    if after_g is None:
        return "ends nowhere"
    if entry["kind"] == "adjustment":
        return None if before_g == after_g else "an adjustment that moves grams by itself"
    if before_g is None:
        expected = None
    else:
        expected = before_g - after_g if entry["kind"] == "bag_swap" else after_g - before_g
    if entry["net_g"] != expected:
        return f"a net of {entry['net_g']} g from {before_g} g to {after_g} g"
    return None


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
