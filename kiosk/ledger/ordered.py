"""What stands of the orders, kept in step with the ledger in one row (``kiosk.core.standing``)."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any

import msgspec

from kiosk.core.entries import Commanded
from kiosk.core.standing import Standing, after


def apply(db: sqlite3.Connection, entry: Mapping[str, Any]) -> None:
    """Moves it by one ``command`` entry."""
    at = entry["at"]
    draft = msgspec.convert({k: v for k, v in entry.items() if k not in ("seq", "at")}, Commanded)
    utc_ms = at["utc_ms"] if at["clock"] == "synced" else None
    standing = after(read(db), draft, utc_ms)
    data = msgspec.json.encode(standing, order="sorted").decode()
    db.execute("INSERT OR REPLACE INTO standing VALUES (1, ?)", (data,))


def read(db: sqlite3.Connection) -> Standing:
    """As it stands in the table."""
    row = db.execute("SELECT data FROM standing").fetchone()
    return Standing() if row is None else msgspec.json.decode(row[0], type=Standing)


def read_ended(db: sqlite3.Connection) -> Standing:
    """Of a ledger that ended, whose file may be of an older program, or damaged: then it knows less."""
    try:
        return read(db)
    except (sqlite3.DatabaseError, msgspec.DecodeError, UnicodeDecodeError):
        return Standing()
