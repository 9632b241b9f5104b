"""Whose a card is, at this station: a durable projection of the ledger's entries on cards.

Invariant: it never says what the ledger has not committed. It is written after each commit, and what a
power cut left unwritten is read from the ledger at the next start. It stands in a file of its own
(``cards/holders.db``) because it outlives a ledger: a new one begins without the old one's entries, and
people's cards go on. Lost or damaged, it is made again from the ledgers that are there.

Everything is held in memory (a card is two pseudonyms), so readers' threads ask without a lock.
"""

from __future__ import annotations

import logging
import os
import sqlite3
from collections.abc import Iterable
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from kiosk.core.cards.facts import CardFact
from kiosk.core.cards.knowledge import Holding
from kiosk.core.errors import KioskError, StorageError
from kiosk.ledger.cards import card_facts
from kiosk.ledger.database import connect_reader, connect_writer, told, transaction
from kiosk.ledger.files import Folder, with_suffix

if TYPE_CHECKING:
    from kiosk.cards.local import ClosedHere

LOG = logging.getLogger("kiosk.cards")
FILE = "holders.db"
_TABLES = (
    "CREATE TABLE IF NOT EXISTS card (name BLOB PRIMARY KEY, account BLOB) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS taken (ledger TEXT PRIMARY KEY, seq INTEGER NOT NULL) WITHOUT ROWID",
)


class CardHolders:
    """``account`` and ``holding`` on any thread, the rest on the main one."""

    def __init__(self, folder: Path, closed: ClosedHere) -> None:
        self._path = folder / FILE
        self._closed = closed
        self._accounts: dict[bytes, bytes | None] = {}
        """Of every card begun or joined; None where it is its own account."""
        self._db: sqlite3.Connection | None = None
        self._behind = False
        """Something could not be kept: the next start reads from before it."""

    def account(self, name: bytes) -> bytes | None:
        return self._accounts.get(name)

    def holding(self, name: bytes) -> Holding:
        return "held" if name in self._accounts else "spare"

    def open(self, data: Path, ledger: str, head_seq: int) -> None:
        """Reads what is kept, and catches up with the ledger in ``data``. Raises StorageError."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        try:
            known = self._load()
        except StorageError as error:
            if error.code != "damaged":
                raise
            LOG.warning("%s is damaged and made again from the ledgers", self._path)
            for suffix in ("", "-wal", "-shm"):
                with_suffix(self._path, suffix).unlink(missing_ok=True)
            known = self._load()
        folder = Folder(data)
        if not known:
            for path in reversed(folder.ended()):
                # One that ended because its file is damaged has nothing more to say.
                with suppress(sqlite3.DatabaseError, StorageError):
                    self._take_from(path, 0, ended=True)
        try:
            self._take_from(folder.database, known.get(ledger, 0), ended=False)
            self._mark(ledger, head_seq)
        except KioskError as error:
            self._late(error)

    def committed(self, facts: Iterable[CardFact], ledger: str, seq: int) -> None:
        """What a commit up to ``seq`` said. What cannot be written now is known all the same, and is
        read from the ledger at the next start."""
        new = list(facts)
        if not new:
            return
        try:
            self._take(new)
            self._mark(ledger, seq)
        except KioskError as error:
            self._late(error)

    def _late(self, error: KioskError) -> None:
        self._behind = True
        LOG.warning("whose a card is could not be kept yet: %s", error)

    def close(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None

    def _load(self) -> dict[str, int]:
        """By ledger, the seq up to which it was taken."""
        self.close()
        # Its owner's alone whatever the umask, as it holds pseudonyms; the -wal follows it.
        with suppress(OSError):  # what is wrong with the place SQLite says itself
            os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        db = connect_writer(self._path)
        self._db = db
        with transaction(db):
            for table in _TABLES:
                db.execute(table)
        with told():
            self._accounts = dict(db.execute("SELECT name, account FROM card").fetchall())
            return dict(db.execute("SELECT ledger, seq FROM taken").fetchall())

    def _take_from(self, database: Path, after: int, *, ended: bool) -> None:
        with closing(connect_reader(database, ended=ended)) as db:
            with told():
                facts = list(card_facts(db, after))
            self._take(facts)

    def _take(self, facts: list[CardFact]) -> None:
        """In memory first: that cannot fail, and a reader may ask at once."""
        assert self._db is not None, "not open"
        held = [fact for fact in facts if fact.what != "closed"]
        for fact in held:
            self._accounts[fact.card] = fact.account or self._accounts.get(fact.card)
        for fact in facts:
            if fact.what == "closed":
                self._closed.add(fact.card)
        if held:
            rows = [(fact.card, self._accounts[fact.card]) for fact in held]
            with transaction(self._db):
                self._db.executemany("INSERT OR REPLACE INTO card VALUES (?, ?)", rows)

    def _mark(self, ledger: str, seq: int) -> None:
        if self._behind:
            return
        assert self._db is not None, "not open"
        with transaction(self._db):
            self._db.execute("INSERT OR REPLACE INTO taken VALUES (?, ?)", (ledger, seq))
