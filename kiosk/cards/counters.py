"""The last counter of every chip that counts its readings: ``counters.db`` beside the ledger.

Invariant: a counter that was answered ``fresh`` is on the disk, so that after a power cut the same
message is a replay still.

Names are pseudonyms. Nothing says when a card was shown, and no order does: the table is sorted by
name, and the journal is cut to nothing at each commit (a -wal would keep the order of the last
thousand). Otherwise this file would undo the ledger's forgetting.

Another station of the town has a memory of its own: a message that was recorded, and shown nowhere here
since, counts here once.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from contextlib import suppress
from pathlib import Path

from kiosk.core.cards.knowledge import Count
from kiosk.core.errors import DeviceError

MAX_CARDS = 200_000
"""Only what a town's key proved is written, so this bounds no attacker, but a mistake."""
BUSY_S = 2.0
_PRAGMAS: tuple[tuple[str, str, object], ...] = (
    ("journal_mode", "TRUNCATE", "truncate"),
    ("synchronous", "FULL", 2),
    ("secure_delete", "ON", 1),
    ("trusted_schema", "OFF", 0),
)
_SCHEMA = """
CREATE TABLE IF NOT EXISTS counter(
    name BLOB PRIMARY KEY CHECK (length(name) = 16), last INTEGER NOT NULL
) STRICT, WITHOUT ROWID
"""
_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


class CounterFile:
    """``kiosk.core.cards.knowledge.Counters``. One for all readers of a station; their threads take turns.

    Opened when first needed. Raises DeviceError: ``card_counters`` where nothing can be kept (the card
    does not count then), ``counters_damaged`` once, when a damaged file was put aside as
    ``counters.db.damaged``; the next card begins a new one.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._cards = 0

    def count(self, name: bytes, counter: int, /) -> Count:
        with self._lock:
            try:
                return self._count(name, counter)
            except sqlite3.Error as error:
                self._let_go()
                if getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGED:
                    raise self._put_aside() from error
                raise DeviceError(
                    "card_counters",
                    f"What chips have counted cannot be kept in {self._path} ({error}).",
                    "Check free space and the SD card.",
                ) from error

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._let_go()

    def _count(self, name: bytes, counter: int) -> Count:
        if self._connection is None:
            self._connection = self._open()
        connection = self._connection
        row = connection.execute("SELECT last FROM counter WHERE name = ?", (name,)).fetchone()
        if row is not None and counter <= row[0]:
            return "replayed" if counter == row[0] else "copied"
        connection.execute("BEGIN IMMEDIATE")
        if row is None and self._cards >= MAX_CARDS:
            _forget_another(connection, name)
        connection.execute(
            "INSERT INTO counter VALUES (?, ?) ON CONFLICT DO UPDATE SET last = excluded.last",
            (name, counter),
        )
        connection.execute("COMMIT")
        if row is None:
            self._cards = min(self._cards + 1, MAX_CARDS)
        return "fresh"

    def _open(self) -> sqlite3.Connection:
        # Its owner's alone whatever the umask: pseudonyms stand in it.
        with suppress(OSError):  # what is wrong with the place SQLite says itself
            os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        connection = sqlite3.connect(
            self._path, isolation_level=None, timeout=BUSY_S, check_same_thread=False
        )
        try:
            for name, value, expected in _PRAGMAS:
                connection.execute(f"PRAGMA {name}={value}").close()
                (answer,) = connection.execute(f"PRAGMA {name}").fetchone()
                if answer != expected:
                    raise sqlite3.OperationalError(f"{name}={value} is not followed")
            connection.execute(_SCHEMA)
            (self._cards,) = connection.execute("SELECT count(*) FROM counter").fetchone()
        except BaseException:  # whatever ends the opening: no connection may be left behind
            connection.close()
            raise
        return connection

    def _let_go(self) -> None:
        if self._connection is not None:
            with suppress(sqlite3.Error):  # a transaction that hangs in it is rolled back
                self._connection.close()
            self._connection = None

    def _put_aside(self) -> DeviceError:
        aside = self._path.with_name(f"{self._path.name}.damaged")
        todo = "Nothing: cards are counted anew. If it comes again, replace the SD card."
        try:
            self._path.replace(aside)
            self._path.with_name(f"{self._path.name}-journal").unlink(missing_ok=True)
        except OSError as error:
            todo = f"Remove it by hand ({error.strerror})."
        what = f"What chips have counted was damaged in {self._path}."
        return DeviceError("counters_damaged", what, todo)


def _forget_another(connection: sqlite3.Connection, name: bytes) -> None:
    """Whichever comes next in the order of names, which is nobody's: pseudonyms are as good as drawn."""
    connection.execute(
        "DELETE FROM counter WHERE name = coalesce((SELECT min(name) FROM counter WHERE name > ?1),"
        " (SELECT min(name) FROM counter))",
        (name,),
    )
