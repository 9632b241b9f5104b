"""Batches that came before those they join on to: kept a while, in bounds, for one station and in all.

What finds no room is not lost: it comes again when the gap before it is told or filled.
"""

from __future__ import annotations

import sqlalchemy as sa

from sync.messages import Batch
from sync.receiver.books import Book
from sync.receiver.continuity import Whose
from sync.receiver.tables import ledger, parked

MAX_PARKED = 64
"""Batches parked for one station: four windows of its uplink."""
MAX_PARKED_IN_ALL = 4096
"""Batches parked for all stations together: half a gigabyte at the most."""


def park(connection: sa.Connection, book: Book, batch: Batch, plain: bytes, now_ms: int) -> None:
    """Keep a batch for later, if there is room and it is not there."""
    place = (batch.first, batch.last)
    if place in book.parked or not _has_room(connection, book.whose):
        return
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
    mine = (
        parked.c.ledger == book.name,
        parked.c.first == place[0],
        parked.c.last == place[1],
    )
    payload = connection.scalars(sa.select(parked.c.payload).where(*mine)).one()
    connection.execute(sa.delete(parked).where(*mine))
    return bytes(payload)


def empty(connection: sa.Connection, book: Book) -> None:
    """Nothing that waits is this ledger's."""
    connection.execute(sa.delete(parked).where(parked.c.ledger == book.name))
    book.parked.clear()


def _has_room(connection: sa.Connection, whose: Whose) -> bool:
    in_all = sa.select(sa.func.count()).select_from(parked)
    of_station = in_all.join(ledger, ledger.c.ledger == parked.c.ledger).where(
        ledger.c.city == whose.city, ledger.c.station == whose.station
    )
    if connection.scalars(of_station).one() >= MAX_PARKED:
        return False
    return connection.scalars(in_all).one() < MAX_PARKED_IN_ALL
