"""The rows of ledgers that a transaction holds, so that no other receiver moves them meanwhile.

Two transactions that wait for one another end neither. So every transaction takes its ledgers' locks at
once and in the order of their names, first of all that it locks; and rows of ledgers nobody knew yet are
made, committed, before: a row that another makes at the same time would be a lock out of that order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from kiosk.core import chain
from sync.receiver.continuity import Whose
from sync.receiver.tables import ledger

MAX_WITHOUT_GENESIS = 64
"""Ledgers of one station that are known by later entries only."""


@dataclass(slots=True)
class Book:
    """One ledger as far as the city has it. ``changed``: columns that wait to be written."""

    name: str
    whose: Whose
    key: bytes | None
    watermark: int
    head: bytes
    fork_seq: int | None
    told_epoch: int
    lacking: bool = False
    """Whether a text or an opened seal may be lacking (``healing``)."""
    covered: int = 0
    """Up to here a snapshot stands for what is thinned."""
    filled: int = 0
    """Entries whose text came after all."""
    forgets: int = 0
    """Seals that its station's entries say are forgotten."""
    forgotten: int = 0
    """Those of which the city was told which they are."""
    continuations: list[tuple[int, bytes]] = field(default_factory=list)
    """Points that other ledgers continue: seq and the hash that they name."""
    parked: set[tuple[int, int]] = field(default_factory=set)
    """First and last of what waits."""
    changed: dict[str, Any] = field(default_factory=dict)

    def move(self, seq: int, head: bytes, now_ms: int) -> None:
        """The watermark rises."""
        self.watermark, self.head = seq, head
        self.changed |= {"watermark": seq, "head": head, "progress_ms": now_ms}
        self.changed |= {"gap_told_ms": None, "gaps_told": 0}

    def fork(self, seq: int) -> None:
        """Another history was offered; the first word of it stays."""
        if self.fork_seq is None:
            self.fork_seq = self.changed["fork_seq"] = seq

    def lack(self) -> None:
        """Something did not come with its entry."""
        if not self.lacking:
            self.lacking, self.changed["lacking"] = True, 1

    def cover(self, seq: int) -> None:
        """A snapshot stands for what is thinned up to ``seq``."""
        if seq > self.covered:
            self.covered = self.changed["covered"] = seq

    def forget(self, count: int, now_ms: int) -> None:
        """Entries say that so many more seals are forgotten."""
        if count:
            self.forgets += count
            self.changed |= {"forgets": self.forgets, "forgets_ms": now_ms}

    def save(self, connection: sa.Connection) -> None:
        """Write what has changed."""
        if self.changed:
            mine = sa.update(ledger).where(ledger.c.ledger == self.name)
            connection.execute(mine.values(**self.changed))
            self.changed = {}


def hold(connection: sa.Connection, names: Iterable[str]) -> dict[str, Book]:
    """Those of these ledgers that are known, held until the transaction ends; see ``beside`` for what waits
    for them, and what continues them."""
    wanted = sorted(set(names))
    if not wanted:
        return {}
    query = sa.select(ledger).where(ledger.c.ledger.in_(wanted)).order_by(ledger.c.ledger)
    return {
        row.ledger: Book(
            row.ledger, Whose(row.city, row.station), row.public_key, row.watermark, row.head,
            row.fork_seq, row.told_epoch, bool(row.lacking), row.covered or 0, row.filled or 0,
            row.forgets or 0, row.forgotten or 0,
        )
        for row in connection.execute(query.with_for_update())
    }  # fmt: skip


def register(connection: sa.Connection, new: Mapping[str, Whose], now_ms: int) -> None:
    """Rows for ledgers whose station has proved itself; another receiver may make the same."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    for name in sorted(new):
        connection.execute(
            dialect.insert(ledger)
            .values(
                ledger=name,
                city=new[name].city,
                station=new[name].station,
                watermark=0,
                head=chain.ZERO,
                progress_ms=now_ms,
                gaps_told=0,
                told_epoch=0,
            )
            .on_conflict_do_nothing()
        )


def may_begin_later(connection: sa.Connection, whose: Whose) -> bool:
    """Whether one more ledger of a station may wait for its genesis."""
    waiting = sa.select(sa.func.count()).where(
        ledger.c.city == whose.city,
        ledger.c.station == whose.station,
        ledger.c.public_key.is_(None),
    )
    return connection.scalars(waiting).one() < MAX_WITHOUT_GENESIS
