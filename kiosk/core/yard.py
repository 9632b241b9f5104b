"""The kinds of ledger entries on the stock yard: what left it, what was paid for it.

A full bag's way begins with its ``bag_swap``; these say how it goes on. Who took or bought it is a firm
or a club: nobody who lives here is named in the ledger.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from kiosk.core.draft import Draft

MAX_BAGS = 1_000
"""Of one pickup: more are a slip of the finger."""
MAX_CARRIED = 200
"""Bags that one ``stock_carried`` tells of."""
MAX_TEXT = 60

_PLAIN = r"\A[^\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]*\Z"

ItemCode = Annotated[str, Meta(pattern=r"\A[a-z0-9-]{1,32}\Z", max_length=32)]
NetGrams = Annotated[int, Meta(ge=1, le=1_000_000_000)]
Yen = Annotated[int, Meta(ge=0, le=1_000_000_000)]
Bags = Annotated[int, Meta(ge=1, le=MAX_BAGS)]
Line = Annotated[str, Meta(min_length=1, max_length=MAX_TEXT, pattern=_PLAIN)]
"""A line that people write."""
Day = Annotated[str, Meta(pattern=r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}\Z", max_length=10)]
"""A calendar day, ``2026-11-20``."""
Sum = Annotated[int, Meta(ge=-(2**53), le=2**53)]


class Pickup(Draft, frozen=True, tag="pickup"):
    """Full bags left the yard, the oldest first. ``net_g`` what those who took them weighed, None where
    nobody did; ``to`` whom they went to, None where that is not said."""

    item: ItemCode
    bags: Bags
    net_g: NetGrams | None
    to: Line | None


class Sale(Draft, frozen=True, tag="sale"):
    """Something was paid for: ``net_g`` and ``yen`` as the buyer's paper says, ``date`` too (None where it
    is the entry's own day)."""

    item: ItemCode
    net_g: NetGrams
    yen: Yen
    buyer: Line | None
    date: Day | None


class StockVoid(Draft, frozen=True, tag="stock_void"):
    """The ``pickup`` or ``sale`` with seq ``of`` was a mistake: it counts no more."""

    of: Annotated[int, Meta(ge=2, le=2**53)]
    reason: Line


class StockCarried(Draft, frozen=True, tag="stock_carried"):
    """What a ledger that ended knew of an item, said again by the one that continues it: ``bags`` in the
    yard, the oldest first (net grams, None where nobody weighed), and what was taken in, picked up and
    sold before. Of more bags than ``MAX_CARRIED`` several entries tell; the sums stand in the first."""

    item: ItemCode
    bags: Annotated[tuple[Sum | None, ...], Meta(max_length=MAX_CARRIED)]
    in_g: Sum = 0
    weighings: Sum = 0
    pieces: Sum = 0
    ml: Sum = 0
    picked_bags: Sum = 0
    picked_unweighed: Sum = 0
    picked_g: Sum = 0
    told_g: Sum = 0
    sales: Sum = 0
    sold_g: Sum = 0
    yen: Sum = 0


AnyStock = Pickup | Sale | StockVoid
"""What a caretaker may write down."""
