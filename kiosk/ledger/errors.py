"""SQLite's and the file system's refusals, told as ``StorageError``; our own mistakes pass through.

A statement that SQLite rejects for its text or for a constraint is a bug of ours and stays a
``sqlite3`` exception, so that the process ends on it.
"""

from __future__ import annotations

import errno
import sqlite3
from pathlib import Path

from kiosk.core.errors import KioskError, OperatorError, StorageError

_PRIMARY = 0xFF
"""Extended result codes carry the primary one in their low byte (sqlite.org/rescode.html)."""

_WORDS: dict[str, tuple[str, str]] = {
    "disk_full": (
        "The disk is full; nothing was recorded.",
        "Make room on the data disk; the station goes on by itself.",
    ),
    "io_error": (
        "The disk refused to read or write; nothing was recorded.",
        "Look at the card or disk (kiosk doctor), and replace it soon.",
    ),
    "read_only": (
        "The data folder cannot be written to; nothing was recorded.",
        "Restart the machine; if it stays so, the card is worn out: replace it.",
    ),
    "cannot_open": (
        "The ledger cannot be opened.",
        "Check that the data folder exists and belongs to the station's user.",
    ),
    "locked": (
        "Another program holds the ledger; nothing was recorded.",
        "Close any other program that has the database open.",
    ),
    "damaged": (
        "The ledger's file is damaged.",
        "Restart the station: it saves every entry that still proves itself and goes on.",
    ),
}

_SQLITE_CODES = {
    sqlite3.SQLITE_FULL: "disk_full",
    sqlite3.SQLITE_IOERR: "io_error",
    sqlite3.SQLITE_READONLY: "read_only",
    sqlite3.SQLITE_PERM: "cannot_open",
    sqlite3.SQLITE_CANTOPEN: "cannot_open",
    sqlite3.SQLITE_BUSY: "locked",
    sqlite3.SQLITE_LOCKED: "locked",
    sqlite3.SQLITE_PROTOCOL: "locked",
    sqlite3.SQLITE_CORRUPT: "damaged",
    sqlite3.SQLITE_NOTADB: "damaged",
}

_OS_CODES = {
    errno.ENOSPC: "disk_full",
    errno.EDQUOT: "disk_full",
    errno.EROFS: "read_only",
    errno.EACCES: "cannot_open",
    errno.EPERM: "cannot_open",
    errno.ENOENT: "cannot_open",
    errno.ENOTDIR: "cannot_open",
}


def trouble(code: str) -> StorageError:
    """The error that stands for one of the codes above."""
    return StorageError(code, *_WORDS[code])


def from_sqlite(error: sqlite3.Error) -> StorageError | None:
    """What the error says about the disk; None where it is our own mistake."""
    number = getattr(error, "sqlite_errorcode", None)
    code = None if number is None else _SQLITE_CODES.get(number & _PRIMARY)
    return None if code is None else trouble(code)


def from_os(error: OSError) -> StorageError:
    """A failed file operation; whatever is not known better is an I/O error."""
    return trouble(_OS_CODES.get(error.errno or 0, "io_error"))


def refused(error: OSError, path: Path) -> KioskError:
    """As ``from_os``; where only a right of the caller's is missing, the disk is not to blame."""
    if not isinstance(error, PermissionError):
        return from_os(error)
    return OperatorError(
        "no_rights",
        f"This user has no right to use {path}.",
        "Use sudo; if that does not help, give the folder back to the station's user (chown).",
        path=path,
    )
