"""What has to be said without being asked: gaps, a new life of the database, and of the broker."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from sync.messages import Ack, AckError
from sync.receiver import registry
from sync.receiver.database import reading
from sync.receiver.going_on import goes_on, is_continued
from sync.receiver.tables import ledger, parked

GAP_AFTER_MS = 5_000
"""Without progress for so long, a parked batch is a gap, and is told."""
GAP_LIMIT_MS = 300_000
"""The wait before it is told again doubles up to this: the station may be off for the night."""
GAPS_OF_THE_PAST = 6
"""A gap of a ledger beside which another goes on is told so often and then no more: most likely its card
died, and who pays for the line pays for each word."""
MAX_TOLD = 500
"""Ledgers told of in one round of ``remind``."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An acknowledgement to publish. The retained place on the topic is the ledger's that goes on: of
    another it is said, and does not ``stand``."""

    city: str
    station: str
    ack: Ack
    stands: bool = True


def remind(engine: sa.Engine, now_ms: int) -> list[Answer]:
    """Acknowledgements that are due by the clock; of several receivers one says each."""
    with reading(engine) as connection:
        epoch = registry.current_epoch(connection)
        gaps = [row for row in connection.execute(_with_gaps()) if _is_due(row, now_ms)]
        behind = connection.scalars(_of_another_epoch(epoch)).all()
    if not gaps and not behind:
        return []
    with engine.begin() as connection:
        told = [_tell_gap(connection, row, epoch, now_ms) for row in gaps]
    with engine.begin() as connection:
        told += [_tell_epoch(connection, name, epoch) for name in behind]
    return [answer for answer in told if answer is not None]


def standing(engine: sa.Engine, after: str) -> list[Answer]:
    """The word that stands for each ledger that goes on, MAX_TOLD of them beyond ledger ``after``.

    A broker that was started anew has forgotten what it retained.
    """
    query = (
        sa.select(ledger)
        .where(ledger.c.ledger > after, ledger.c.public_key.is_not(None), goes_on())
        .order_by(ledger.c.ledger)
        .limit(MAX_TOLD)
    )
    with reading(engine) as connection:
        epoch = registry.current_epoch(connection)
        return [
            Answer(row.city, row.station, Ack(row.ledger, epoch, row.watermark, row.head))
            for row in connection.execute(query)
        ]


def _with_gaps() -> sa.Select[Any]:
    waiting = (
        sa.select(parked.c.ledger, sa.func.min(parked.c.parked_ms).label("since_ms"))
        .group_by(parked.c.ledger)
        .subquery()
    )
    query = sa.select(ledger, waiting.c.since_ms).join(waiting, waiting.c.ledger == ledger.c.ledger)
    told = sa.or_(ledger.c.gaps_told < GAPS_OF_THE_PAST, goes_on())
    return query.where(told).order_by(ledger.c.ledger).limit(MAX_TOLD)


def _is_due(row: Any, now_ms: int) -> bool:
    wait_ms = min(GAP_AFTER_MS * 2 ** min(row.gaps_told, 16), GAP_LIMIT_MS)
    since_ms: int = max(row.progress_ms, row.since_ms, row.gap_told_ms or 0)
    return bool(now_ms - since_ms >= wait_ms)


def _tell_gap(connection: sa.Connection, row: Any, epoch: int, now_ms: int) -> Answer | None:
    """None where the gap was filled, or told by another receiver, since it was seen."""
    seen = (ledger.c.watermark == row.watermark, ledger.c.gaps_told == row.gaps_told)
    values = {"gap_told_ms": now_ms, "gaps_told": row.gaps_told + 1, "told_epoch": epoch}
    return _told(
        connection,
        sa.update(ledger).where(ledger.c.ledger == row.ledger, *seen).values(**values),
        epoch,
        AckError("gap", row.watermark + 1),
    )


def _of_another_epoch(epoch: int) -> sa.Select[Any]:
    """After a restore: a station with nothing new to send must hear how far the city is now."""
    return (
        sa.select(ledger.c.ledger)
        .where(
            ledger.c.told_epoch < epoch,
            ledger.c.public_key.is_not(None),
            ~is_continued(),
        )
        .order_by(ledger.c.ledger)
        .limit(MAX_TOLD)
    )


def _tell_epoch(connection: sa.Connection, name: str, epoch: int) -> Answer | None:
    behind = (ledger.c.ledger == name, ledger.c.told_epoch < epoch)
    update = sa.update(ledger).where(*behind).values(told_epoch=epoch)
    return _told(connection, update, epoch, None)


def _told(
    connection: sa.Connection, update: sa.Update, epoch: int, error: AckError | None
) -> Answer | None:
    columns = (ledger.c.city, ledger.c.station, ledger.c.ledger, ledger.c.watermark, ledger.c.head)
    row = connection.execute(update.returning(*columns)).first()
    if row is None:
        return None
    mine = sa.select(ledger.c.ledger).where(ledger.c.ledger == row.ledger, goes_on())
    stands = connection.execute(mine).first() is not None
    ack = Ack(row.ledger, epoch, row.watermark, row.head, error)
    return Answer(row.city, row.station, ack, stands)
