"""What is true now: bins, days and stations that a batch touches.

A day's total is summed over the entries between which that day's deposits lie (``sink_day``), never over
the whole history: a city of a thousand stations and ten years costs no more than one day of one station.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from sync.receiver import tables
from sync.receiver.sinks.place import Moves
from sync.receiver.sinks.protocol import BinNow, DayTotal, StationNow, When
from sync.receiver.sinks.tables import sink_day, sink_open
from sync.receiver.views import DAY_MS, PLAUSIBLE, UTC_OFFSET_MS

_WHEN = sa.text(
    "SELECT seq, time, from_utc_ms, to_utc_ms FROM change_resolved WHERE ledger = :ledger AND seq IN :seqs"
).bindparams(sa.bindparam("seqs", expanding=True))

_DAY = sa.text(f"""
SELECT item,
    sum(CASE WHEN kind = 'weighing' AND abs(net_g) <= {PLAUSIBLE} THEN net_g END) AS net_g,
    sum(CASE WHEN kind = 'weighing' AND abs(coalesce(net_g, 0)) <= {PLAUSIBLE} THEN 1 ELSE 0 END)
        AS weighings,
    sum(CASE WHEN abs(count) <= {PLAUSIBLE} THEN count END) AS pieces,
    sum(CASE WHEN abs(ml) <= {PLAUSIBLE} THEN ml END) AS ml
FROM change_resolved
WHERE ledger = :ledger AND seq BETWEEN :first AND :last AND kind IN ('weighing', 'item_count')
    AND from_utc_ms >= :from_ms AND to_utc_ms < :to_ms
GROUP BY item
""")


def bins(connection: sa.Connection, moves: Sequence[Moves]) -> tuple[BinNow, ...]:
    """The touched bins of ledgers that no other continues: an ended one says nothing of now."""
    found = []
    for move in moves:
        if not move.told or _continued(connection, move.ledger):
            continue
        seqs = {book.changed_seq for book in move.told.values()}
        seqs |= {book.emptied_seq for book in move.told.values()}
        rows = connection.execute(
            _WHEN, {"ledger": move.ledger, "seqs": sorted(seq for seq in seqs if seq is not None)}
        )
        when = {row.seq: When(row.time, row.from_utc_ms, row.to_utc_ms) for row in rows}
        for name, book in move.told.items():
            if book.changed_seq is not None and book.changed_seq in when:
                emptied = when.get(book.emptied_seq) if book.emptied_seq is not None else None
                found.append(
                    BinNow(
                        move.city, move.station, move.ledger, name, book.item, book.held_g,
                        book.uncertainty_g, when[book.changed_seq], emptied,
                    )
                )  # fmt: skip
    return tuple(found)


def days(connection: sa.Connection, name: str, moves: Sequence[Moves]) -> tuple[DayTotal, ...]:
    """Whole totals of the days that a batch adds to, over all ledgers of the station."""
    spans: dict[tuple[str, str, int], dict[str, tuple[int, int]]] = defaultdict(dict)
    for move in moves:
        for day, span in move.days.items():
            spans[move.city, move.station, day][move.ledger] = span
    found = []
    for (city, station, day), touched in spans.items():
        for row in connection.execute(_marks(name, city, station, day)):
            touched.setdefault(row.ledger, (row.first_seq, row.last_seq))
        sums: dict[str, dict[str, int | None]] = defaultdict(dict)
        for ledger, (first, last) in sorted(touched.items()):
            start_ms = day * DAY_MS - UTC_OFFSET_MS
            given = {
                "ledger": ledger, "first": first, "last": last,
                "from_ms": start_ms, "to_ms": start_ms + DAY_MS,
            }  # fmt: skip
            for row in connection.execute(_DAY, given):
                _add(sums[row.item], row)
        found += [
            DayTotal(
                city, station, max(touched), day, item, total["net_g"], total["weighings"] or 0,
                total["pieces"], total["ml"],
            )
            for item, total in sorted(sums.items())
        ]  # fmt: skip
    return tuple(found)


def stations(
    connection: sa.Connection, name: str, moves: Sequence[Moves]
) -> tuple[StationNow, ...]:
    """How far the stations of a batch are."""
    found: dict[tuple[str, str], StationNow] = {}
    for move in moves:
        if _continued(connection, move.ledger):
            continue
        ledger = tables.ledger.c
        row = connection.execute(
            sa.select(ledger.watermark, ledger.progress_ms).where(ledger.ledger == move.ledger)
        ).one()
        found[move.city, move.station] = StationNow(
            move.city, move.station, move.ledger, row.watermark, row.progress_ms,
            _undated(connection, name, move),
        )  # fmt: skip
    return tuple(found.values())


def _undated(connection: sa.Connection, name: str, move: Moves) -> int:
    """How many deposits have no day once the batch is delivered."""
    undated = (
        sink_open.c.sink == name,
        sink_open.c.ledger == move.ledger,
        sink_open.c.deposit == 1,
        sink_open.c.day.is_(None),
    )
    count = sa.select(sa.func.count()).select_from(sink_open).where(*undated)
    touched = sorted(move.open.keys() | move.closed)
    known = sa.select(sa.func.count()).select_from(sink_open)
    known = known.where(*undated, sink_open.c.seq.in_(touched))
    before = int(connection.scalars(known).one())
    after = sum(one.undated for one in move.open.values())
    return int(connection.scalars(count).one()) - before + after


def _continued(connection: sa.Connection, ledger: str) -> bool:
    later = sa.select(tables.ledger.c.ledger).where(tables.ledger.c.continues_ledger == ledger)
    return connection.execute(later.limit(1)).first() is not None


def _marks(name: str, city: str, station: str, day: int) -> sa.Select[Any]:
    ledger = tables.ledger
    return (
        sa.select(sink_day.c.ledger, sink_day.c.first_seq, sink_day.c.last_seq)
        .join(ledger, ledger.c.ledger == sink_day.c.ledger)
        .where(
            sink_day.c.sink == name,
            sink_day.c.day == day,
            ledger.c.city == city,
            ledger.c.station == station,
        )
    )


def _add(total: dict[str, int | None], row: Any) -> None:
    for column in ("net_g", "weighings", "pieces", "ml"):
        value, before = getattr(row, column), total.get(column)
        # PostgreSQL sums whole numbers into decimals.
        total[column] = before if value is None else (before or 0) + int(value)
