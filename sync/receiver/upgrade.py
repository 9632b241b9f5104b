"""A database that an older receiver made gets the columns and indexes that this one needs.

Columns are only ever added, and may be null: an older receiver beside this one goes on. What they mean
for rows that are there already is worked out once, in the same transaction.
"""

from __future__ import annotations

import sqlalchemy as sa

from kiosk.core.canonical import NotCanonical, parse_canonical
from sync.receiver import lacking, tables
from sync.receiver.projections import recovered_digest

OVER = {"bin_change_of", "ledger_continues"}
"""Indexes of older receivers."""


def upgrade(connection: sa.Connection) -> bool:
    """Whether a column was missing; the tables themselves are there."""
    inspector = sa.inspect(connection)
    added = _add_missing_columns(connection, inspector)
    if tables.bin_change.c.of_digest in added:
        _fill_digests(connection)
    _renew_indexes(connection, inspector)
    if tables.ledger.c.lacking in added:
        lacking.learn(connection)
    if connection.dialect.name == "postgresql":
        _drop_foreign_keys(connection, inspector)
    return bool(added)


def is_current(connection: sa.Connection, made: sa.MetaData) -> bool:
    """Whether ``upgrade`` would change nothing, and every table of ``made`` is there; only read."""
    inspector = sa.inspect(connection)
    if not made.tables.keys() <= set(inspector.get_table_names()):
        return False
    columns, indexes = _columns(inspector), _indexes(inspector)
    for table in tables.metadata.sorted_tables:
        if not {(table.name, one.name) for one in table.columns} <= columns:
            return False
        if not {one.name for one in table.indexes} <= indexes:
            return False
    keys = inspector.get_multi_foreign_keys() if connection.dialect.name == "postgresql" else {}
    old = any(found for (_, table), found in keys.items() if table in tables.metadata.tables)
    return not old and not OVER & indexes


def _columns(inspector: sa.Inspector) -> set[tuple[str, str]]:
    return {
        (table, column["name"])
        for (_, table), columns in inspector.get_multi_columns().items()
        for column in columns
    }


def _indexes(inspector: sa.Inspector) -> set[str]:
    return {
        str(index["name"])
        for indexes in inspector.get_multi_indexes().values()
        for index in indexes
    }


def _add_missing_columns(
    connection: sa.Connection, inspector: sa.Inspector
) -> list[sa.Column[object]]:
    there = _columns(inspector)
    added = []
    for table in tables.metadata.sorted_tables:
        for column in table.columns:
            if (table.name, column.name) not in there:
                kind = column.type.compile(connection.dialect)
                connection.exec_driver_sql(
                    f"ALTER TABLE {table.name} ADD COLUMN {column.name} {kind}"
                )
                added.append(column)
    return added


def _renew_indexes(connection: sa.Connection, inspector: sa.Inspector) -> None:
    """Those of this version, and none that only an older one made."""
    there = _indexes(inspector)
    for name in sorted(OVER & there):
        connection.exec_driver_sql(f"DROP INDEX {name}")
    for table in tables.metadata.sorted_tables:
        for index in sorted(table.indexes, key=lambda index: str(index.name)):
            if index.name not in there:
                index.create(connection)


def _drop_foreign_keys(connection: sa.Connection, inspector: sa.Inspector) -> None:
    """Older receivers had them; the check of each row costs twice what storing its entry does."""
    for (_, table), keys in inspector.get_multi_foreign_keys().items():
        for key in keys if table in tables.metadata.tables else []:
            connection.exec_driver_sql(f"ALTER TABLE {table} DROP CONSTRAINT {key['name']}")


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
