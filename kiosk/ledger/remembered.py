"""What the ledger still knows of cards for the rules to go on with: today's points, names tied.

Only what seals still say: where one was forgotten, nobody was here. Whatever cannot be read is passed
over: a damaged ledger, asked after its end, knows less.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Any

from kiosk.core.canonical import NotCanonical, parse_canonical
from kiosk.core.earned import Earned, Earnings
from kiosk.core.ties import Tie

MAX_SEALS = 500
"""The last seals that are read: more cards than come to one station on one day."""
MAX_ENTRIES = 10_000
"""And the entries among them."""
CLAIMED = 200
"""So many entries before the first card are looked through for what it claimed."""

_EARNING_KINDS = ("checkin", "claim", "weighing")


def read_tied(db: sqlite3.Connection) -> dict[bytes, Tie]:
    """By new name, for every ``alias`` whose seal and whose check-in's are still there."""
    # The few aliases first where they can be found along their index (a ledger that ended long ago may
    # have none); SQLite would begin with every seal that is held.
    indexed = db.execute("SELECT 1 FROM sqlite_master WHERE name = 'ledger_alias'").fetchone()
    first, then = ("ledger", "held_seal") if indexed else ("held_seal", "ledger")
    found = db.execute(
        f"SELECT CAST(body AS BLOB), seal.pseudonym, day FROM {first} CROSS JOIN {then} USING (seq)"
        ' CROSS JOIN seal USING (seq) WHERE instr(body, \'"kind":"alias"\') ORDER BY ledger.seq'
    )
    ties: dict[bytes, Tie] = {}
    for body, formerly, day in found.fetchall():
        now = _name(db, _parsed(body).get("of"))
        if now is not None and isinstance(formerly, bytes):
            ties[now] = Tie(formerly, day)
    return ties


def read_earned(db: sqlite3.Connection) -> dict[bytes, Earned]:
    """By name, of the day of the last check-in: a name that was tied earns with the one it is tied to."""
    first, day = _last_day(db)
    formerly = {now: (tie.formerly,) for now, tie in read_tied(db).items()}
    earnings = Earnings({})
    names_of: dict[str, tuple[bytes, ...]] = {}
    points_of: dict[str, int] = {}
    """By visit."""
    for seq, entry in _entries(db, first):
        visit, points = entry.get("visit"), entry.get("points", 0)
        name = _name(db, seq) if "seal" in entry else None
        names = () if name is None else (name, *formerly.get(name, ()))
        if visit is None:  # an unlinked check-in; weighings of nobody
            earnings.add(names, day, points, first=points != 0)
            continue
        before = points_of.get(visit, 0)
        points_of[visit] = before + points
        if names:
            names_of[visit] = names
        if entry["kind"] == "claim":  # what was dropped before the card was shown
            before, points = 0, before
        # Without points too: what one of two names earned before they were tied is both's.
        earnings.add(names_of.get(visit, ()), day, points, first=before == 0 and points != 0)
    return earnings.known()


def _last_day(db: sqlite3.Connection) -> tuple[int, int]:
    """Where the last seals of one day begin, and which day that is; 0 and 0 where there are none."""
    first = last_day = 0
    seals = db.execute("SELECT seq, day FROM held_seal ORDER BY seq DESC LIMIT ?", (MAX_SEALS,))
    for seq, day in seals.fetchall():
        if first and day != last_day:
            break
        first, last_day = seq, day
    return first, last_day


def _entries(db: sqlite3.Connection, first: int) -> Iterator[tuple[int, dict[str, Any]]]:
    if first == 0:
        return
    found = db.execute(
        "SELECT seq, CAST(body AS BLOB) FROM ledger WHERE seq >= ?"
        " AND (seq >= ? AND (instr(body, ?) OR instr(body, ?)) OR instr(body, ?))"
        " ORDER BY seq LIMIT ?",
        (first - CLAIMED, first, *(f'"kind":"{kind}"' for kind in _EARNING_KINDS), MAX_ENTRIES),
    )
    for seq, body in found.fetchall():
        entry = _parsed(body)
        good = type(entry.get("points", 0)) is int and isinstance(entry.get("visit"), str | None)
        if good and entry.get("kind") in _EARNING_KINDS:
            yield seq, entry


def _name(db: sqlite3.Connection, seq: object) -> bytes | None:
    if type(seq) is not int:
        return None
    row = db.execute("SELECT pseudonym FROM seal WHERE seq = ?", (seq,)).fetchone()
    return row[0] if row is not None and isinstance(row[0], bytes) else None


def _parsed(body: object) -> dict[str, Any]:
    if not isinstance(body, bytes):
        return {}
    try:
        entry = parse_canonical(body)
    except NotCanonical:
        return {}
    return entry if isinstance(entry, dict) else {}
