"""Seals whose time is over: the rows go, one ``forget`` entry says how many.

The seqs stay in a list for the city (``unseal``), which travels with that entry (``batches``): those of a
whole day, never of one person, so that which seals went together says nothing.
"""

from __future__ import annotations

import sqlite3

MAX_FORGET = 1_000
"""Seals deleted by one entry, so that their list fits beside it; the caller comes again for more."""


def due(db: sqlite3.Connection, today: int, link_days: int) -> list[int]:
    """Seqs whose seal goes: unlinked ones of days before ``today``, linked ones link_days later."""
    found = db.execute(
        # Each half along its index (a ledger may hold millions of seals that are not due).
        "SELECT * FROM (SELECT seq FROM held_seal WHERE linked = 0 AND day < ? LIMIT ?)"
        " UNION ALL SELECT * FROM (SELECT seq FROM held_seal WHERE linked = 1 AND day < ? LIMIT ?)",
        (today, MAX_FORGET, today - link_days, MAX_FORGET),
    )
    return sorted(seq for (seq,) in found)[:MAX_FORGET]


def delete(db: sqlite3.Connection, seqs: list[int], told_by: int | None) -> None:
    """Deletes the rows and lists their seqs. ``told_by`` the seq of the ``forget`` entry, which is the
    caller's; None in a ledger that takes none any more."""
    keys = [(seq,) for seq in seqs]
    db.executemany("DELETE FROM seal WHERE seq = ?", keys)
    db.executemany("DELETE FROM held_seal WHERE seq = ?", keys)
    db.executemany("INSERT OR IGNORE INTO unseal VALUES (?, ?)", [(seq, told_by) for seq in seqs])


def adopt(db: sqlite3.Connection, told_by: int, most: int) -> None:
    """What an older version listed and never told goes with this entry, where its list has room."""
    db.execute(
        "UPDATE unseal SET told_by = ? WHERE seq IN"
        " (SELECT seq FROM unseal WHERE told_by IS NULL ORDER BY seq LIMIT ?)",
        (told_by, most),
    )
