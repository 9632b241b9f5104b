"""Seals whose time is over: the rows go, one ``forget`` entry says how many.

The seqs stay in a flat list for the city (``unseal``), never grouped: which seals went together
would say which were one person's.
"""

from __future__ import annotations

import sqlite3

MAX_FORGET = 2_000
"""Seals deleted by one entry; the caller comes again for more."""


def due(db: sqlite3.Connection, today: int, link_days: int) -> list[int]:
    """Seqs whose seal goes: unlinked ones of days before ``today``, linked ones link_days later."""
    found = db.execute(
        "SELECT seq FROM held_seal WHERE day + CASE WHEN linked THEN ? ELSE 0 END < ?"
        " ORDER BY seq LIMIT ?",
        (link_days, today, MAX_FORGET),
    )
    return [seq for (seq,) in found]


def delete(db: sqlite3.Connection, seqs: list[int]) -> None:
    """Deletes the rows and lists their seqs; the ``forget`` entry is the caller's."""
    keys = [(seq,) for seq in seqs]
    db.executemany("DELETE FROM seal WHERE seq = ?", keys)
    db.executemany("DELETE FROM held_seal WHERE seq = ?", keys)
    db.executemany("INSERT OR IGNORE INTO unseal VALUES (?, NULL)", keys)
