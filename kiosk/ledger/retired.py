"""Seals in ledgers that ended: their time runs out as in the ledger in use.

Such a ledger takes no entry any more, so no ``forget`` tells of it there; its entries, and with them its
chain, stay as they are. The file is never written to: a copy without the rows takes its place in one
rename, so that a power cut leaves the old one or the new one.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from kiosk.core.errors import StorageError
from kiosk.ledger import forgetting
from kiosk.ledger.database import connect_reader, told, transaction
from kiosk.ledger.errors import from_os
from kiosk.ledger.files import Folder, sync_folder

DAMAGED = "damaged"


def forget_due(folder: Folder, today: int, link_days: int) -> int:
    """How many seals went. Raises StorageError where a file cannot be replaced (a full disk)."""
    return sum(_forget(path, today, link_days) for path in folder.ended())


def _forget(path: Path, today: int, link_days: int) -> int:
    try:
        with told(), closing(connect_reader(path, ended=True)) as db:
            due = forgetting.due(db, today, link_days)
            return _replace(path, db, today, link_days) if due else 0
    except sqlite3.OperationalError:  # a table is missing: too old a ledger, or half of one
        return 0
    except StorageError as error:
        if error.code == DAMAGED:  # kept for whoever can mend it; it was told when it ended
            return 0
        raise


def _replace(path: Path, old: sqlite3.Connection, today: int, link_days: int) -> int:
    copy = path.with_suffix(".new")
    copy.unlink(missing_ok=True)
    gone = 0
    with closing(sqlite3.connect(copy, isolation_level=None)) as new:
        old.backup(new)
        new.execute("PRAGMA secure_delete=ON").close()
        new.execute("PRAGMA journal_mode=DELETE").close()  # one file, which one rename replaces
        while seqs := forgetting.due(new, today, link_days):
            with transaction(new):
                forgetting.delete(new, seqs, told_by=None)
            gone += len(seqs)
    try:
        _put_in_place(copy, path)
    except OSError as error:
        raise from_os(error) from error
    return gone


def _put_in_place(copy: Path, path: Path) -> None:
    before = path.stat()
    fd = os.open(copy, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
    # When it ended says which ledger was the last one (``Folder.ended``).
    os.utime(copy, ns=(before.st_atime_ns, before.st_mtime_ns))
    copy.chmod(0o400)
    copy.replace(path)
    sync_folder(path.parent)
