"""Connections to the ledger's SQLite file: one that writes, a few that read.

WAL and ``synchronous=FULL``: every commit is on the disk when it returns (a commit costs one
fdatasync). SQLite answers a PRAGMA that it did not follow with the old value and no error, so every
answer is checked. Only the writer checkpoints: a ``mode=ro`` connection cannot.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, LifoQueue
from urllib.parse import quote

from kiosk.core.errors import StorageError
from kiosk.ledger.errors import from_sqlite, trouble

BUSY_S = 2.0
"""How long a statement waits for another connection's lock."""
MAX_READERS = 4
"""Read-only connections beside the writer, and so the threads that read at once."""
READER_WAIT_S = 5.0
"""How long a thread waits for one of them."""
WAL_LIMIT_BYTES = 8 << 20
"""To this the -wal file is cut back after a checkpoint."""
SYNCHRONOUS_FULL = 2

_WRITER_PRAGMAS: tuple[tuple[str, str, object], ...] = (
    ("journal_mode", "WAL", "wal"),
    ("synchronous", "FULL", SYNCHRONOUS_FULL),
    ("journal_size_limit", str(WAL_LIMIT_BYTES), WAL_LIMIT_BYTES),
    ("cell_size_check", "ON", 1),
    # A forgotten pseudonym must not live on in a free page.
    ("secure_delete", "ON", 1),
    ("trusted_schema", "OFF", 0),
)


@contextmanager
def told() -> Iterator[None]:
    """Turns SQLite's refusals into StorageError; what is our own mistake stays what it is."""
    try:
        yield
    except sqlite3.Error as error:
        storage = from_sqlite(error)
        if storage is None:
            raise
        raise storage from error


def connect_writer(path: Path) -> sqlite3.Connection:
    """The one connection that writes. Raises StorageError, also where a PRAGMA is not followed."""
    with told():
        connection = sqlite3.connect(
            path, isolation_level=None, timeout=BUSY_S, check_same_thread=False
        )
        try:
            for name, value, expected in _WRITER_PRAGMAS:
                connection.execute(f"PRAGMA {name}={value}").close()
                (answer,) = connection.execute(f"PRAGMA {name}").fetchone()
                if answer != expected:
                    raise StorageError(
                        "no_durability",
                        f"SQLite does not follow {name}={value} here (it says {answer}).",
                        "Keep the data folder on a local disk with ext4.",
                    )
        except BaseException:  # whatever ends the opening: no connection may be left behind
            connection.close()
            raise
        return connection


def connect_reader(path: Path, *, ended: bool = False) -> sqlite3.Connection:
    """A connection that can only read, and never checkpoints.

    ``ended`` nobody writes the file any more: no -wal and no -shm is made beside it, or read.
    """
    with told():
        return sqlite3.connect(
            f"file:{quote(os.fsencode(path.resolve()))}?{'immutable=1' if ended else 'mode=ro'}",
            uri=True,
            isolation_level=None,
            timeout=BUSY_S,
            check_same_thread=False,
        )


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Everything inside, durable when it returns, or nothing of it. Raises StorageError."""
    with told():
        try:
            connection.execute("BEGIN IMMEDIATE")
            yield
            connection.execute("COMMIT")
        except BaseException:  # half a transaction must not outlive any failure, Ctrl-C included
            # After a full disk SQLite has often rolled back by itself.
            if connection.in_transaction:
                connection.rollback()
            raise


class Readers:
    """At most ``MAX_READERS`` read-only connections, lent to threads, opened when first needed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._idle: LifoQueue[sqlite3.Connection | None] = LifoQueue(MAX_READERS)
        for _ in range(MAX_READERS):
            self._idle.put(None)

    @contextmanager
    def lend(self) -> Iterator[sqlite3.Connection]:
        """One snapshot of the database; raises StorageError, also when all stay busy."""
        try:
            connection = self._idle.get(timeout=READER_WAIT_S)
        except Empty:
            raise trouble("locked") from None
        try:
            with told():
                connection = connection or connect_reader(self._path)
                connection.execute("BEGIN")
                yield connection
        finally:
            if connection is not None and connection.in_transaction:
                connection.rollback()
            self._idle.put(connection)

    def close(self) -> None:
        """Closes the idle connections; none may be lent any more."""
        for _ in range(MAX_READERS):
            connection = self._idle.get(timeout=READER_WAIT_S)
            if connection is not None:
                connection.close()
