"""What stands of the orders, kept in step with the ledger in one row (``kiosk.core.standing``)."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any

import msgspec

from kiosk.core.entries import BagSwap, BinFull, Commanded, ScaleBroken
from kiosk.core.standing import Standing, after, at_bin

KINDS = frozenset({"command", "bin_full", "bag_swap", "scale_broken"})


def apply(db: sqlite3.Connection, entry: Mapping[str, Any]) -> None:
    """Moves it by one entry of ``KINDS``."""
    plain = {k: v for k, v in entry.items() if k not in ("seq", "at")}
    draft = msgspec.convert(plain, Commanded | BinFull | BagSwap | ScaleBroken)
    before = read(db)
    standing = after(before, draft) if isinstance(draft, Commanded) else at_bin(before, draft)
    if standing == before:
        return
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
