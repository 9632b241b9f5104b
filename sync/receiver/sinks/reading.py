"""The next batch for a sink, read without keeping any receiver waiting.

Entries have no order across ledgers, and need none: a cursor for each ledger follows that ledger's
watermark, up to which everything is committed, verified and without a gap. What cannot be lost by it:
two transactions that commit in another order than they began.

The cursor remembers the *hash* of its entry. A database that was restored holds the cursor of its own
time, and what follows is sent again under the same ids. Where the cursor is newer than the entries it
waits for them; where they came back as another history, which only a fork can bring, the ledger is begun
anew.

A text may come after the cursor has passed its entry: those are numbered, and followed beside (``late``).

Times get better: a change that nothing tied to a clock is sent as ``bounded``, and once more when a later
clock entry says more (``Change.again``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from sync.receiver import tables
from sync.receiver.sinks import now
from sync.receiver.sinks.books import Book, adjusted, changed, filled_in
from sync.receiver.sinks.late import Late, adjustments, late
from sync.receiver.sinks.place import Moves, Open
from sync.receiver.sinks.protocol import Batch, Change, When
from sync.receiver.sinks.tables import sink_bin, sink_cursor, sink_day, sink_open
from sync.receiver.views import DAY_MS, UTC_OFFSET_MS

AT_ONCE = 200
"""Entries in one batch, of however many ledgers."""
LEDGERS_AT_ONCE = 50

_COLUMNS = """c.ledger, c.seq, c.city, c.station, c.kind, c.bin, c.item, c.cause, c.mode, c.net_g,
    c.gross_after_g, c.uncertainty_g, c.count, c.ml, c.time, c.from_utc_ms, c.to_utc_ms, c.of_ledger,
    c.of_seq, coalesce(c.of_digest, e.digest) AS digest"""
_JOINED = "change_resolved c JOIN entry e ON e.ledger = c.ledger AND e.seq = c.seq"
_RANGE = sa.text(
    f"SELECT {_COLUMNS} FROM {_JOINED} WHERE c.ledger = :ledger AND c.seq > :after AND c.seq <= :last"
    " ORDER BY c.seq"
)
_SOME = sa.text(
    f"SELECT {_COLUMNS} FROM {_JOINED} WHERE c.ledger = :ledger AND c.seq IN :seqs ORDER BY c.seq"
).bindparams(sa.bindparam("seqs", expanding=True))
_DEPOSITS = ("weighing", "item_count")


@dataclass(frozen=True, slots=True)
class Next:
    """A batch and what its delivery moves; ``full``: there may be more at once."""

    batch: Batch
    moves: tuple[Moves, ...]
    full: bool


@dataclass(frozen=True, slots=True)
class _Place:
    ledger: str
    city: str
    station: str
    watermark: int
    seq: int
    hash: bytes
    anchor_seq: int | None
    fresh: bool
    filled: int
    """Handed over of what was filled in afterwards."""
    to_fill: int
    """The last that was."""


def replaced(connection: sa.Connection, name: str) -> list[str]:
    """Ledgers whose entry at the cursor is another one than was sent: to be begun anew."""
    cursor, entry = sink_cursor, tables.entry
    there = sa.and_(entry.c.ledger == cursor.c.ledger, entry.c.seq == cursor.c.seq)
    other = sa.select(cursor.c.ledger).join(entry, there)
    other = other.where(cursor.c.sink == name, entry.c.hash != cursor.c.hash)
    return list(connection.scalars(other))


def read(connection: sa.Connection, name: str, after: str = "") -> Next | None:
    """The next batch, of the ledgers behind ``after`` first; None when nothing is waiting."""
    changes: list[Change] = []
    moves: list[Moves] = []
    places: list[_Place] = []
    room = AT_ONCE
    for place in _waiting(connection, name, after):
        if room <= 0:
            break
        found, move = _of_ledger(connection, name, place, room)
        room -= max(1, len(found), move.seq - place.seq)
        changes += found
        moves.append(move)
        places.append(place)
    if not moves:
        return None
    batch = Batch(
        changes=tuple(changes),
        bins=now.bins(connection, moves),
        days=now.days(connection, name, moves),
        stations=now.stations(connection, name, moves),
    )
    more = any(
        m.seq < p.watermark or m.anchor_seq or m.filled < p.to_fill
        for p, m in zip(places, moves, strict=True)
    )
    return Next(batch, tuple(moves), more or len(places) == LEDGERS_AT_ONCE)


def day_of(when: When) -> int | None:
    """The city's day that certainly holds it, as in the view ``day_item``."""
    if when.from_utc_ms is None or when.to_utc_ms is None:
        return None
    first = (when.from_utc_ms + UTC_OFFSET_MS) // DAY_MS
    return first if first == (when.to_utc_ms + UTC_OFFSET_MS) // DAY_MS else None


