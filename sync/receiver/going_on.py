"""Which of a station's ledgers goes on: of the others nothing more is to come.

A station has one topic for the city's word, and one place on it that is retained. It is the ledger's that
moved last, unless another continues it: a card that died in mid-drain leaves a ledger with a gap that
nobody will ever fill, and the new card's genesis may name no ledger at all.
"""

from __future__ import annotations

import sqlalchemy as sa

from sync.receiver.tables import ledger


def is_continued(of: sa.FromClause = ledger) -> sa.ColumnElement[bool]:
    """Whether another ledger's genesis names it."""
    newer = ledger.alias()
    return sa.exists().where(newer.c.continues_ledger == of.c.ledger)


def goes_on() -> sa.ColumnElement[bool]:
    """Whether the word on a ``ledger`` is the one that stands on its station's topic."""
    other = ledger.alias()
    later = sa.or_(
        other.c.progress_ms > ledger.c.progress_ms,
        sa.and_(other.c.progress_ms == ledger.c.progress_ms, other.c.ledger > ledger.c.ledger),
    )
    took_over = sa.exists().where(
        other.c.city == ledger.c.city,
        other.c.station == ledger.c.station,
        other.c.public_key.is_not(None),
        later,
        ~is_continued(other),
    )
    return sa.and_(~is_continued(), ~took_over)
