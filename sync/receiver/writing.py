"""New rows into the database, as each kind of it takes many at the least cost.

Whoever writes holds the lock on the ledger's row and has seen that the seqs are beyond its watermark,
so that none of them can be there: no row is looked up first, and none needs an upsert.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import repeat
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from sync.messages import Batch
from sync.receiver import copying, tables
from sync.receiver.projections import Row

Load = list[Any]
"""Rows of one table as the database takes them: packed (COPY), or tuples."""


class Loader(Protocol):
    """Makes loads, without the database: on any thread."""

    def entries(self, station: str, batch: Batch, skip: int) -> Load:
        """The entries of a batch without its first ``skip``."""

    def rows(self, table: sa.Table, rows: Sequence[Row]) -> Load:
        """Rows of whole numbers within 64 bits, texts and bytes, in the order of the columns."""


class _Tuples:
    def entries(self, station: str, batch: Batch, skip: int) -> Load:
        texts = (None if body is None else str(body, "utf-8") for body in batch.bodies[skip:])
        rows = zip(
            repeat(batch.ledger), range(batch.first + skip, batch.last + 1), repeat(station),
            batch.kinds[skip:], texts, batch.digests[skip:], batch.hashes[skip:],
        )  # fmt: skip
        return list(rows)

    def rows(self, _table: sa.Table, rows: Sequence[Row]) -> Load:
        return list(rows)


class _Packed:
    """In one piece each: whoever hands them over has only to put them behind one another."""

    def entries(self, station: str, batch: Batch, skip: int) -> Load:
        return [b"".join(copying.pack_entries(station, batch, skip))]

    def rows(self, table: sa.Table, rows: Sequence[Row]) -> Load:
        return [b"".join(_PACKED.get(table, copying.pack)(rows))] if rows else []


_PACKED = {tables.bin_change: copying.pack_changes, tables.seal: copying.pack_seals}


def loader(dialect: sa.Dialect) -> Loader:
    """For COPY where the database has it."""
    return _Packed() if dialect.name == "postgresql" else _Tuples()


class Writer:
    """Rows for one transaction, which come together until ``flush``."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._copies = connection.dialect.name == "postgresql"
        self._loader = loader(connection.dialect)
        self._waiting: dict[sa.Table, Load] = defaultdict(list)

    def add(self, loads: Mapping[sa.Table, Load]) -> None:
        """Of this database's ``loader``."""
        for table, load in loads.items():
            self._waiting[table] += load

    def rows(self, table: sa.Table, rows: Sequence[Row]) -> None:
        """Few of them, made now."""
        self.add({table: self._loader.rows(table, rows)})

    def flush(self) -> None:
        """What was given can be read in this transaction from now on."""
        waiting, self._waiting = self._waiting, defaultdict(list)
        for table, load in waiting.items():
            if load and self._copies:
                self._copy(table, load)
            elif load:
                self._insert(table, load)

    def _copy(self, table: sa.Table, load: Load) -> None:
        data = b"".join([copying.HEADER, *load, copying.END])
        names = _names(self._connection, table)
        _copy(self._connection, f"COPY {table.name} ({names}) FROM STDIN (FORMAT BINARY)", data)

    def _insert(self, table: sa.Table, load: Load) -> None:
        marks = ", ".join("?" * len(table.columns))
        statement = f"INSERT INTO {table.name} ({_names(self._connection, table)})"
        self._connection.exec_driver_sql(f"{statement} VALUES ({marks})", load)


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