def _waiting(connection: sa.Connection, name: str, after: str) -> list[_Place]:
    ledger, cursor = tables.ledger, sink_cursor
    joined = ledger.outerjoin(
        cursor, sa.and_(cursor.c.ledger == ledger.c.ledger, cursor.c.sink == name)
    )
    query = (
        sa.select(
            ledger.c.ledger, ledger.c.city, ledger.c.station, ledger.c.watermark,
            cursor.c.seq, cursor.c.hash, cursor.c.anchor_seq, cursor.c.filled,
            sa.func.coalesce(ledger.c.filled, 0).label("to_fill"),
        )
        .select_from(joined)
        .where(
            sa.or_(
                ledger.c.watermark > sa.func.coalesce(cursor.c.seq, 0),
                cursor.c.anchor_seq.is_not(None),
                sa.func.coalesce(ledger.c.filled, 0) > sa.func.coalesce(cursor.c.filled, 0),
            )
        )
        .order_by(sa.case((ledger.c.ledger > after, 0), else_=1), ledger.c.ledger)
        .limit(LEDGERS_AT_ONCE)
    )  # fmt: skip
    return [
        _Place(
            row.ledger, row.city, row.station, row.watermark, row.seq or 0,
            row.hash or bytes(32), row.anchor_seq, row.seq is None,
            # Who begins reads all of it in its place.
            row.to_fill if row.seq is None else row.filled or 0, row.to_fill,
        )
        for row in connection.execute(query)
    ]  # fmt: skip


def _of_ledger(
    connection: sa.Connection, name: str, place: _Place, room: int
) -> tuple[list[Change], Moves]:
    """What one ledger adds to a batch: first the changes that a clock explains, then new entries."""
    move = Moves(
        place.ledger, place.city, place.station,
        place.seq, place.seq, place.hash, place.anchor_seq, place.filled, place.fresh,
    )  # fmt: skip
    books = _books(connection, name, move)
    changes: list[Change] = []
    if place.filled < place.to_fill:
        changes = _filled_in(
            connection, books, move, late(connection, place.ledger, place.seq, place.filled, room)
        )
        room -= len(changes)
    if place.anchor_seq is not None and move.anchor_seq == place.anchor_seq:
        known = _unsettled(connection, name, place.ledger, place.anchor_seq, room)
        again = _explained(connection, move, known)
        changes += again
        explained = {change.seq for change in again}
        move.told |= {
            bin_: book
            for bin_, book in books.items()
            if {book.changed_seq, book.emptied_seq} & explained
        }
        if len(known) < room:
            move.anchor_seq = None
        room -= len(again)
    last = min(place.watermark, place.seq + room)
    if move.filled == place.to_fill and move.anchor_seq is None and last > place.seq:
        span = {"ledger": place.ledger, "after": place.seq, "last": last}
        changes += _new(connection, books, move, span)
        move.told |= move.books
        move.seq = last
        move.hash = connection.scalars(
            sa.select(tables.entry.c.hash).where(
                tables.entry.c.ledger == place.ledger, tables.entry.c.seq == last
            )
        ).one()
        move.anchor_seq = _explaining(connection, name, span)
    _widen(connection, name, move)
    return changes, move


def _explained(
    connection: sa.Connection, move: Moves, known: Mapping[int, int | None]
) -> list[Change]:
    """Changes that were sent before, with the time as it is known now; ``known``: the day by seq."""
    changes = []
    given = {"ledger": move.ledger, "seqs": sorted(known)}
    for row in connection.execute(_SOME, given):
        change = _change(row, None, again=True)
        changes.append(change)
        _note(move, change, again=True)
        before = known[change.seq]
        if before is not None and before != day_of(change.when):
            # Two clocks contradict one another: the day where it was counted is told anew.
            move.days.setdefault(before, (change.seq, change.seq))
    # What is not counted any more (its own entry came) has no row, and nothing more to say.
    move.closed |= known.keys() - {change.seq for change in changes}
    return changes


def _filled_in(
    connection: sa.Connection, books: dict[str, Book], move: Moves, came: Late
) -> list[Change]:
    """Changes whose text came after the cursor had passed them; their bins, days and times."""
    changes = []
    for row in connection.execute(_SOME, {"ledger": move.ledger, "seqs": came.seqs}):
        if row.of_ledger is None and row.bin is not None:
            since = came.adjusted.get(row.bin, 0) > row.seq
            book = filled_in(books.get(row.bin, Book()), row, adjusted_since=since)
            books[row.bin] = move.books[row.bin] = book
        change = _change(row, None, again=False)
        changes.append(change)
        _note(move, change, again=False)
    for bin_, empty_g in came.empties.items():
        _adjust(books, move, bin_, empty_g)
    move.told |= move.books
    move.filled = came.number
    if came.clocks:
        move.anchor_seq = move.seq + 1  # what was told before may be known better now
    return changes


