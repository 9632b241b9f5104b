"""Points of entries whose text, or whose seal's name, came after all.

Invariant: what is booked is what the entries that are stored say, each point once, whenever they came.

Theory. Booking is a fold over a ledger's entries (``earnings.Fold``). So the entries around what was
filled in are read twice, once without it and once with it, and the difference is booked. Only visits that
the new entries name are read, and a visit lies within minutes: WINDOW entries before the first and behind
the last are more than one has. A name that was forgotten meanwhile opens neither reading; what comes late
for it is nobody's.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

import sqlalchemy as sa

from kiosk.core.canonical import NotCanonical
from sync.messages.bodies import Value, read_bodies
from sync.messages.bodies import field as field_of
from sync.receiver.books import Book
from sync.receiver.earnings import KINDS, TIES, Booking, Earned, Fold, InMemory, earns
from sync.receiver.tables import entry, seal

WINDOW = 2_000
"""Entries before the first that was filled in, and behind the last, that may belong to its visits."""


class _Entry(NamedTuple):
    seq: int
    kind: str
    value: Value


def rebook(
    connection: sa.Connection,
    booking: Booking,
    book: Book,
    texts: Collection[int],
    opened: Mapping[int, bytes],
) -> None:
    """Book what ``texts`` (seqs) and ``opened`` (names by seq) add; both are stored by now."""
    new = {*texts, *opened}
    if not new:
        return
    first, last = max(1, min(new) - WINDOW), min(book.watermark, max(new) + WINDOW)
    entries = _entries(connection, book.name, first, last)
    visits = {_visit(one) for one in entries if one.seq in new} - {None}
    mine = [one for one in entries if one.seq in new or one.kind in TIES or _visit(one) in visits]
    names = _names(connection, book.name, first, last)
    before = {seq: name for seq, name in names.items() if seq not in opened}
    was, was_open = _fold(connection, book, [one for one in mine if one.seq not in texts], before)
    now, now_open = _fold(connection, book, mine, names)
    _book(booking.earned, was, now, book)
    standing = booking.visits(book.name)
    for visit in sorted(name for name in visits if name is not None):
        if visit not in now_open:
            standing.pop(visit)
            continue
        name, points = standing[visit]
        came = now_open[visit][1] - was_open[visit][1]
        if name is not None and now_open[visit][0] is None and came:
            # Its check-in's seal was forgotten, and its row still says whose it is.
            booking.earned.points[book.whose.city, name] += came
        standing[visit] = (name or now_open[visit][0], points + came)


def _book(earned: Earned, was: Earned, now: Earned, book: Book) -> None:
    """The difference between two readings."""
    city = book.whose.city
    for whose in now.points.keys() | was.points.keys():
        earned.points[whose] += now.points[whose] - was.points[whose]
    for hall in now.nobody.keys() | was.nobody.keys():
        earned.nobody[hall] += now.nobody[hall] - was.nobody[hall]
    earned.ties[city] += now.ties[city]  # to tie again what is tied is nothing
    earned.names |= now.names


def _fold(
    connection: sa.Connection, book: Book, entries: list[_Entry], names: Mapping[int, bytes]
) -> tuple[Earned, InMemory]:
    earned, visits = Earned(), InMemory()
    fold = Fold(connection, earned, book.whose.city, book.whose.station, book.name, names, visits)
    for seq, kind, value in entries:
        fold.add(seq, kind, value)
    return earned, visits


def _visit(one: _Entry) -> str | None:
    visit = field_of(one.value, "visit")
    return visit if isinstance(visit, str) else None


def _entries(connection: sa.Connection, name: str, first: int, last: int) -> list[_Entry]:
    query = (
        sa.select(entry.c.seq, entry.c.kind, entry.c.body)
        .where(
            entry.c.ledger == name,
            entry.c.seq.between(first, last),
            entry.c.kind.in_(sorted(KINDS)),
            entry.c.body.is_not(None),
        )
        .order_by(entry.c.seq)
    )
    rows = connection.execute(query).all()
    texts = [row.body.encode() for row in rows]
    try:
        values = read_bodies(texts)
    except NotCanonical:  # the city's own copy was changed: verify says so
        return []
    return [
        _Entry(row.seq, row.kind, value)
        for row, value in zip(rows, values, strict=True)
        if earns(row.kind, value)
    ]


def _names(connection: sa.Connection, name: str, first: int, last: int) -> dict[int, bytes]:
    query = sa.select(seal.c.seq, seal.c.pseudonym).where(
        seal.c.ledger == name, seal.c.seq.between(first, last)
    )
    return {row.seq: bytes(row.pseudonym) for row in connection.execute(query)}
