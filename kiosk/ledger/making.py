"""A new ledger: made whole under another name, then put in place in one rename."""

from __future__ import annotations

import os
import secrets
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from itertools import islice

from kiosk.core.effects import Item
from kiosk.core.entries import At, Genesis, LedgerPoint, Opening
from kiosk.ledger import projections, schema
from kiosk.ledger.database import connect_writer, told, transaction
from kiosk.ledger.errors import from_os
from kiosk.ledger.files import Folder, sync_folder, with_suffix
from kiosk.ledger.projections import DayOf
from kiosk.ledger.writing import append
from sync.signing import Signer

CHUNK = 500
"""Entries written in one transaction."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose ledger it is, and who signs it."""

    station: str
    city: str
    software: str
    signer: Signer


def make(
    folder: Folder,
    identity: Identity,
    openings: Mapping[str, Opening],
    continues: LedgerPoint | None,
    carried: Iterable[Item],
    *,
    at: At,
    day_of: DayOf,
) -> None:
    """Writes ``ledger.new``: genesis, then ``carried``. Nothing else in the folder is touched."""
    ledger = secrets.token_hex(16)
    genesis = Genesis(
        station=identity.station,
        city=identity.city,
        ledger=ledger,
        key=identity.signer.public_key.hex(),
        software=identity.software,
        continues=continues,
        opening=_with_bags(openings, ledger),
    )
    try:
        for path in (folder.making, with_suffix(folder.making, "-wal")):
            path.unlink(missing_ok=True)
        # Its owner's alone whatever the umask, as it holds pseudonyms; the -wal follows it.
        os.close(os.open(folder.making, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise from_os(error) from error
    items = iter([Item(genesis)])
    rest = iter(carried)
    head = (0, bytes(32))
    with closing(connect_writer(folder.making)) as db:
        with told():
            schema.bring_up_to_date(db)
        while chunk := [*items, *islice(rest, CHUNK)]:
            with transaction(db):
                if head[0] == 0:
                    db.execute("INSERT INTO projected VALUES (?)", (projections.PROJECTION,))
                head = append(
                    db,
                    chunk,
                    ledger=ledger,
                    head=head,
                    at=at,
                    signer=identity.signer,
                    day_of=day_of,
                )
        with told():
            checkpoint(db)


def put_in_place(folder: Folder) -> None:
    """``ledger.new`` becomes ``ledger.db``, after a power cut too."""
    try:
        folder.making.rename(folder.database)
        sync_folder(folder.path)
    except OSError as error:
        raise from_os(error) from error


def retire(folder: Folder, ledger: str) -> str:
    """Gives ``ledger.db`` and its -wal a second name, and takes the -wal from under the first.

    The new ledger may come in only then: SQLite would play an old -wal into it. Returns the name.
    """
    kept = folder.retired(ledger)
    try:
        for suffix in ("-wal", ""):
            source, target = (with_suffix(path, suffix) for path in (folder.database, kept))
            if source.exists() and not target.exists():
                os.link(source, target)
        sync_folder(folder.path)
        for suffix in ("-wal", "-shm"):
            with_suffix(folder.database, suffix).unlink(missing_ok=True)
        sync_folder(folder.path)
    except OSError as error:
        raise from_os(error) from error
    return kept.name


def retire_ack(folder: Folder, ledger: str) -> None:
    """Puts ``ack.json``, and the last one that agreed, beside the ledger that they are about."""
    last, own = folder.words_on(ledger)
    try:
        if folder.ack_own.exists():
            folder.ack_own.replace(own)
        if folder.ack.exists():
            folder.ack.replace(last)
            sync_folder(folder.path)
    except OSError as error:
        raise from_os(error) from error


def checkpoint(db: sqlite3.Connection) -> None:
    """Moves the -wal into the database and cuts it to nothing, as far as readers allow."""
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def _with_bags(openings: Mapping[str, Opening], ledger: str) -> dict[str, Opening]:
    """Every bag gets an identifier; the rules' own begin with a seq, and no seq is 0."""
    return {
        bin_id: Opening(opening.gross_g, opening.bag or f"{ledger[:10]}-0-{n}", opening.adjustment)
        for n, (bin_id, opening) in enumerate(sorted(openings.items()), start=1)
    }
