"""Which of a ledger's clock entries are believed, and what they bound: kept beside them, so that a view
finds an entry's time along an index (the theory is in ``kiosk.core.timeline``).

Moved in the transaction that stores a clock entry. Nearly always one more simply follows; where something
contradicts, all of that ledger are settled anew.
"""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from kiosk.core.timeline import Anchor, Settled, follow, settle
from sync.receiver.tables import anchor, entry, ledger, metadata

clock_settled = sa.Table(
    "clock_settled",
    metadata,
    sa.Column("ledger", sa.Text, nullable=False),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("boot", sa.Text, nullable=False),
    sa.Column("boot_ms", sa.BigInteger, nullable=False),
    sa.Column("utc_ms", sa.BigInteger, nullable=False),
    sa.Column("uncertainty_ms", sa.BigInteger, nullable=False),
    sa.Column("recovered", sa.Integer, nullable=False),
    sa.Column("believed", sa.Integer, nullable=False),
    sa.Column("after_ms", sa.BigInteger),  # every entry behind it is after this
    sa.Column("before_ms", sa.BigInteger),  # every entry before it is before this
    sa.PrimaryKeyConstraint("ledger", "seq"),
)
sa.Index("clock_settled_boot", clock_settled.c.ledger, clock_settled.c.boot)
_doubted = clock_settled.c.believed == 0
sa.Index(
    "clock_settled_doubted",
    clock_settled.c.ledger,
    sqlite_where=_doubted,
    postgresql_where=_doubted,
)


def learn(connection: sa.Connection, ledgers: Iterable[str]) -> None:
    """The ledgers whose clock entries were stored in this transaction."""
    for name in sorted(set(ledgers)):
        last = _last(connection, name)
        new = _anchors(connection, name, 0 if last is None else last.anchor.seq)
        doubted = sa.select(clock_settled.c.seq).where(clock_settled.c.ledger == name, _doubted)
        simple = connection.execute(doubted.limit(1)).first() is None
        for one in new:
            settled = follow(last, _of_boot(connection, name, one.boot), one) if simple else None
            if settled is None:
                _settle_all(connection, name)
                break
            _insert(connection, name, [settled])
            last = settled


def learn_anew(connection: sa.Connection, ledgers: Iterable[str]) -> None:
    """The ledgers among whose stored clock entries others were filled in."""
    for name in sorted(ledgers):
        _settle_all(connection, name)


def learn_all(connection: sa.Connection) -> None:
    """What an older receiver stored and did not settle."""
    lacking = (
        sa.select(anchor.c.ledger)
        .distinct()
        .where(
            ~sa.exists().where(
                clock_settled.c.ledger == anchor.c.ledger, clock_settled.c.seq == anchor.c.seq
            )
        )
    )
    for name in sorted(connection.scalars(lacking).all()):
        # As whoever stores: the ledger's row first, so that nobody settles it beside us.
        connection.execute(
            sa.select(ledger.c.ledger).where(ledger.c.ledger == name).with_for_update()
        )
        _settle_all(connection, name)


def unsettled(connection: sa.Connection, name: str) -> list[int]:
    """The clock entries of a ledger that are not kept as they would be settled now."""
    query = sa.select(clock_settled).where(clock_settled.c.ledger == name)
    kept = {row.seq: Settled(_anchor(row), bool(row.believed), row.after_ms, row.before_ms)
            for row in connection.execute(query)}  # fmt: skip
    made = {each.anchor.seq: each for each in settle(_anchors(connection, name, 0))}
    return sorted(seq for seq in kept.keys() | made.keys() if kept.get(seq) != made.get(seq))


def _settle_all(connection: sa.Connection, name: str) -> None:
    connection.execute(sa.delete(clock_settled).where(clock_settled.c.ledger == name))
    _insert(connection, name, settle(_anchors(connection, name, 0)))


def _insert(connection: sa.Connection, name: str, settled: list[Settled]) -> None:
    rows = [
        {
            "ledger": name,
            "seq": each.anchor.seq,
            "boot": each.anchor.boot,
            "boot_ms": each.anchor.boot_ms,
            "utc_ms": each.anchor.utc_ms,
            "uncertainty_ms": each.anchor.uncertainty_ms,
            "recovered": int(each.anchor.recovered),
            "believed": int(each.believed),
            "after_ms": each.after_ms,
            "before_ms": each.before_ms,
        }
        for each in settled
    ]
    if rows:
        connection.execute(clock_settled.insert(), rows)


def _anchors(connection: sa.Connection, name: str, after: int) -> list[Anchor]:
    query = (
        sa.select(anchor, entry.c.kind)
        .join(entry, sa.and_(entry.c.ledger == anchor.c.ledger, entry.c.seq == anchor.c.seq))
        .where(anchor.c.ledger == name, anchor.c.seq > after)
        .order_by(anchor.c.seq)
    )
    return [
        Anchor(
            row.seq, row.boot, row.boot_ms, row.utc_ms, row.uncertainty_ms, row.kind == "recovered"
        )
        for row in connection.execute(query)
    ]


def _of_boot(connection: sa.Connection, name: str, boot: str) -> list[Anchor]:
    query = sa.select(clock_settled).where(
        clock_settled.c.ledger == name, clock_settled.c.boot == boot
    )
    return [_anchor(row) for row in connection.execute(query)]


def _last(connection: sa.Connection, name: str) -> Settled | None:
    query = sa.select(clock_settled).where(clock_settled.c.ledger == name)
    row = connection.execute(query.order_by(clock_settled.c.seq.desc()).limit(1)).first()
    if row is None:
        return None
    return Settled(_anchor(row), bool(row.believed), row.after_ms, row.before_ms)


def _anchor(row: sa.Row[tuple[object, ...]]) -> Anchor:
    return Anchor(
        row.seq, row.boot, row.boot_ms, row.utc_ms, row.uncertainty_ms, bool(row.recovered)
    )
