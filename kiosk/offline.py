"""What the files say of a station that does not run.

The reader becomes the station's user and holds the ledger's lock meanwhile: SQLite makes ``-wal``
and ``-shm`` beside the database even for reading, and these must be the station's own.
"""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from kiosk.core.errors import OperatorError
from kiosk.settings import Settings

TAIL_ENTRIES = 1000
"""So many last entries are checked against the chain; ``kiosk ledger verify`` checks all."""


@dataclass(frozen=True, slots=True)
class Books:
    """The ledger at rest. ``tail_good`` whether its last entries prove themselves."""

    head_seq: int
    watermark: int
    epoch: int
    tail_good: bool

    @property
    def queue(self) -> int:
        return max(0, self.head_seq - self.watermark)


def books(settings: Settings) -> Books | None:
    """The books in the files, None where there is no ledger yet.

    Raises OperatorError (the station runs after all, no rights) and StorageError.
    """
    from kiosk.ledger import acks
    from kiosk.ledger.errors import refused
    from kiosk.ledger.files import Folder, writers_lock

    become_owner(settings.paths.data)
    folder = Folder(settings.paths.data)
    try:
        if not folder.database.exists():
            return None
    except OSError as error:
        raise refused(error, folder.path) from error
    with writers_lock(folder.lock):
        ack = acks.kept_ack(folder, settings.city.key if settings.city else None)
        head_seq, tail_good = tail(folder.database)
    return Books(
        head_seq=head_seq,
        watermark=ack.seq if ack else 0,
        epoch=ack.epoch if ack else 0,
        tail_good=tail_good,
    )


def tail(database: Path) -> tuple[int, bool]:
    """The last seq, and whether the last entries are gapless and prove themselves."""
    from kiosk.ledger import rows
    from kiosk.ledger.reading import reading

    with reading(database) as db:
        head_seq, _ = rows.head(db)
        after = max(0, head_seq - TAIL_ENTRIES)
        prev = rows.hash_at(db, after)
        good, expected = prev is not None, after + 1
        for row in rows.read(db, after, TAIL_ENTRIES):
            good = good and row.seq == expected and prev is not None and row.proves_itself(prev)
            prev, expected = row.hash, expected + 1
        return head_seq, good and expected == head_seq + 1


def become_owner(folder: Path) -> None:
    """As root, become the user whose folder it is, for the rest of this process."""
    if os.geteuid() != 0:
        return
    try:
        owner = folder.stat()
    except OSError:
        return  # told by who reads there
    if owner.st_uid == 0:
        return
    try:
        name = pwd.getpwuid(owner.st_uid).pw_name
        groups = os.getgrouplist(name, owner.st_gid)
    except KeyError:
        groups = [owner.st_gid]
    try:
        os.setgroups(groups)
        os.setgid(owner.st_gid)
        os.setuid(owner.st_uid)
    except PermissionError as error:
        raise OperatorError(
            "no_rights",
            f"This user may not become the owner of {folder}.",
            "Run the command as the station's user.",
            path=folder,
        ) from error


@contextmanager
def as_owner(folder: Path) -> Iterator[None]:
    """As root, be the user whose folder it is inside the block alone: what SQLite makes in there is the
    station's own, and what comes after may go where that user may not write, as on a stick. For
    programs of one thread."""
    owner = folder.stat() if os.geteuid() == 0 and folder.exists() else None
    if owner is None or owner.st_uid == 0:
        yield
        return
    before = os.getegid()
    os.setegid(owner.st_gid)
    os.seteuid(owner.st_uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(before)


def owns(folder: Path) -> bool:
    """Whether this user is the station's own, who has to be able to open everything there."""
    try:
        return folder.stat().st_uid == os.geteuid()
    except OSError:
        return False
