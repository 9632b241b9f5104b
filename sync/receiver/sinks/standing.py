"""How each sink stands, and beginning again: what ``kiosk-receiver sink`` shows and does."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from kiosk.core.errors import OperatorError
from sync.receiver import tables
from sync.receiver.sinks.place import begin_anew
from sync.receiver.sinks.tables import sink_aside, sink_cursor, sink_state

ASIDE_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Standing:
    """One sink: ``behind`` in entries; ``aside``: the first ASIDE_SHOWN (subject, code, words)."""

    sink: str
    behind: int
    delivered_ms: int | None
    trouble: str | None
    trouble_code: str | None
    trouble_ms: int | None
    aside_count: int
    aside: tuple[tuple[str, str, str], ...]


def standings(connection: sa.Connection) -> list[Standing]:
    """Every sink that ever ran on this database."""
    rows = connection.execute(sa.select(sink_state).order_by(sink_state.c.sink)).all()
    return [_standing(connection, row) for row in rows]


def again(connection: sa.Connection, name: str, *, everything: bool) -> int:
    """Begin anew the ledgers that have something set aside, or all; how many they are."""
    known = sa.select(sink_state.c.sink).where(sink_state.c.sink == name)
    if connection.execute(known).first() is None:
        raise OperatorError(
            "no_sink",
            f"No sink {name} ever ran on this database.",
            "See the names with kiosk-receiver sink list.",
        )
    table = sink_cursor if everything else sink_aside
    ledgers = set(connection.scalars(sa.select(table.c.ledger).where(table.c.sink == name)))
    for ledger in ledgers:
        begin_anew(connection, name, ledger)
    return len(ledgers)


def bins(connection: sa.Connection) -> list[tuple[str, str, str]]:
    """(city, station, bin) of the ledgers that no other continues, for provisioning."""
    ledger, opening = tables.ledger, tables.opening
    later = ledger.alias()
    ended = sa.exists().where(later.c.continues_ledger == ledger.c.ledger)
    query = (
        sa.select(ledger.c.city, ledger.c.station, opening.c.bin)
        .join(opening, opening.c.ledger == ledger.c.ledger)
        .where(sa.not_(ended))
        .distinct()
    )
    return sorted((row.city, row.station, row.bin) for row in connection.execute(query))


def _standing(connection: sa.Connection, row: sa.Row[tuple[object, ...]]) -> Standing:
    of = row._mapping
    name = of["sink"]
    ledger, cursor = tables.ledger.c, sink_cursor.c
    joined = tables.ledger.outerjoin(
        sink_cursor, sa.and_(cursor.ledger == ledger.ledger, cursor.sink == name)
    )
    ahead = ledger.watermark - sa.func.coalesce(cursor.seq, 0)
    behind = sa.select(sa.func.coalesce(sa.func.sum(sa.case((ahead > 0, ahead), else_=0)), 0))
    kept = sa.select(sink_aside.c.subject, sink_aside.c.code, sink_aside.c.words).where(
        sink_aside.c.sink == name
    )
    count = sa.select(sa.func.count()).select_from(sink_aside).where(sink_aside.c.sink == name)
    shown = connection.execute(kept.order_by(sink_aside.c.since_ms).limit(ASIDE_SHOWN))
    return Standing(
        sink=name,
        behind=int(connection.scalars(behind.select_from(joined)).one()),
        delivered_ms=of["delivered_ms"],
        trouble=of["trouble"],
        trouble_code=of["trouble_code"],
        trouble_ms=of["trouble_ms"],
        aside_count=connection.scalars(count).one(),
        aside=tuple((one.subject, one.code, one.words) for one in shown),
    )
