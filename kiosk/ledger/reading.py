"""Opening somebody's ledger to look at it: a station's own, a copy on a stick, one with a -wal."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from kiosk.core.errors import OperatorError, StorageError
from kiosk.ledger.database import connect_reader, told
from kiosk.ledger.errors import refused
from kiosk.ledger.files import Folder, with_suffix


def folder_at(path: Path) -> Folder | None:
    """The data folder at ``path``; None where that is a file, or nothing. Raises as ``database_of``."""
    try:
        return Folder(path) if path.is_dir() else None
    except OSError as error:
        raise refused(error, path) from error


def database_of(path: Path) -> Path:
    """The database in a data folder, or the file itself.

    Raises OperatorError where there is none, or no right to look, and StorageError.
    """
    folder = folder_at(path)
    database = path if folder is None else folder.database
    try:
        there = database.is_file()
    except OSError as error:
        raise refused(error, path) from error
    if not there:
        raise OperatorError(
            "no_ledger",
            f"There is no ledger at {path}.",
            "It begins when the station first runs (sudo systemctl start kiosk-station).",
        )
    return database


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """One snapshot of the ledger at ``path``, read-only. Raises OperatorError, StorageError.

    SQLite needs to make a -shm file beside a database with a -wal; where it cannot (a read-only
    stick), a copy in a temporary folder is read instead.
    """
    database = database_of(path)
    with ExitStack() as held:
        try:
            db = held.enter_context(_snapshot(database))
        except StorageError as error:
            if error.code not in ("cannot_open", "read_only"):
                raise
            folder = Path(held.enter_context(TemporaryDirectory(prefix="kiosk-ledger-")))
            db = held.enter_context(_snapshot(_copied(database, folder)))
        with told():
            yield db


@contextmanager
def _snapshot(database: Path) -> Iterator[sqlite3.Connection]:
    db = connect_reader(database)
    try:
        with told():
            db.execute("BEGIN")
            # A transaction begins with its first read, and so does the trouble of opening.
            db.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchall()
        yield db
    finally:
        db.close()


def _copied(database: Path, folder: Path) -> Path:
    copy = folder / "ledger.db"
    try:
        shutil.copyfile(database, copy)
        wal = with_suffix(database, "-wal")
        if wal.exists():
            shutil.copyfile(wal, with_suffix(copy, "-wal"))
    except OSError as error:
        raise refused(error, database) from error
    return copy
