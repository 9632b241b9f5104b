"""Is this ledger the one that was written? Every way in which it is not, as findings.

What each check can know: digests and hashes find a changed, removed or exchanged entry; the
station's signatures a chain that was computed anew without its key; the genesis' key (against the
key file) one that was computed anew with another; and the city's acknowledgement, which nobody at
the station can sign, a tail cut or rewritten below it, even with the station's own key. A deleted
seal is no fault: that is how the station forgets.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from kiosk.core.canonical import NotCanonical, parse_canonical
from kiosk.core.chain import PSEUDONYM_BYTES, SALT_BYTES, ZERO, digest, link, seal
from kiosk.core.errors import StorageError
from kiosk.core.memory import BinBook
from kiosk.ledger import rows
from kiosk.ledger.books import GRAM_KINDS, Entry, fault, moved, opening_books
from kiosk.ledger.files import Folder, read_bounded
from kiosk.ledger.reading import reading
from kiosk.ledger.rows import Row
from sync.messages import Malformed, ack_message, batch_message, decode_ack
from sync.messages.ack import MAX_ACK_BYTES
from sync.signing import verify as verify_signature

MAX_FINDINGS = 1_000
"""More are not told: the first says it already."""

Code = Literal[
    "unreadable",  # SQLite cannot read the file, or a part of it
    "no_genesis",  # nothing, or something else, stands at seq 1
    "entry_missing",
    "body_changed",  # a body is not the one of its digest
    "not_canonical",  # a body's text is not the canonical one of an entry
    "seq_differs",  # a body stands in another's place
    "chain_broken",  # a hash does not follow from the one before it
    "books_broken",  # grams were lost or invented between two entries of a bin
    "key_differs",  # the ledger was begun under another key than the station's
    "signature_bad",
    "head_unsigned",  # the last entry has no signature: the tail was cut or added
    "tail_cut",  # the station signed more than there is
    "seal_differs",  # a seal's row does not open the seal of its entry
    "ack_malformed",
    "ack_bad_signature",
    "ack_other_ledger",
    "ack_beyond_head",  # the city has signed more than there is
    "ack_head_differs",  # the city has signed another history
]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong; ``seq`` where it is, None for the ledger as a whole."""

    code: Code
    seq: int | None
    words: str


def verify(
    path: Path,
    *,
    ack: Path | None = None,
    city_key: bytes | None = None,
    station_key: bytes | None = None,
) -> list[Finding]:
    """What is wrong with the ledger at ``path`` (a data folder or a database file); empty is well.

    ``ack`` the city's acknowledgement; in a data folder its own where none is given. Without
    ``city_key`` its signature is not checked, without ``station_key`` the genesis' key is believed.
    Nothing is written. Raises OperatorError where there is no ledger at all.
    """
    if ack is None and path.is_dir() and Folder(path).ack.exists():
        ack = Folder(path).ack
    findings: list[Finding] = []
    try:
        with reading(path) as db:
            found = _findings(db, ack, city_key, station_key)
            # One by one: what was found before the file became unreadable counts.
            for finding in islice(found, MAX_FINDINGS):
                findings.append(finding)
    except StorageError as error:
        findings.append(Finding("unreadable", None, error.what))
    except sqlite3.Error as error:
        findings.append(Finding("unreadable", None, f"No ledger's database: {error}."))
    return findings


def _findings(
    db: sqlite3.Connection, ack: Path | None, city_key: bytes | None, station_key: bytes | None
) -> Iterator[Finding]:
    genesis = _genesis(db)
    if genesis is None:
        yield Finding("no_genesis", 1, "The first entry is no genesis.")
    yield from _chain(db)
    yield from _seals(db)
    if genesis is not None:
        key = bytes.fromhex(genesis["key"])
        if station_key not in (None, key):
            yield Finding("key_differs", 1, "The ledger was begun under another key.")
        yield from _signatures(db, genesis["ledger"], station_key or key)
    if ack is not None:
        yield from _acknowledgement(db, genesis, ack, city_key)


def _genesis(db: sqlite3.Connection) -> dict[str, Any] | None:
    first = next(rows.read(db, 0, 1), None)
    if first is None or first.seq != 1 or first.body is None:
        return None
    try:
        entry = parse_canonical(first.body)
        bytes.fromhex(entry["key"])
        opening_books(entry)
        good = entry["kind"] == "genesis" and isinstance(entry["ledger"], str)
    except (NotCanonical, KeyError, TypeError, ValueError, AttributeError):
        return None
    return entry if good else None


