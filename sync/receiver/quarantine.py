"""What came and cannot be believed: kept with its reason, for people to look at, and bounded."""

from __future__ import annotations

import hashlib

import sqlalchemy as sa

from sync.messages import Batch
from sync.receiver.tables import quarantine

MAX_ROWS = 1000
"""Different messages kept of one topic; further ones are counted nowhere and dropped."""


def put_aside(
    connection: sa.Connection,
    *,
    topic: str,
    payload: bytes,
    reason: str,
    now_ms: int,
    batch: Batch | None = None,
) -> None:
    """Keep one message; the same one again only counts up, as a station tries again for ever."""
    name = hashlib.sha256(topic.encode() + b"\0" + payload).digest()
    again = connection.execute(
        sa.update(quarantine)
        .where(quarantine.c.digest == name)
        .values(times=quarantine.c.times + 1, reason=reason)
    )
    if again.rowcount:
        return
    of_topic = sa.select(sa.func.count()).where(quarantine.c.topic == topic)
    if connection.scalars(of_topic).one() >= MAX_ROWS:
        return
    connection.execute(
        quarantine.insert().values(
            digest=name,
            topic=topic,
            ledger=batch.ledger if batch else None,
            first=batch.first if batch else None,
            last=batch.last if batch else None,
            reason=reason,
            payload=payload,
            since_ms=now_ms,
            times=1,
        )
    )
