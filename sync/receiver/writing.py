"""New rows into the database, as each kind of it takes many at the least cost.

Whoever writes holds the lock on the ledger's row and has seen that the seqs are beyond its watermark,
so that none of them can be there: no row is looked up first, and none needs an upsert.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import repeat
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from sync.messages import Batch
from sync.receiver import copying, tables
from sync.receiver.projections import Row


class Writer(Protocol):
    """Rows for one transaction."""

    def entries(self, station: str, batch: Batch, skip: int) -> None:
        """The entries of a batch without its first ``skip``."""

    def rows(self, table: sa.Table, rows: Sequence[Row]) -> None:
        """Rows of whole numbers within 64 bits, texts and bytes, in the order of the columns."""

    def flush(self) -> None:
        """What was given can be read in this transaction from now on."""


def writer(connection: sa.Connection) -> Writer:
    """COPY where the database has it."""
    copies = connection.dialect.name == "postgresql"
    return _Copier(connection) if copies else _Inserter(connection)


class _Inserter:
    """One prepared statement for many tuples (SQLite)."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def entries(self, station: str, batch: Batch, skip: int) -> None:
        texts = (None if body is None else str(body, "utf-8") for body in batch.bodies[skip:])
        rows = zip(
            repeat(batch.ledger), range(batch.first + skip, batch.last + 1), repeat(station),
            batch.kinds[skip:], texts, batch.digests[skip:], batch.hashes[skip:],
        )  # fmt: skip
        self.rows(tables.entry, list(rows))

    def rows(self, table: sa.Table, rows: Sequence[Row]) -> None:
        if rows:
            marks = ", ".join("?" * len(table.columns))
            statement = f"INSERT INTO {table.name} ({_names(self._connection, table)})"
            self._connection.exec_driver_sql(f"{statement} VALUES ({marks})", list(rows))

    def flush(self) -> None:
        """They are there already."""


class _Copier:
    """COPY, once for each table (PostgreSQL)."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._pieces: dict[sa.Table, list[bytes]] = defaultdict(list)

    def entries(self, station: str, batch: Batch, skip: int) -> None:
        self._pieces[tables.entry] += copying.pack_entries(station, batch, skip)

    def rows(self, table: sa.Table, rows: Sequence[Row]) -> None:
        if rows:
            packed = copying.pack_changes if table is tables.bin_change else copying.pack
            self._pieces[table] += packed(rows)

    def flush(self) -> None:
        waiting, self._pieces = self._pieces, defaultdict(list)
        for table, pieces in waiting.items():
            data = b"".join([copying.HEADER, *pieces, copying.END])
            names = _names(self._connection, table)
            _copy(self._connection, f"COPY {table.name} ({names}) FROM STDIN (FORMAT BINARY)", data)


def _names(connection: sa.Connection, table: sa.Table) -> str:
    quote = connection.dialect.identifier_preparer.quote
    return ", ".join(quote(column.name) for column in table.columns)


def _copy(connection: sa.Connection, statement: str, data: bytes) -> None:
    driver: Any = connection.dialect.loaded_dbapi
    raw: Any = connection.connection.driver_connection
    try:
        with raw.cursor() as cursor, cursor.copy(statement) as copy:
            copy.write(data)
    except driver.Error as error:
        # As SQLAlchemy does for its own statements: so that one `except` is enough for all of them.
        lost = raw.closed
        if lost:
            connection.invalidate(error)
        raise DBAPIError.instance(
            statement, None, error, driver.Error, connection_invalidated=lost
        ) from error
