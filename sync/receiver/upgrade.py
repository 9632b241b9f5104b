"""A database that an older receiver made gets the columns that this one needs.

Columns are only ever added, and may be null: an older receiver beside this one goes on. What they mean
for rows that are there already is worked out once, in the same transaction.
"""

from __future__ import annotations

import sqlalchemy as sa

from kiosk.core.canonical import NotCanonical, parse_canonical
from sync.receiver import tables
from sync.receiver.projections import recovered_digest


def add_missing_columns(connection: sa.Connection) -> bool:
    """Whether anything was missing; the tables themselves are there."""
    inspector = sa.inspect(connection)
    added = []
    for table in tables.metadata.sorted_tables:
        there = {column["name"] for column in inspector.get_columns(table.name)}
        for column in table.columns:
            if column.name not in there:
                kind = column.type.compile(connection.dialect)
                connection.exec_driver_sql(
                    f"ALTER TABLE {table.name} ADD COLUMN {column.name} {kind}"
                )
                added.append(column)
    if tables.bin_change.c.of_digest in added:
        _fill_digests(connection)
    return bool(added)


def _fill_digests(connection: sa.Connection) -> None:
    change, entry = tables.bin_change, tables.entry
    joined = change.join(
        entry, sa.and_(entry.c.ledger == change.c.ledger, entry.c.seq == change.c.seq)
    )
    recovered = (
        sa.select(change.c.ledger, change.c.seq, entry.c.body)
        .select_from(joined)
        .where(change.c.of_ledger.is_not(None), entry.c.body.is_not(None))
    )
    for row in connection.execute(recovered).all():
        try:
            inner = parse_canonical(row.body.encode())["entry"]
        except (NotCanonical, KeyError):
            continue  # the city's own copy was changed: verify says so
        connection.execute(
            sa.update(change)
            .where(change.c.ledger == row.ledger, change.c.seq == row.seq)
            .values(of_digest=recovered_digest(inner))
        )
