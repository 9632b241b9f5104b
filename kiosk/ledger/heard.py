"""What residents said together, kept in step with the ledger: votes by answer, thanks by day.

``said`` one row for each answer of a question (``day`` 0, ``number`` its place), one for its batches, and
one for each day's thanks; thanks older than ``KEPT_DAYS`` are not shown any more and go.
"""

from __future__ import annotations

import sqlite3

import msgspec

from kiosk.core.conserving import Entry

KEPT_DAYS = 31
KINDS = frozenset({"voice", "thanked"})
TABLES = ("said",)
MONDAY = 3
"""1970-01-01 was a Thursday."""


class Votes(msgspec.Struct, frozen=True):
    """Of one question: ``counts`` by answer's place, after ``batches`` entries."""

    counts: dict[int, int]
    batches: int


class Thanks(msgspec.Struct, frozen=True):
    """How many there were today, and this week from Monday on."""

    today: int
    week: int


def apply(db: sqlite3.Connection, entry: Entry, day: int | None) -> None:
    """A vote's or thanks' entry; ``day`` the local one, None where the clock did not know it (then thanks
    count for no day, and are in the ledger alone)."""
    if entry["kind"] == "voice":
        _add(db, "batch", entry["question"], 0, 0, 1)
        for number, count in enumerate(entry["counts"]):
            _add(db, "voice", entry["question"], 0, number, count)
    elif day is not None:
        _add(db, "thanked", "", day, 0, 1)
        db.execute("DELETE FROM said WHERE what = 'thanked' AND day < ?", (day - KEPT_DAYS,))


def votes(db: sqlite3.Connection, question: str) -> Votes:
    """What was told of a question."""
    rows = db.execute(
        "SELECT what, number, count FROM said WHERE name = ? AND what IN ('voice', 'batch')",
        (question,),
    ).fetchall()
    counts = {number: count for what, number, count in rows if what == "voice"}
    return Votes(counts, sum(count for what, _, count in rows if what == "batch"))


def thanks(db: sqlite3.Connection, day: int) -> Thanks:
    """As of local ``day`` (since 1970-01-01)."""
    monday = day - (day + MONDAY) % 7
    rows = db.execute(
        "SELECT day, count FROM said WHERE what = 'thanked' AND day BETWEEN ? AND ?", (monday, day)
    ).fetchall()
    return Thanks(
        sum(count for of, count in rows if of == day),
        sum(count for _, count in rows),
    )


def _add(db: sqlite3.Connection, what: str, name: str, day: int, number: int, count: int) -> None:
    db.execute(
        "INSERT INTO said VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT DO UPDATE SET count = count + excluded.count",
        (what, name, day, number, count),
    )