def _new(
    connection: sa.Connection, books: dict[str, Book], move: Moves, span: dict[str, Any]
) -> list[Change]:
    sets = adjustments(connection, span["ledger"], span["after"], span["last"])
    changes = []
    for row in connection.execute(_RANGE, span):
        while sets and sets[0][0] < row.seq:
            _adjust(books, move, *sets.pop(0)[1:])
        held_g = None
        if row.of_ledger is None and row.bin is not None:
            book = changed(books.get(row.bin, Book()), row)
            books[row.bin] = move.books[row.bin] = book
            # Across an adjustment grams are not comparable: its own entry says what empty weighs now.
            held_g = None if row.cause == "adjustment" else book.held_g
        change = _change(row, held_g, again=False)
        changes.append(change)
        _note(move, change, again=False)
    for _, bin_, empty_g in sets:
        _adjust(books, move, bin_, empty_g)
    return changes


def _adjust(books: dict[str, Book], move: Moves, bin_: str, empty_g: int) -> None:
    books[bin_] = move.books[bin_] = adjusted(books.get(bin_, Book()), empty_g)


def _books(connection: sa.Connection, name: str, move: Moves) -> dict[str, Book]:
    if move.fresh:
        opened = sa.select(tables.opening).where(tables.opening.c.ledger == move.ledger)
        return {row.bin: Book(gross_g=row.gross_g) for row in connection.execute(opened)}
    known = sa.select(sink_bin).where(sink_bin.c.sink == name, sink_bin.c.ledger == move.ledger)
    return {
        row.bin: Book(
            row.item, row.gross_g, row.empty_g, row.uncertainty_g, row.changed_seq, row.emptied_seq
        )
        for row in connection.execute(known)
    }


def _explaining(connection: sa.Connection, name: str, span: dict[str, Any]) -> int | None:
    """The last clock entry among these, where it tells something of changes that were sent before."""
    anchor = tables.anchor.c
    latest = connection.scalars(
        sa.select(sa.func.max(anchor.seq)).where(
            anchor.ledger == span["ledger"],
            anchor.seq > span["after"],
            anchor.seq <= span["last"],
        )
    ).one()
    if latest is None or not _unsettled(connection, name, span["ledger"], latest, 1):
        return None
    return int(latest)


def _unsettled(
    connection: sa.Connection, name: str, ledger: str, before: int, room: int
) -> dict[int, int | None]:
    open_ = sink_open.c
    query = sa.select(open_.seq, open_.day).where(
        open_.sink == name, open_.ledger == ledger, open_.settled == 0, open_.seq < before
    )
    found = connection.execute(query.order_by(open_.seq).limit(room))
    return {row.seq: row.day for row in found}


def _change(row: Any, held_g: int | None, *, again: bool) -> Change:
    ledger, seq = (row.of_ledger or row.ledger), (row.of_seq or row.seq)
    return Change(
        id=f"{ledger}-{seq}-{bytes(row.digest).hex()[:16]}",
        city=row.city,
        station=row.station,
        ledger=row.ledger,
        seq=row.seq,
        kind=row.kind,
        bin=row.bin,
        item=row.item,
        cause=row.cause,
        mode=row.mode,
        net_g=row.net_g,
        gross_after_g=row.gross_after_g,
        uncertainty_g=row.uncertainty_g,
        count=row.count,
        ml=row.ml,
        when=When(row.time, row.from_utc_ms, row.to_utc_ms),
        held_g=held_g,
        again=again,
    )


def _note(move: Moves, change: Change, *, again: bool) -> None:
    """Where a change belongs: to a day, and to those of which something is not known yet."""
    when = change.when
    deposit = change.kind in _DEPOSITS
    day = day_of(when) if deposit else None
    # Exact, or with a clock behind it: nothing that comes later tells more. One more look is enough.
    # What was recovered lies out of order: its own boot's clock may be recovered after it.
    in_order = change.id.startswith(f"{change.ledger}-")
    settled = again or when.time == "exact" or (when.to_utc_ms is not None and in_order)
    one = Open(settled, deposit, day)
    if not settled or one.undated:
        move.open[change.seq] = one
    elif again:
        move.closed.add(change.seq)
    if day is not None:
        first, last = move.days.get(day, (change.seq, change.seq))
        move.days[day] = (min(first, change.seq), max(last, change.seq))


def _widen(connection: sa.Connection, name: str, move: Moves) -> None:
    """The days' spans, widened by what lay in them before."""
    if not move.days:
        return
    marks = sa.select(sink_day).where(
        sink_day.c.sink == name,
        sink_day.c.ledger == move.ledger,
        sink_day.c.day.in_(sorted(move.days)),
    )
    for row in connection.execute(marks):
        first, last = move.days[row.day]
        move.days[row.day] = (min(first, row.first_seq), max(last, row.last_seq))
