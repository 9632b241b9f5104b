"""Writes that need not each cost a sync of the disk while a backlog drains.

What is held back here can be had again: a signature that left is made again from the same head (Ed25519
draws no lots), and an acknowledgement that is lost with the power costs a resend of what the city has, and
comes again, as the broker keeps the last one. So the signatures wait for the next entry's commit, or until
``MOST`` of them do, and ``ack.json`` is written at most every ``KEEP_S`` while acknowledgements pour in.
One of a ledger's last entry, of a newer epoch or with an error is written at once, as is one that
contradicts the ledger (which the next start goes by); none waits longer than the uplink's next poll.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from contextlib import suppress

from kiosk.core.errors import StorageError
from kiosk.ledger.files import Folder, replace_file

MOST = 64
KEEP_S = 0.25


class Departed:
    """Signatures of batches that left, by their last seq."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._signatures: dict[int, bytes] = {}

    def add(self, last: int, signature: bytes) -> bool:
        """True where so many wait that they should be written."""
        with self._lock:
            self._signatures[last] = signature
            return len(self._signatures) >= MOST

    def write(self, db: sqlite3.Connection) -> tuple[int, ...]:
        """Inside a transaction; hand what it returns to ``written`` once that is committed."""
        with self._lock:
            waiting = tuple(self._signatures.items())
        db.executemany("INSERT OR IGNORE INTO sent VALUES (?)", [(last,) for last, _ in waiting])
        db.executemany("INSERT OR IGNORE INTO batch_sig VALUES (?, ?)", waiting)
        return tuple(last for last, _ in waiting)

    def written(self, lasts: tuple[int, ...]) -> None:
        with self._lock:
            for last in lasts:
                self._signatures.pop(last, None)


class AckFile:
    """``ack.json``; used under the ledger's writing lock."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._waiting: bytes | None = None
        self._due_s = 0.0

    def keep(self, payload: bytes, *, at_once: bool) -> None:
        """Write it now, or soon. Raises StorageError."""
        if at_once or time.monotonic() >= self._due_s:
            replace_file(self._folder.ack, payload)
            self._waiting, self._due_s = None, time.monotonic() + KEEP_S
        else:
            self._waiting = payload

    def settle(self) -> None:
        """Write what waits. Raises StorageError, and then it still does."""
        if self._waiting is not None:
            self.keep(self._waiting, at_once=True)

    def settle_if_due(self) -> None:
        """The same where its time has come; what the disk refuses is tried again."""
        if time.monotonic() >= self._due_s:
            with suppress(StorageError):
                self.settle()
