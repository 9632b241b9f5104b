"""What a ledger that ended left waiting for entries that never came: set aside, counted and told.

A card that died in mid-drain leaves batches beyond a gap. They prove themselves and count nowhere, since
nobody knows what was before them. Once its gap was told for the last time (``reminders``) and another
ledger of the station goes on, they leave ``parked``, where they would stay for ever and take room from the
living, for ``quarantine`` (reason ``gap``), which is bounded and looked at. Nothing is lost by it: a card
that is found again sends everything beyond the watermark anew, by wire or by hand.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from sync.messages import CONTENT_JSON, decode_batch
from sync.receiver import books, refusals
from sync.receiver.arriving import Delivery
from sync.receiver.database import reading
from sync.receiver.going_on import goes_on
from sync.receiver.quarantine import Aside, put_aside
from sync.receiver.refusals import Refusal
from sync.receiver.reminders import GAP_LIMIT_MS, GAPS_OF_THE_PAST, MAX_TOLD
from sync.receiver.tables import ledger, parked

CODE = "gap"


@dataclass(frozen=True, slots=True)
class Left:
    """Batches of one ledger that were set aside."""

    city: str
    station: str
    ledger: str
    batches: int


def give_up(engine: sa.Engine, now_ms: int) -> list[Left]:
    """Sets aside what is due; of several receivers one does."""
    with reading(engine) as connection:
        due = [row.ledger for row in connection.execute(_due(now_ms))]
    given = []
    for name in due:
        with engine.begin() as connection:
            left = _set_aside(connection, name, now_ms)
        given += [] if left is None else [left]
    return given


def _due(now_ms: int) -> sa.Select[Any]:
    waits = sa.exists().where(parked.c.ledger == ledger.c.ledger, _old(now_ms))
    return (
        sa.select(ledger)
        .where(
            ledger.c.gaps_told >= GAPS_OF_THE_PAST,
            ledger.c.gap_told_ms <= now_ms - GAP_LIMIT_MS,
            waits,
            ~goes_on(),
        )
        .order_by(ledger.c.ledger)
        .limit(MAX_TOLD)
    )


def _old(now_ms: int) -> sa.ColumnElement[bool]:
    """What came this moment may join on the next: the card was found."""
    return parked.c.parked_ms <= now_ms - GAP_LIMIT_MS


def _set_aside(connection: sa.Connection, name: str, now_ms: int) -> Left | None:
    books.hold(connection, [name])
    row = connection.execute(_due(now_ms).where(ledger.c.ledger == name)).first()
    if row is None:
        return None  # it moved, or another receiver was first
    mine = (parked.c.ledger == name, _old(now_ms))
    topic = f"kiosk/v1/{row.city}/{row.station}/ledger"
    payloads = connection.scalars(sa.select(parked.c.payload).where(*mine)).all()
    asides = [
        Aside(Delivery(topic, bytes(one), CONTENT_JSON), CODE, decode_batch(bytes(one)))
        for one in payloads
    ]
    put_aside(connection, asides, now_ms)
    connection.execute(sa.delete(parked).where(*mine))
    refused = Refusal(row.city, row.station, CODE, name, row.watermark + 1)
    refusals.count(connection, [refused], now_ms)
    return Left(row.city, row.station, name, len(asides))
