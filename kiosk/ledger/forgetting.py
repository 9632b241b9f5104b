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
        # Each half along its index (a ledger may hold millions of seals that are not due).
        "SELECT * FROM (SELECT seq FROM held_seal WHERE linked = 0 AND day < ? LIMIT ?)"
        " UNION ALL SELECT * FROM (SELECT seq FROM held_seal WHERE linked = 1 AND day < ? LIMIT ?)",
        (today, MAX_FORGET, today - link_days, MAX_FORGET),
    )
    return sorted(seq for (seq,) in found)[:MAX_FORGET]


def delete(db: sqlite3.Connection, seqs: list[int]) -> None:
    """Deletes the rows and lists their seqs; the ``forget`` entry is the caller's."""
    keys = [(seq,) for seq in seqs]
    db.executemany("DELETE FROM seal WHERE seq = ?", keys)
    db.executemany("DELETE FROM held_seal WHERE seq = ?", keys)
    db.executemany("INSERT OR IGNORE INTO unseal VALUES (?, NULL)", keys)
