"""What ledgers that ended still know of today: what each card has earned, and which commands were done.

A new ledger begins without check-ins. Those of the one it continues stay in that one's file (a
``recovered`` check-in names no one: its seal has no row), and so does the knowledge whose they were.
Nothing is copied: what is forgotten there is forgotten here.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from dataclasses import replace

import msgspec

from kiosk.core.earned import Earned
from kiosk.core.errors import StorageError
from kiosk.core.memory import Memory
from kiosk.ledger import ordered
from kiosk.ledger.database import connect_reader
from kiosk.ledger.files import Folder
from kiosk.ledger.remembered import read_earned

MAX_ASKED = 8
"""Ended ledgers that are asked, the last ones; more do not end within a day."""


def with_ended(memory: Memory, folder: Folder) -> Memory:
    """``memory``, and what ended ledgers say was earned and done: no day's points are given twice, and no
    command of the city's is done again."""
    earned, done = dict(memory.earned), dict(memory.orders.done)
    for path in folder.ended()[:MAX_ASKED]:
        # A ledger may have ended because its file is damaged: then it knows nothing any more.
        with (
            suppress(sqlite3.DatabaseError, StorageError),
            closing(connect_reader(path, ended=True)) as db,
        ):
            done = {**ordered.read_ended(db).done, **done}
            for name, before in read_earned(db).items():
                earned[name] = _together(earned.get(name), before)
    orders = msgspec.structs.replace(memory.orders, done=done)
    return replace(memory, earned=earned, orders=orders)


def _together(later: Earned | None, before: Earned) -> Earned:
    if later is None or later.day < before.day:
        return before
    if later.day > before.day:
        return later
    return Earned(later.day, later.visits + before.visits, later.points + before.points)