def _chain(db: sqlite3.Connection) -> Iterator[Finding]:
    expected, before = 1, ZERO
    books: dict[str, BinBook] = {}
    for row in rows.read(db, 0, -1):
        if row.seq != expected:
            until = row.seq - 1
            words = f"Entries {expected} to {until} are missing."
            if until == expected:
                words = f"Entry {expected} is missing."
            yield Finding("entry_missing", expected, words)
            # What went with them is not known: the books begin anew.
            books.clear()
        elif link(before, row.digest) != row.hash:
            yield Finding(
                "chain_broken",
                row.seq,
                f"Entry {row.seq} does not follow from the one before.",
            )
        yield from _body(row, books)
        expected, before = row.seq + 1, row.hash


def _body(row: Row, books: dict[str, BinBook]) -> Iterator[Finding]:
    if row.body is None:
        books.clear()
        return
    if digest(row.body) != row.digest:
        yield Finding("body_changed", row.seq, f"The text of entry {row.seq} was changed.")
        return
    try:
        entry = parse_canonical(row.body)
        kind, seq = entry["kind"], entry["seq"]
    except (NotCanonical, KeyError, TypeError):
        yield Finding("not_canonical", row.seq, f"The text of entry {row.seq} is no entry's.")
        return
    if seq != row.seq:
        yield Finding("seq_differs", row.seq, f"Entry {seq} stands in the place of {row.seq}.")
    try:
        if kind == "genesis":
            books.update(opening_books(entry))
        elif kind in GRAM_KINDS:
            yield from _grams(row.seq, entry, books)
    except (KeyError, TypeError, AttributeError):
        yield Finding("not_canonical", row.seq, f"Entry {row.seq} lacks what its kind needs.")


def _grams(seq: int, entry: Entry, books: dict[str, BinBook]) -> Iterator[Finding]:
    book = books.get(entry["bin"])
    broken = None if book is None else fault(book, entry)
    if broken is not None:
        yield Finding("books_broken", seq, f"Entry {seq} at bin {entry['bin']}: {broken}.")
    books[entry["bin"]] = moved(book, entry)


def _seals(db: sqlite3.Connection) -> Iterator[Finding]:
    found = db.execute(
        "SELECT seq, salt, pseudonym, CAST(body AS BLOB) FROM seal LEFT JOIN ledger USING (seq)"
    )
    for seq, salt, pseudonym, body in found:
        if not _opens(salt, pseudonym, body):
            yield Finding("seal_differs", seq, f"The seal kept for entry {seq} is not the entry's.")


def _opens(salt: object, pseudonym: object, body: bytes | None) -> bool:
    if not isinstance(salt, bytes) or not isinstance(pseudonym, bytes) or body is None:
        return False
    if (len(salt), len(pseudonym)) != (SALT_BYTES, PSEUDONYM_BYTES):
        return False
    try:
        entry = parse_canonical(body)
    except NotCanonical:
        return False
    return isinstance(entry, dict) and entry.get("seal") == seal(salt, pseudonym).hex()


def _signatures(db: sqlite3.Connection, ledger: str, key: bytes) -> Iterator[Finding]:
    head_seq, _ = rows.head(db)
    last_signed = 0
    for seq, signature in db.execute("SELECT last_seq, sig FROM batch_sig ORDER BY last_seq"):
        last_signed = seq
        own = rows.hash_at(db, seq)
        if seq > head_seq:
            yield Finding("tail_cut", seq, f"The station signed entry {seq}; it is not there.")
        elif (
            own is not None
            and isinstance(signature, bytes)
            and not verify_signature(key, signature, batch_message(ledger, seq, own))
        ):
            yield Finding(
                "signature_bad", seq, f"The signature at entry {seq} is not the station's."
            )
    if last_signed < head_seq:
        yield Finding("head_unsigned", head_seq, f"The last entry, {head_seq}, is not signed.")


def _acknowledgement(
    db: sqlite3.Connection, genesis: Entry | None, path: Path, city_key: bytes | None
) -> Iterator[Finding]:
    payload = read_bounded(path, MAX_ACK_BYTES)
    try:
        ack, signature = decode_ack(payload or b"")
    except Malformed:
        yield Finding("ack_malformed", None, f"{path.name} is no acknowledgement of a city.")
        return
    if city_key is not None and not verify_signature(city_key, signature, ack_message(ack)):
        yield Finding("ack_bad_signature", None, "The acknowledgement is not signed by the city.")
        return
    if genesis is not None and ack.ledger != genesis["ledger"]:
        before = genesis["continues"]
        if before is None or before["ledger"] != ack.ledger:
            yield Finding(
                "ack_other_ledger", None, "The city's acknowledgement is about another ledger."
            )
        return
    head_seq, _ = rows.head(db)
    own = rows.hash_at(db, ack.seq)
    if ack.seq > head_seq:
        yield Finding(
            "ack_beyond_head",
            head_seq,
            f"The city keeps entries up to {ack.seq}, the station only up to {head_seq}.",
        )
    elif own is not None and own != ack.head:
        yield Finding(
            "ack_head_differs",
            ack.seq,
            f"The city keeps another history up to entry {ack.seq}.",
        )
