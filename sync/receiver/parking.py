"""Batches that came before those they join on to: kept a while, in bounds, for one station and in all.

Where there is no room a ledger keeps its lowest, which join on first: what lies far ahead must not keep
them out. Another ledger's are not touched, whose lock is not held here. One place each ledger has whatever
the others hold, since who has nothing parked is never told of its gap. What finds no room is not lost: it
comes again when the gap before it is told or filled.
"""

from __future__ import annotations

import sqlalchemy as sa

from sync.messages import Batch
from sync.receiver.books import Book
from sync.receiver.continuity import Whose
from sync.receiver.tables import ledger, parked

MAX_PARKED = 64
"""Batches parked for one station: four windows of its uplink; and one for each further ledger of it."""
MAX_PARKED_IN_ALL = 4096
"""Batches parked for all stations together: half a gigabyte at the most; and one for each ledger."""


def park(connection: sa.Connection, book: Book, batch: Batch, plain: bytes, now_ms: int) -> None:
    """Keep a batch for later, if it is not there and there is room, or a higher one of its ledger to go."""
    place = (batch.first, batch.last)
    if place in book.parked:
        return
    if book.parked and not _has_room(connection, book.whose):
        highest = max(book.parked)
        if highest <= place:
            return
        connection.execute(sa.delete(parked).where(*_row(book, highest)))
        book.parked.remove(highest)
    connection.execute(
        parked.insert().values(
            ledger=book.name,
            first=batch.first,
            last=batch.last,
            payload=plain,
            parked_ms=now_ms,
        )
    )
    book.parked.add(place)


def next_to_join(connection: sa.Connection, book: Book) -> bytes | None:
    """A batch that joins on by now, which leaves the table; None where there is none."""
    place = min(book.parked, default=None)
    if place is None or place[0] > book.watermark + 1:
        return None
    book.parked.remove(place)
    mine = _row(book, place)
    payload = connection.scalars(sa.select(parked.c.payload).where(*mine)).one()
    connection.execute(sa.delete(parked).where(*mine))
    return bytes(payload)


def empty(connection: sa.Connection, book: Book) -> None:
    """Nothing that waits is this ledger's."""
    connection.execute(sa.delete(parked).where(parked.c.ledger == book.name))
    book.parked.clear()


def _row(book: Book, place: tuple[int, int]) -> tuple[sa.ColumnElement[bool], ...]:
    return (parked.c.ledger == book.name, parked.c.first == place[0], parked.c.last == place[1])


def _has_room(connection: sa.Connection, whose: Whose) -> bool:
    in_all = sa.select(sa.func.count()).select_from(parked)
    of_station = in_all.join(ledger, ledger.c.ledger == parked.c.ledger).where(
        ledger.c.city == whose.city, ledger.c.station == whose.station
    )
    if connection.scalars(of_station).one() >= MAX_PARKED:
        return False
    return connection.scalars(in_all).one() < MAX_PARKED_IN_ALL
