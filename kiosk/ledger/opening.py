"""Opening: go on with the ledger that is there, or begin one that continues it.

Theory: a ledger is one history under one key. Whatever says that ours is not the whole of it (the
city has signed more, or other things; the file does not prove itself; the key or the station is
another) ends it: the file stays to be read under another name, and a new ledger begins that says
where it continues. What goes along into it: ``carrying``.
A power cut at any point leaves a folder from which the next start does the same again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

from kiosk.core.canonical import NotCanonical, parse_canonical
from kiosk.core.chain import ZERO
from kiosk.core.effects import Item
from kiosk.core.entries import At, Genesis, LedgerPoint, Opening, ScaleBroken
from kiosk.core.errors import StorageError
from kiosk.core.standing import said_again
from kiosk.ledger import carrying, making, ordered, projections, rows, salvage, schema, stocked
from kiosk.ledger.books import Entry
from kiosk.ledger.database import connect_reader, connect_writer, told, transaction
from kiosk.ledger.files import Folder, with_suffix
from kiosk.ledger.making import Identity
from kiosk.ledger.projections import Counting, DayOf
from kiosk.ledger.rows import Row
from kiosk.ledger.salvage import Salvaged
from sync.messages import Ack, batch_message
from sync.signing import verify

TAIL = 2_000
"""Entries before the head whose chain is computed anew at every start (about 20 ms on a PC)."""

Reason = Literal[
    "ack_beyond_head",  # the city has signed more than we hold: this is a restored copy
    "head_differs",  # the city has signed another history
    "other_ledger",  # ack.json is about a ledger that this one does not continue
    "no_database",  # ack.json alone: a new card, or the file was lost
    "key_changed",  # the ledger was begun under another key
    "station_changed",  # the ledger is another station's or another city's
    "damaged",  # it does not prove itself
    "interrupted",  # a power cut in the middle of any of these
]


@dataclass(frozen=True, slots=True)
class TurnOver:
    """A ledger ended at this start and a new one continues it.

    ``kept`` is the old file's name (None where there was none), ``recovered`` counts the entries
    recorded anew, ``missing`` are the ranges of seq that nothing proves any more.
    """

    reason: Reason
    kept: str | None
    recovered: int
    missing: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Opened:
    """The ledger to go on with. ``ack`` is the city's word on this very ledger."""

    db: sqlite3.Connection
    genesis: Entry
    head: tuple[int, bytes]
    ack: Ack | None
    same_boot: bool
    turn_over: TurnOver | None


def open_ledger(
    folder: Folder,
    identity: Identity,
    ack: Ack | None,
    own_ack: Ack | None,
    openings: Mapping[str, Opening],
    items: Mapping[str, str],
    *,
    at: At,
    day_of: DayOf,
    counting: Counting | None = None,
) -> Opened:
    """Opens or begins the ledger; the caller holds the lock. Raises StorageError, OperatorError.

    ``ack`` the city's last word, ``own_ack`` the last one before it that agreed with the ledger;
    ``counting`` hears how far it is where the whole ledger is read.
    """
    turned = None
    same_boot = None
    half = folder.half_retired()
    reason: Reason | None
    if half is not None:
        reason = "interrupted"
    elif folder.database.exists():
        reason = _examine(folder, identity, ack)
    else:
        reason = None if ack is None else "no_database"
        if ack is None:
            making.make(folder, identity, openings, None, (), at=at, day_of=day_of)
            making.put_in_place(folder)
            same_boot = False
    if reason is not None:
        turned, same_boot = _turn_over(
            folder, identity, reason, half, ack, own_ack, openings, items, at=at, day_of=day_of
        )
        ack = None
    db = connect_writer(folder.database)
    try:
        return _opened(folder, db, ack, same_boot, turned, at, day_of, counting)
    except BaseException:  # whatever ends the opening: the folder must be free again
        db.close()
        raise


def _opened(
    folder: Folder,
    db: sqlite3.Connection,
    ack: Ack | None,
    same_boot: bool | None,
    turned: TurnOver | None,
    at: At,
    day_of: DayOf,
    counting: Counting | None,
) -> Opened:
    with told():
        genesis = _entry(db, 1)
        head = rows.head(db)
        last = _of_the_station(db, head[0])
        current = projections.is_current(db)
    if not current:
        with transaction(db):
            projections.rebuild(db, day_of, counting)
    if ack is not None and ack.ledger != genesis["ledger"]:
        # The word on the ledger before this one: a power cut kept it from going with it.
        making.retire_ack(folder, ack.ledger)
        ack = None
    if same_boot is None:
        same_boot = last["at"]["boot"] == at.boot
    return Opened(db, genesis, head, ack, same_boot, turned)


def _entry(db: sqlite3.Connection, seq: int) -> Entry:
    (body,) = db.execute("SELECT CAST(body AS BLOB) FROM ledger WHERE seq = ?", (seq,)).fetchone()
    entry: Entry = parse_canonical(body)
    return entry


def _of_the_station(db: sqlite3.Connection, seq: int) -> Entry:
    """The last entry that the station itself wrote, whose boot was its own: what a caretaker wrote down
    while it did not run says nothing of whether it ran since the power came."""
    last = _entry(db, seq)
    while last["kind"] in stocked.CARETAKERS_KINDS:
        seq -= 1
        last = _entry(db, seq)
    return last


def _examine(folder: Folder, identity: Identity, ack: Ack | None) -> Reason | None:
    """Why this ledger cannot go on; None where it can. Bounded: genesis, tail, head."""
    try:
        with closing(connect_writer(folder.database)) as db, told():
            schema.bring_up_to_date(db)
            return _verdict(db, identity, ack)
    except StorageError as error:
        if error.code != "damaged":
            raise
        return "damaged"


