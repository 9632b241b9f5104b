"""What goes from a ledger that ended into the one that continues it.

Theory: the city knows an entry by ledger, seq and digest. What it is known to have is what stands
below its last acknowledgement of our own hash; beyond that it may hold other entries under the same
numbers, as where an old image of the card came back and went on alone. So everything beyond is
recorded anew as ``recovered`` (docs/decisions/0009). One too many costs bytes and counts nothing.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping

from kiosk.core.effects import Item
from kiosk.core.entries import Adjustment, BinFull, FullBy, Opening, Recovered, Unattributed
from kiosk.core.memory import BinBook
from kiosk.ledger import salvage
from kiosk.ledger.salvage import Salvaged
from sync.messages import Ack

_NOT_RECOVERED = frozenset({"genesis", "boot", "forget", "snapshot", "settings"})
"""Kinds that mean something only in their own ledger."""


def openings(given: Mapping[str, Opening], old: Salvaged) -> dict[str, Opening]:
    """What each bin holds now: the old books' word where they know the bin."""
    books = {
        book.bin: Opening(book.gross_g, book.bag or None, book.adjustment)
        for book in old.books.values()
    }
    return {**given, **books}


def scale(book: BinBook, items: Mapping[str, str]) -> Iterator[Item]:
    """Takes a bin's adjustment and its empty weight along, which an opening has no place for."""
    if book.adjusted is None:
        yield from _empty_weight(book, items)
        return
    yield Item(
        Adjustment(
            bin=book.bin,
            number=book.adjustment,
            method="carried",
            gross_before_g=book.gross_g,
            gross_after_g=book.gross_g,
            empty_g=book.empty_g,
            scale=book.adjusted,
        )
    )


def _empty_weight(book: BinBook, items: Mapping[str, str]) -> Iterator[Item]:
    """Of a bin that was never adjusted.

    Two entries whose nets add up to nothing: ``zero`` moves gross and empty weight, ``restart``
    moves the gross back.
    """
    if book.empty_g == 0 or book.gross_g is None:
        return
    gross_g, there_g = book.gross_g, book.gross_g + book.empty_g
    for before_g, after_g, cause in ((gross_g, there_g, "zero"), (there_g, gross_g, "restart")):
        yield Item(
            Unattributed(
                bin=book.bin,
                item=book.item or items.get(book.bin, "unknown"),
                bag=book.bag,
                cause="zero" if cause == "zero" else "restart",
                net_g=after_g - before_g,
                gross_before_g=before_g,
                gross_after_g=after_g,
                uncertainty_g=0,
            )
        )


def full(
    book: BinBook | None, said_by: tuple[FullBy, ...], items: Mapping[str, str]
) -> Iterator[Item]:
    """Says again by whose word a bin is full: its bag comes along with the opening."""
    if book is not None:
        for by in said_by:
            item = book.item or items.get(book.bin, "unknown")
            yield Item(BinFull(book.bin, item, book.bag, by, True))


def recovered(
    db: sqlite3.Connection, old: Salvaged, ack: Ack | None, own_ack: Ack | None
) -> Iterator[Item]:
    """The entries that the city is not known to have, recorded anew.

    ``ack`` its last word, ``own_ack`` the last one before it that agreed with this ledger.
    """
    if old.genesis is None:
        return
    ledger = old.genesis["ledger"]
    for entry in salvage.entries(db, old, after=_common(db, ledger, ack, own_ack)):
        if entry["kind"] == "recovered":
            yield Item(Recovered(of=entry["of"], entry=entry["entry"]))
        elif entry["kind"] not in _NOT_RECOVERED:
            yield Item(Recovered(of={"ledger": ledger, "seq": entry["seq"]}, entry=dict(entry)))


def _common(db: sqlite3.Connection, ledger: str, ack: Ack | None, own_ack: Ack | None) -> int:
    """Up to here the city is known to hold these very entries; 0 where nothing says so.

    A word of an earlier life of its database says nothing: it may have been restored since.
    """
    if ack is None:
        return 0
    for word in (ack, own_ack):
        if word is None or (word.ledger, word.epoch) != (ledger, ack.epoch):
            continue
        if salvage.holds(db, word.seq, word.head):
            return word.seq
    return 0
