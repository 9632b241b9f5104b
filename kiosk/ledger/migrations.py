"""The ledger's tables, step by step; never change a step that a station may have taken.

``ledger``, ``seal``, ``batch_sig`` and ``snapshot`` are the contract's. ``sent`` says which
signatures left in a batch (those stay), ``unseal`` which seals were deleted, and which ``forget`` entry
tells of it (null: none does, as in a ledger that had ended). The rest are projections:
``kiosk.ledger.projections`` can make them again from the ledger.
"""

from __future__ import annotations

import sqlite3

from sqlite_utils import Database, Migrations

migrations = Migrations("ledger")

_FIRST = (
    "CREATE TABLE ledger (seq INTEGER PRIMARY KEY, body TEXT,"
    " digest BLOB NOT NULL, hash BLOB NOT NULL)",
    "CREATE TABLE seal (seq INTEGER PRIMARY KEY, salt BLOB NOT NULL, pseudonym BLOB NOT NULL)",
    "CREATE TABLE batch_sig (last_seq INTEGER PRIMARY KEY, sig BLOB NOT NULL)",
    "CREATE TABLE snapshot (seq INTEGER PRIMARY KEY, data BLOB NOT NULL)",
    "CREATE TABLE sent (last_seq INTEGER PRIMARY KEY)",
    "CREATE TABLE unseal (seq INTEGER PRIMARY KEY, told_by INTEGER)",
    "CREATE TABLE book (bin TEXT PRIMARY KEY, item TEXT NOT NULL, bag TEXT NOT NULL,"
    " gross_g INTEGER, empty_g INTEGER NOT NULL, adjustment INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE TABLE open_visit (visit TEXT PRIMARY KEY, seq INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE TABLE held_seal (seq INTEGER PRIMARY KEY, day INTEGER NOT NULL,"
    " linked INTEGER NOT NULL, credited INTEGER NOT NULL)",
    "CREATE TABLE day_item (day INTEGER NOT NULL, item TEXT NOT NULL, net_g INTEGER NOT NULL,"
    " weighings INTEGER NOT NULL, pieces INTEGER NOT NULL, ml INTEGER NOT NULL,"
    " PRIMARY KEY (day, item)) WITHOUT ROWID",
    "CREATE TABLE counter (kind TEXT PRIMARY KEY, entries INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE TABLE projected (version INTEGER NOT NULL)",
    "PRAGMA user_version = 1",
)

_ADJUSTED = (
    "ALTER TABLE book ADD COLUMN scale TEXT",
    "PRAGMA user_version = 2",
)

_UNCREDITED = (
    "ALTER TABLE held_seal DROP COLUMN credited",
    "PRAGMA user_version = 3",
)

_FOUND_AT_ONCE = (
    # Each for a question that is asked at every start, batch or day, whatever the ledger's length.
    """CREATE INDEX ledger_alias ON ledger (seq) WHERE instr(body, '"kind":"alias"')""",
    "CREATE INDEX held_seal_day ON held_seal (linked, day)",
    "CREATE INDEX unseal_told ON unseal (told_by)",
    "PRAGMA user_version = 4",
)

_ORDERED = (
    "CREATE TABLE standing (one INTEGER PRIMARY KEY CHECK (one = 1), data TEXT NOT NULL)",
    "PRAGMA user_version = 5",
)

_STOCKED = (
    "CREATE TABLE stock (item TEXT PRIMARY KEY, data TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE yard_bag (seq INTEGER NOT NULL, number INTEGER NOT NULL, item TEXT NOT NULL,"
    " net_g INTEGER, picked INTEGER, PRIMARY KEY (seq, number)) WITHOUT ROWID",
    "CREATE INDEX yard_bag_here ON yard_bag (item, seq, number) WHERE picked IS NULL",
    "CREATE INDEX yard_bag_picked ON yard_bag (picked) WHERE picked IS NOT NULL",
    "CREATE TABLE stock_move (seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, item TEXT NOT NULL,"
    " bags INTEGER, beyond INTEGER NOT NULL, net_g INTEGER, yen INTEGER, who TEXT, date TEXT,"
    " utc_ms INTEGER NOT NULL, known INTEGER NOT NULL, voided INTEGER)",
    "PRAGMA user_version = 6",
)

_SAID = (
    "CREATE TABLE said (what TEXT NOT NULL, name TEXT NOT NULL, day INTEGER NOT NULL,"
    " number INTEGER NOT NULL, count INTEGER NOT NULL,"
    " PRIMARY KEY (what, name, day, number)) WITHOUT ROWID",
    "PRAGMA user_version = 7",
)


@migrations()
def m001_first(db: Database) -> None:
    """Everything that the first ledger had."""
    for statement in _FIRST:
        db.execute(statement)


@migrations()
def m002_adjusted(db: Database) -> None:
    """A bin's book holds what its last adjustment says, as canonical JSON."""
    for statement in _ADJUSTED:
        db.execute(statement)


@migrations()
def m003_uncredited(db: Database) -> None:
    """What a card earned today is read from the entries themselves (``remembered``)."""
    for statement in _UNCREDITED:
        db.execute(statement)


@migrations()
def m004_found_at_once(db: Database) -> None:
    """What a start, a batch and a day's end ask for is found along an index."""
    for statement in _FOUND_AT_ONCE:
        db.execute(statement)


@migrations()
def m005_ordered(db: Database) -> None:
    """What stands of the city's and caretakers' orders, as canonical JSON."""
    for statement in _ORDERED:
        db.execute(statement)


@migrations()
def m006_stocked(db: Database) -> None:
    """What becomes of each item: bags in the yard, pickups, sales, what may be shown of drops."""
    for statement in _STOCKED:
        db.execute(statement)


@migrations()
def m007_said(db: Database) -> None:
    """What residents said together: votes and thanks. No older ledger holds any."""
    for statement in _SAID:
        db.execute(statement)


def migrate(connection: sqlite3.Connection) -> None:
    """Applies the steps that are missing; each commits together with its own record."""
    migrations.apply(Database(connection, execute_plugins=False))
