"""What ledgers that ended still know of today: who already had the points of a visit.

A new ledger begins without check-ins. Those of the one it continues stay in that one's file (a
``recovered`` check-in names no one: its seal has no row), and so does the knowledge whose they were.
Nothing is copied: what is forgotten there is forgotten here.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

from kiosk.core.errors import StorageError
from kiosk.core.memory import Memory
from kiosk.ledger import projections
from kiosk.ledger.database import connect_reader
from kiosk.ledger.files import Folder

MAX_ASKED = 8
"""Ended ledgers that are asked, the last ones; more do not end within a day."""


def with_credit(memory: Memory, folder: Folder) -> Memory:
    """``memory``, and the points that ended ledgers gave: no day's are given twice."""
    credited = dict(memory.credited)
    for path in folder.ended()[:MAX_ASKED]:
        for pseudonym, day in _credited(path).items():
            credited[pseudonym] = max(day, credited.get(pseudonym, day))
    return replace(memory, credited=credited)


def _credited(path: Path) -> dict[bytes, int]:
    # A ledger may have ended because its file is damaged: then it knows nothing any more.
    with (
        suppress(sqlite3.DatabaseError, StorageError),
        closing(connect_reader(path, ended=True)) as db,
    ):
        found = projections.read_credited(db)
        return {p: day for p, day in found.items() if isinstance(p, bytes) and isinstance(day, int)}
    return {}
