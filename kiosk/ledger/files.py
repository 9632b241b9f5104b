"""The ledger's files, and how they are written so that a power cut leaves the old or the new.

::

    ledger.db           the ledger in use (with -wal and -shm beside it while open)
    ledger.new          one being made; of no worth until it is renamed
    ledger.lock         held by the one process that writes
    ack.json            the city's last signed acknowledgement of the ledger in use
    ack-own.json        where that one contradicts the ledger: the last one that did not
    ledger-ID.db        a ledger that ended, kept to be read; ID its first 12 hex digits, with -2,
                        -3 where a copy of the same one ended before
    ledger-ID.ack.json  the city's last word on it
    ledger-ID.ack-own.json  where that one contradicts it: the last one that did not
    ledger-ID.told      which of its forgotten seals the city has heard of
    ledger-ID.new       a copy of it without forgotten seals, about to take its place
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kiosk.core.errors import OperatorError
from kiosk.ledger.errors import from_os, refused
from sync.signing import write_durably

LOCK_POLL_S = 0.05
MAX_RETIRED = 1000
"""Ledgers that ended, kept in one folder; each is one restore or one broken card."""


class Folder:
    """The names in one data folder."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.database = path / "ledger.db"
        self.making = path / "ledger.new"
        self.lock = path / "ledger.lock"
        self.ack = path / "ack.json"
        self.ack_own = path / "ack-own.json"

    def retired(self, ledger: str) -> Path:
        """A free name for a ledger that ends; its first one again where that is the same file.

        The same file under both names means that a power cut stopped the turn-over half way.
        """
        for number in range(1, MAX_RETIRED):
            suffix = "" if number == 1 else f"-{number}"
            path = self.path / f"ledger-{ledger[:12]}{suffix}.db"
            if not path.exists() or (self.database.exists() and path.samefile(self.database)):
                return path
        raise OperatorError(
            "too_many_ledgers",
            f"The data folder holds {MAX_RETIRED} ledgers that ended.",
            "Move the ledger-*.db files to another disk.",
        )

    def ended(self) -> list[Path]:
        """The ledgers that ended, the last one written to first."""
        found = sorted(self.path.glob("ledger-*.db"))[:MAX_RETIRED]
        return sorted(found, key=lambda path: path.stat().st_mtime_ns, reverse=True)

    def words_on(self, ledger: str) -> tuple[Path, Path]:
        """Where the city's last words on a ledger that ended are kept."""
        stem = f"ledger-{ledger[:12]}"
        return self.path / f"{stem}.ack.json", self.path / f"{stem}.ack-own.json"

    def half_retired(self) -> Path | None:
        """The second name of the ledger in use, left by a turn-over that a power cut stopped."""
        if not self.database.exists():
            return None
        for path in sorted(self.path.glob("ledger-*.db"))[:MAX_RETIRED]:
            if path.samefile(self.database):
                return path
        return None


def with_suffix(path: Path, suffix: str) -> Path:
    """SQLite's companion file of ``path``: ``-wal`` or ``-shm`` at the whole name's end."""
    return path.with_name(path.name + suffix)


def sync_folder(path: Path) -> None:
    """Makes names in a folder durable: renames and links count only after this."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def replace_file(path: Path, data: bytes) -> None:
    """Replaces ``path`` so that a power cut leaves the old or the new. Raises StorageError."""
    try:
        write_durably(path, data)
    except OSError as error:
        raise from_os(error) from error


def read_bounded(path: Path, limit: int) -> bytes | None:
    """The file's bytes; None where there is none. One more than ``limit`` says it is longer.

    Raises OperatorError without the right to read it, StorageError.
    """
    try:
        with path.open("rb") as file:
            return file.read(limit + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise refused(error, path) from error


@contextmanager
def writers_lock(path: Path, patience_s: float = 0.0) -> Iterator[None]:
    """Holds the ledger for this process; the kernel lets go when the process ends, however it does.

    ``patience_s`` how long another one that holds it is waited for. Raises OperatorError where it holds
    it longer or a right is missing, StorageError where the file cannot be made.
    """
    try:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise refused(error, path) from error
    try:
        until_s = time.monotonic() + patience_s
        while not _locked(fd):
            if time.monotonic() >= until_s:
                raise OperatorError(
                    "already_running",
                    "The station is already running and holds the ledger.",
                    "Stop the other one first (systemctl stop kiosk-station).",
                )
            time.sleep(LOCK_POLL_S)
        yield
    finally:
        os.close(fd)


def _locked(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
