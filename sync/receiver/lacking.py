"""What did not come with an entry: its text, or what opens its seal.

The station's signature covers the hashes, so whoever carries a batch can leave out both without a key.
Which of it is honest? A text, only where the city had it before: a station thins long after the
acknowledgement, behind a snapshot. So in a database that was never restored (its first epoch) none is, and
later all up to what a snapshot stands for may be. A seal, only where the station has forgotten: then it
says so (``unseals``).

Nothing is scanned: texts are found along a partial index, and seals have a row in ``unopened``. A ledger
that lacks nothing has ``lacking`` 0 and costs no look at all.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from kiosk.core.canonical import NotCanonical
from sync.messages import Batch
from sync.messages.bodies import KNOWN, Value, field, read_bodies
from sync.receiver.going_on import is_continued
from sync.receiver.tables import entry, epoch, ledger, unopened, unsealed

GRACE_MS = 600_000
"""An unopened seal is told after so long: what was forgotten may be told of by a later batch."""
FORGET_MS = 2 * 86_400_000
"""That the city was not told which seals to forget is told after so long: many take several batches."""
MAX_FORGET = 1_000_000
"""Seals of one ``forget``; what lies beyond is a station's nonsense."""
MAX_TOLD = 1_000
"""Ledgers that are told of."""
_SEALLESS = frozenset(
    {None, *(kind for kind, made in KNOWN.items() if "seal" not in made.__struct_fields__)}
)
_SEAL = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Lacking:
    """Of one ledger: how many texts and opened seals, and the first entry of each (0: none)."""

    city: str
    station: str
    ledger: str
    ended: bool
    """Another ledger goes on from it, so the station does not send it again."""
    texts: int
    first_text: int
    seals: int
    first_seal: int
    kept: int
    """Seals that its entries say are forgotten, and nobody told which."""


def is_sealed(value: Value) -> bool:
    """Whether an entry has a seal that something could open."""
    seal = field(value, "seal")
    return isinstance(seal, str) and _SEAL.fullmatch(seal) is not None


def sealed_in(batch: Batch, skip: int) -> list[int]:
    """The seqs with a seal among a batch's entries without its first ``skip``."""
    if _SEALLESS.issuperset(batch.kinds[skip:]):
        return []
    return [
        seq
        for seq, (kind, value) in enumerate(
            zip(batch.kinds[skip:], batch.values[skip:], strict=True), batch.first + skip
        )
        if kind not in _SEALLESS and is_sealed(value)
    ]


def snapshot_in(batch: Batch, skip: int) -> int:
    """Up to where a snapshot among these entries stands for what is thinned; 0 where there is none."""
    if "snapshot" not in batch.kinds:
        return 0
    return max(
        (
            covered_by(seq, value)
            for seq, value in enumerate(batch.values[skip:], batch.first + skip)
        ),
        default=0,
    )


def covered_by(seq: int, value: Value) -> int:
    """Up to where the entry ``seq`` stands for what is thinned; 0 unless it is a snapshot."""
    of = field(value, "of") if field(value, "kind") == "snapshot" else None
    return min(of, seq - 1) if type(of) is int else 0


def forgets_in(batch: Batch, skip: int) -> int:
    """How many seals these entries say are forgotten."""
    if "forget" not in batch.kinds:
        return 0
    return sum(map(forgets_of, batch.values[skip:]))


def forgets_of(value: Value) -> int:
    """How many seals one entry says are forgotten; 0 unless it is a ``forget``."""
    count = field(value, "count") if field(value, "kind") == "forget" else 0
    return count if type(count) is int and 0 < count <= MAX_FORGET else 0


def look(connection: sa.Connection, now_ms: int) -> list[Lacking]:
    """Every ledger that lacks what it should have."""
    restored = (connection.scalar(sa.select(sa.func.max(epoch.c.number))) or 1) > 1
    kept = sa.func.coalesce(ledger.c.forgets, 0) - sa.func.coalesce(ledger.c.forgotten, 0)
    late = sa.and_(kept > 0, ledger.c.forgets_ms <= now_ms - FORGET_MS)
    query = sa.select(
        ledger.c.city, ledger.c.station, ledger.c.ledger, ledger.c.covered, is_continued().label("ended"),
        sa.case((late, kept), else_=0).label("kept"),
    ).where(sa.or_(ledger.c.lacking == 1, late))  # fmt: skip
    found = []
    for row in connection.execute(query.order_by(ledger.c.ledger).limit(MAX_TOLD)).all():
        covered = (row.covered or 0) if restored else 0
        texts = _counted(connection, _hollow(row.ledger, covered))
        seals = _counted(
            connection,
            sa.select(
                sa.func.count().label("count"), sa.func.min(unopened.c.seq).label("first")
            ).where(unopened.c.ledger == row.ledger, unopened.c.since_ms <= now_ms - GRACE_MS),
        )
        if texts[0] or seals[0] or row.kept:
            whose = (row.city, row.station, row.ledger, bool(row.ended))
            found.append(Lacking(*whose, *texts, *seals, row.kept))
    return found


def is_whole(connection: sa.Connection, name: str) -> bool:
    """Whether a ledger has every text and every opened seal that may still come."""
    hollow = sa.select(entry.c.seq).where(entry.c.ledger == name, entry.c.body.is_(None))
    closed = sa.select(unopened.c.seq).where(unopened.c.ledger == name)
    return not any(connection.execute(each.limit(1)).first() for each in (hollow, closed))


def learn(connection: sa.Connection) -> None:
    """What an older receiver stored and did not note. Which seals were forgotten it did not keep: so
    nothing opens those of entries that lack their text, ever."""
    hollow = sa.select(entry.c.ledger, entry.c.seq).where(entry.c.body.is_(None))
    connection.execute(sa.insert(unsealed).from_select(["ledger", "seq"], hollow))
    names = sa.select(hollow.subquery().c.ledger).distinct()
    connection.execute(sa.update(ledger).where(ledger.c.ledger.in_(names)).values(lacking=1))
    shots = sa.select(entry.c.ledger, entry.c.seq, entry.c.body).where(
        entry.c.ledger.in_(names), entry.c.kind == "snapshot", entry.c.body.is_not(None)
    )
    for row in connection.execute(shots.order_by(entry.c.ledger, entry.c.seq)).all():
        covered = covered_by(row.seq, _read(row.body))
        if covered:
            mine = sa.update(ledger).where(ledger.c.ledger == row.ledger)
            connection.execute(mine.values(covered=covered))


def note_again(connection: sa.Connection) -> None:
    """Mark ledgers that an older receiver, beside this one, stored without their texts."""
    hollow = sa.exists().where(entry.c.ledger == ledger.c.ledger, entry.c.body.is_(None))
    unmarked = sa.func.coalesce(ledger.c.lacking, 0) == 0
    connection.execute(sa.update(ledger).where(unmarked, hollow).values(lacking=1))


def _hollow(name: str, beyond: int) -> sa.Select[int, Any]:
    return sa.select(sa.func.count().label("count"), sa.func.min(entry.c.seq).label("first")).where(
        entry.c.ledger == name, entry.c.body.is_(None), entry.c.seq > beyond
    )


def _counted(connection: sa.Connection, query: sa.Select[int, Any]) -> tuple[int, int]:
    count, first = connection.execute(query).one()
    return count, first or 0


def _read(body: str) -> Value:
    try:
        return read_bodies([body.encode()])[0]
    except NotCanonical:
        return {}  # the city's own copy was changed: verify says so
