"""What has to be said without being asked: gaps, a new life of the database, and of the broker."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from sync.messages import Ack, AckError
from sync.receiver import registry
from sync.receiver.tables import ledger, parked

GAP_AFTER_MS = 5_000
"""Without progress for so long, a parked batch is a gap, and is told."""
GAP_LIMIT_MS = 300_000
"""The wait before it is told again doubles up to this: the station may be off for the night."""
MAX_TOLD = 500
"""Ledgers told of in one round of ``remind``."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An acknowledgement to publish, retained."""

    city: str
    station: str
    ack: Ack


def remind(engine: sa.Engine, now_ms: int) -> list[Answer]:
    """Acknowledgements that are due by the clock."""
    with engine.begin() as connection:
        return _gaps(connection, now_ms) + _new_epoch(connection)


def standing(engine: sa.Engine, after: str) -> list[Answer]:
    """The word that stands for each ledger that goes on, MAX_TOLD of them beyond ledger ``after``.

    A broker that was started anew has forgotten what it retained.
    """
    newer = ledger.alias()
    query = (
        sa.select(ledger)
        .where(
            ledger.c.ledger > after,
            ledger.c.public_key.is_not(None),
            ~sa.exists().where(newer.c.continues_ledger == ledger.c.ledger),
        )
        .order_by(ledger.c.ledger)
        .limit(MAX_TOLD)
    )
    with engine.begin() as connection:
        epoch = registry.current_epoch(connection)
        return [
            Answer(row.city, row.station, Ack(row.ledger, epoch, row.watermark, row.head))
            for row in connection.execute(query)
        ]


def _gaps(connection: sa.Connection, now_ms: int) -> list[Answer]:
    epoch = registry.current_epoch(connection)
    query = (
        sa.select(ledger, sa.func.min(parked.c.parked_ms).label("since_ms"))
        .join(parked, parked.c.ledger == ledger.c.ledger)
        .group_by(*ledger.c)
        .order_by(ledger.c.ledger)
        .limit(MAX_TOLD)
    )
    answers = []
    for row in connection.execute(query).all():
        wait_ms = min(GAP_AFTER_MS * 2 ** min(row.gaps_told, 16), GAP_LIMIT_MS)
        if now_ms - max(row.progress_ms, row.since_ms, row.gap_told_ms or 0) < wait_ms:
            continue
        connection.execute(
            sa.update(ledger)
            .where(ledger.c.ledger == row.ledger)
            .values(gap_told_ms=now_ms, gaps_told=row.gaps_told + 1, told_epoch=epoch)
        )
        error = AckError("gap", row.watermark + 1)
        ack = Ack(row.ledger, epoch, row.watermark, row.head, error)
        answers.append(Answer(row.city, row.station, ack))
    return answers


def _new_epoch(connection: sa.Connection) -> list[Answer]:
    """After a restore: a station with nothing new to send must hear how far the city is now."""
    epoch = registry.current_epoch(connection)
    newer = ledger.alias()
    query = (
        sa.select(ledger)
        .where(
            ledger.c.told_epoch < epoch,
            ledger.c.public_key.is_not(None),
            # The retained place on the topic belongs to the ledger that goes on.
            ~sa.exists().where(newer.c.continues_ledger == ledger.c.ledger),
        )
        .limit(MAX_TOLD)
    )
    answers = []
    for row in connection.execute(query).all():
        connection.execute(
            sa.update(ledger).where(ledger.c.ledger == row.ledger).values(told_epoch=epoch)
        )
        answers.append(
            Answer(row.city, row.station, Ack(row.ledger, epoch, row.watermark, row.head))
        )
    return answers
