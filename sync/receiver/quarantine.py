"""What came and cannot be believed: kept with its reason, for people to look at, and bounded."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa

from sync.messages import Batch
from sync.receiver.arriving import Delivery
from sync.receiver.tables import quarantine

MAX_ROWS = 1000
"""Different messages kept of one topic; further ones are counted nowhere and dropped."""
MAX_ROWS_IN_ALL = 10_000
"""Different messages kept of all topics: anybody whom the broker lets in may name a new one."""
MAX_TOPIC = 200
"""Characters kept of a topic."""


@dataclass(frozen=True, slots=True)
class Aside:
    """A message to put aside."""

    delivery: Delivery
    reason: str
    batch: Batch | None = None

    @property
    def name(self) -> bytes:
        """The same for the same message."""
        topic = self.delivery.topic.encode()
        return hashlib.sha256(topic + b"\0" + self.delivery.payload).digest()


def put_aside(connection: sa.Connection, messages: Iterable[Aside], now_ms: int) -> None:
    """Keep messages; the same one again only counts up, as a station tries again for ever.

    In the order of their names, as another receiver may be at the same ones.
    """
    for each in sorted(messages, key=lambda aside: aside.name):
        again = connection.execute(
            sa.update(quarantine)
            .where(quarantine.c.digest == each.name)
            .values(times=quarantine.c.times + 1, reason=each.reason)
        )
        if not again.rowcount:
            _keep(connection, each, now_ms)


def _keep(connection: sa.Connection, each: Aside, now_ms: int) -> None:
    topic = each.delivery.topic.replace("\0", "")[:MAX_TOPIC]
    in_all = sa.select(sa.func.count()).select_from(quarantine)
    if connection.scalars(in_all.where(quarantine.c.topic == topic)).one() >= MAX_ROWS:
        return
    if connection.scalars(in_all).one() >= MAX_ROWS_IN_ALL:
        return
    batch = each.batch
    connection.execute(
        quarantine.insert().values(
            digest=each.name,
            topic=topic,
            ledger=batch.ledger if batch else None,
            first=batch.first if batch else None,
            last=batch.last if batch else None,
            reason=each.reason,
            payload=each.delivery.payload,
            since_ms=now_ms,
            times=1,
        )
    )
