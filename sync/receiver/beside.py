"""What a round has to know beside its ledgers' own rows, asked in one statement.

Each statement is a way to the database and back, and a round has little else to wait for. Asked after the
ledgers are held, so that what concerns them stays as it is read until the transaction ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from sync.receiver.books import Book
from sync.receiver.continuity import Whose
from sync.receiver.open_visits import WHOLE, Standing
from sync.receiver.point_tables import point_visit
from sync.receiver.tables import epoch, ledger, parked, station_key, unsealed

_KEY, _EPOCH, _CONTINUED, _PARKED, _AHEAD, _VISIT = range(6)


@dataclass(slots=True)
class Beside:
    """``keys``: those that count for each station, which may be none, the oldest first. ``epoch``: which
    life of the database this is. ``visits``: the open ones of each ledger, None where they are too many
    to be read at once. ``ahead``: seqs of each ledger whose seals were forgotten before they came."""

    keys: dict[Whose, list[bytes]]
    epoch: int = 0
    visits: dict[str, dict[str, Standing]] | None = field(default_factory=dict)
    ahead: dict[str, set[int]] = field(default_factory=dict)


def look(connection: sa.Connection, books: Mapping[str, Book], stations: Iterable[Whose]) -> Beside:
    """All of it; what waits for a ledger, and what continues it, goes to its book."""
    found = Beside({each: [] for each in stations})
    open_visits = 0
    keys = []
    for what, name, other, number, last, data in connection.execute(_query(books, found.keys)):
        if what == _KEY:
            keys.append((number, Whose(name, other), bytes(data)))
        elif what == _EPOCH:
            found.epoch = number
        elif what == _CONTINUED:
            books[name].continuations.append((number, bytes(data)))
        elif what == _PARKED:
            books[name].parked.add((number, last))
        elif what == _AHEAD:
            found.ahead.setdefault(name, set()).add(number)
        elif found.visits is not None:
            open_visits += 1
            found.visits.setdefault(name, {})[other] = (
                None if data is None else bytes(data),
                number,
            )
    for _, whose, key in sorted(keys, key=lambda row: row[0]):
        found.keys.get(whose, []).append(key)
    if open_visits >= WHOLE:
        found.visits = None
    return found


def _query(books: Mapping[str, Book], stations: Mapping[Whose, Any]) -> sa.CompoundSelect[Any]:
    names = list(books)
    named = {each.station for each in stations}
    nothing = sa.null()
    key, open_visit = station_key.c, point_visit.c
    visits = (
        sa.select(open_visit.ledger, open_visit.visit, open_visit.points, open_visit.name)
        .where(open_visit.ledger.in_(names))
        .limit(WHOLE)
        .subquery()
    )
    return sa.union_all(
        sa.select(_what(_KEY), key.city, key.station, key.added_ms, key.added_ms, key.public_key).where(
            key.station.in_(named), key.revoked_ms.is_(None)
        ),
        sa.select(_what(_EPOCH), nothing, nothing, sa.func.max(epoch.c.number), nothing, nothing),
        sa.select(
            _what(_CONTINUED), ledger.c.continues_ledger, nothing, ledger.c.continues_seq, nothing,
            ledger.c.continues_head,
        ).where(ledger.c.continues_ledger.in_(names)),
        sa.select(_what(_PARKED), parked.c.ledger, nothing, parked.c.first, parked.c.last, nothing).where(
            parked.c.ledger.in_(names)
        ),
        sa.select(_what(_AHEAD), unsealed.c.ledger, nothing, unsealed.c.seq, nothing, nothing)
        .join(ledger, ledger.c.ledger == unsealed.c.ledger)
        .where(ledger.c.ledger.in_(names), unsealed.c.seq > ledger.c.watermark),
        sa.select(_what(_VISIT), visits.c.ledger, visits.c.visit, visits.c.points, nothing, visits.c.name),
    )  # fmt: skip


def _what(number: int) -> sa.ColumnElement[int]:
    return sa.literal_column(str(number), sa.Integer)