def _verdict(db: sqlite3.Connection, identity: Identity, ack: Ack | None) -> Reason | None:
    if not _has_tables(db) or not _tail_proves_itself(db):
        return "damaged"
    seq, head = rows.head(db)
    genesis = _entry(db, 1)
    if (genesis["station"], genesis["city"]) != (identity.station, identity.city):
        return "station_changed"
    key = identity.signer.public_key
    if genesis["key"] != key.hex():
        return "key_changed"
    if ack is not None and ack.ledger == genesis["ledger"]:
        if ack.seq > seq:
            return "ack_beyond_head"
        if rows.hash_at(db, ack.seq) != ack.head:
            return "head_differs"
    elif ack is not None:
        before = genesis["continues"]
        if before is None or before["ledger"] != ack.ledger:
            return "other_ledger"
    signed = db.execute(
        "SELECT last_seq, sig FROM batch_sig ORDER BY last_seq DESC LIMIT 1"
    ).fetchone()
    if signed is None or signed[0] != seq or not isinstance(signed[1], bytes):
        return "damaged"
    good = verify(key, signed[1], batch_message(genesis["ledger"], seq, head))
    return None if good else "damaged"


def _has_tables(db: sqlite3.Connection) -> bool:
    try:
        db.execute("SELECT 1 FROM ledger, batch_sig, seal, projected LIMIT 0")
    except sqlite3.OperationalError:
        return False
    return True


def _tail_proves_itself(db: sqlite3.Connection) -> bool:
    last, _ = rows.head(db)
    after = max(0, last - TAIL)
    before = rows.hash_at(db, after)
    if last == 0 or before is None:
        return False
    for expected, row in enumerate(rows.read(db, after, TAIL), start=after + 1):
        if row.seq != expected or not row.proves_itself(before):
            return False
        before = row.hash
    return _is_genesis(next(rows.read(db, 0, 1)))


def _is_genesis(row: Row) -> bool:
    if row.seq != 1 or row.body is None or not row.proves_itself(ZERO):
        return False
    try:
        entry = parse_canonical(row.body)
        msgspec.convert({key: entry[key] for key in entry if key not in ("seq", "at")}, Genesis)
    except (NotCanonical, TypeError, msgspec.ValidationError):
        return False
    return True


def _turn_over(
    folder: Folder,
    identity: Identity,
    reason: Reason,
    half: Path | None,
    ack: Ack | None,
    own_ack: Ack | None,
    openings: Mapping[str, Opening],
    items: Mapping[str, str],
    *,
    at: At,
    day_of: DayOf,
) -> tuple[TurnOver, bool]:
    """Ends the ledger that is there and begins the next; whether the old one was of this boot."""
    source = half or folder.database
    old = Salvaged()
    kept = None
    counted = 0
    if not source.exists():
        making.make(
            folder, identity, openings, _continues(reason, old, ack), (), at=at, day_of=day_of
        )
    else:
        with closing(_read_old(source)) as db:
            try:
                old = salvage.survey(db, ack)
            except sqlite3.DatabaseError:
                old = Salvaged()

            # Of an older ledger than the city's last word, which it had to the end, nothing is.
            recovered = (
                () if reason == "other_ledger" else carrying.recovered(db, old, ack, own_ack)
            )

            def carried() -> Iterator[Item]:
                nonlocal counted
                for book in old.books.values():
                    yield from carrying.scale(book, items)
                standing = ordered.read_ended(db)
                for order in said_again(standing):
                    yield Item(order)
                for bin_id, said_by in standing.full.items():
                    yield from carrying.full(old.books.get(bin_id), said_by, items)
                for bin_id in standing.broken:
                    yield Item(ScaleBroken(bin_id, True))
                yield from stocked.said_again(db)
                for item in recovered:
                    counted += 1
                    yield item

            making.make(
                folder,
                identity,
                carrying.openings(openings, old),
                _continues(reason, old, ack),
                carried(),
                at=at,
                day_of=day_of,
            )
        ledger = "unknown" if old.genesis is None else old.genesis["ledger"]
        kept = half.name if half is not None else making.retire(folder, ledger)
        if half is not None:
            for suffix in ("-wal", "-shm"):
                with_suffix(folder.database, suffix).unlink(missing_ok=True)
    making.put_in_place(folder)
    if ack is not None:
        making.retire_ack(folder, ack.ledger)
    if kept is not None:
        (folder.path / kept).chmod(0o400)
    return TurnOver(reason, kept, counted, old.missing), old.last_boot == at.boot


def _read_old(source: Path) -> sqlite3.Connection:
    """A connection that reads the old file; its -wal is moved into it first where that works."""
    try:
        with closing(connect_writer(source)) as db, told():
            making.checkpoint(db)
    except StorageError as error:
        if error.code != "damaged":
            raise
    return connect_reader(source)


def _continues(reason: Reason, old: Salvaged, ack: Ack | None) -> LedgerPoint | None:
    """The city's seq and head where they are beyond what we can prove, else our own."""
    seq, head = old.head
    if ack is not None and (
        old.genesis is None
        or reason in ("head_differs", "other_ledger")
        or ack.ledger != old.genesis["ledger"]
        or ack.seq > seq
    ):
        return LedgerPoint(ack.ledger, ack.seq, ack.head.hex())
    return None if old.genesis is None else LedgerPoint(old.genesis["ledger"], seq, head.hex())
