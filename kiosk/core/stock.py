"""What becomes of each item at a station: taken in, in the bins, stored, picked up, sold.

Invariant, exact in grams for each item, whatever happens::

    taken_in.g + other_g == bins_g + stored.g + picked.g

``taken_in`` is what visits dropped (less what they took out again), ``other_g`` everything else that
moved a bin's weight (what a bin held when the ledger began, wind, drift, remainders, something taken
out when nobody was here), ``bins_g`` what the books say is in the bins now, above their empty weight.
A bag that is changed goes to the yard with the grams of its ``bag_swap``, and leaves with them: what a
buyer weighed (``told_g``) is another scale's word and stands beside.

Bags are what people carry, so bags are what is picked up, the oldest first. A bag that no scale weighed
is counted (``unweighed``) and has no grams; picked-up bags that the books never saw (from before the
station, or never reported) are ``beyond``. A sale is a paper of its own and moves no bag.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec.structs import replace

from kiosk.core.memory import BinBook
from kiosk.core.shared import Amount, Shared

Entry = Mapping[str, Any]


class Bags(msgspec.Struct, frozen=True):
    """Bags, how many of them nobody weighed, and the grams of the others."""

    bags: int = 0
    unweighed: int = 0
    g: int = 0

    def plus(self, more: Bags, times: int = 1) -> Bags:
        """With ``more``, or with ``times`` -1 without it."""
        return Bags(
            self.bags + times * more.bags,
            self.unweighed + times * more.unweighed,
            self.g + times * more.g,
        )


class ItemStock(msgspec.Struct, frozen=True):
    """One item. ``ever``, ``month`` and ``day``: what of ``taken_in`` may be shown."""

    taken_in: Amount = Amount()
    other_g: int = 0
    bins_g: int = 0
    stored: Bags = Bags()
    picked: Bags = Bags()
    pickups: int = 0
    beyond: int = 0
    told_g: int = 0
    sales: int = 0
    sold_g: int = 0
    yen: int = 0
    ever: Shared = Shared()
    month: Shared = Shared()
    day: Shared = Shared()


def bag(net_g: int | None) -> Bags:
    """One bag."""
    return Bags(1, 0, net_g) if net_g is not None else Bags(1, 1, 0)


def contents_g(book: BinBook | None) -> int:
    """What the book says is in a bin; 0 where it does not know."""
    return 0 if book is None or book.gross_g is None else book.gross_g - book.empty_g


def to_yard(entry: Entry) -> Bags | None:
    """The bag of a ``bag_swap``; None where nothing was in it, for a bag was put straight or an empty one
    changed."""
    net_g = entry["net_g"]
    return bag(net_g) if net_g is None or net_g > 0 else None


def moved(
    stock: ItemStock, before: BinBook | None, after: BinBook, entry: Entry
) -> tuple[ItemStock, Bags | None]:
    """After an entry that carries grams, of the item that the bin holds after it; and the bag that went.

    What the bin held of another item before is not this item's: ``left`` takes it from that one.
    """
    base_g = contents_g(before) if before is not None and before.item == after.item else 0
    change_g = contents_g(after) - base_g
    gone = to_yard(entry) if entry["kind"] == "bag_swap" else None
    in_g = entry["net_g"] if entry["kind"] == "weighing" else 0
    stored = stock.stored if gone is None else stock.stored.plus(gone)
    return replace(
        stock,
        bins_g=stock.bins_g + change_g,
        other_g=stock.other_g + change_g - in_g + (0 if gone is None else gone.g),
        stored=stored,
    ), gone


def left(stock: ItemStock, before: BinBook) -> ItemStock:
    """A bin turned to another item: what its book still says is not this item's any more."""
    g = contents_g(before)
    return replace(stock, bins_g=stock.bins_g - g, other_g=stock.other_g - g)


def dropped(
    stock: ItemStock, amount: Amount, visit: str | None, day: int | None, month: int | None
) -> ItemStock:
    """After a drop; ``day`` and ``month`` None where the clock did not know them."""
    return replace(
        stock,
        taken_in=stock.taken_in.plus(amount),
        ever=stock.ever.dropped(0, amount, visit),
        day=stock.day if day is None else stock.day.dropped(day, amount, visit),
        month=stock.month if month is None else stock.month.dropped(month, amount, visit),
    )


def amount_of(entry: Entry) -> Amount | None:
    """What a drop's entry says; None for other kinds."""
    if entry["kind"] == "weighing":
        return Amount(g=entry["net_g"], weighings=1)
    if entry["kind"] == "item_count":
        return Amount(pieces=entry.get("count") or 0, ml=entry.get("ml") or 0, counts=1)
    return None


def picked_up(stock: ItemStock, gone: Bags, asked: int, told_g: int, times: int = 1) -> ItemStock:
    """After a pickup of ``asked`` bags of which the books knew ``gone``; ``times`` -1 takes it back."""
    return replace(
        stock,
        stored=stock.stored.plus(gone, -times),
        picked=stock.picked.plus(gone, times),
        pickups=stock.pickups + times,
        beyond=stock.beyond + times * (asked - gone.bags),
        told_g=stock.told_g + times * told_g,
    )


def sold(stock: ItemStock, net_g: int, yen: int, times: int = 1) -> ItemStock:
    """After a sale; ``times`` -1 takes it back."""
    return replace(
        stock,
        sales=stock.sales + times,
        sold_g=stock.sold_g + times * net_g,
        yen=stock.yen + times * yen,
    )


def carried(stock: ItemStock, entry: Entry) -> ItemStock:
    """After what an ended ledger knew. Its drops may be shown: they are of many visits."""
    stored = stock.stored
    for net_g in entry["bags"]:
        stored = stored.plus(bag(net_g))
    picked = Bags(entry["picked_bags"], entry["picked_unweighed"], entry["picked_g"])
    amount = Amount(
        g=entry["in_g"],
        weighings=entry["weighings"],
        pieces=entry["pieces"],
        ml=entry["ml"],
        counts=1 if entry["pieces"] or entry["ml"] else 0,
    )
    yard_g = stored.g - stock.stored.g
    ever = stock.ever
    return replace(
        stock,
        taken_in=stock.taken_in.plus(amount),
        other_g=stock.other_g + yard_g + picked.g - amount.g,
        stored=stored,
        picked=stock.picked.plus(picked),
        pickups=stock.pickups + (1 if picked.bags else 0),
        told_g=stock.told_g + entry["told_g"],
        sales=stock.sales + entry["sales"],
        sold_g=stock.sold_g + entry["sold_g"],
        yen=stock.yen + entry["yen"],
        ever=Shared(0, ever.shown.plus(amount), ever.held, ever.visits),
    )
