"""Is this ledger the one that was written? Every way in which it is not, and what nobody can say.

What each check can know: digests and hashes find a changed, removed or exchanged entry; the
station's signatures a chain that was computed anew without its key; the genesis' key (against the
key file) one that was computed anew with another; the history itself one that cannot have been; and
the city's acknowledgement, which nobody at the station can sign, a tail cut or rewritten below it, even
with the station's own key. A deleted seal is no fault: that is how the station forgets.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from kiosk.core.canonical import NotCanonical, parse_canonical
from kiosk.core.chain import PSEUDONYM_BYTES, SALT_BYTES, ZERO, link, seal
from kiosk.core.errors import OperatorError, StorageError
from kiosk.ledger import rows
from kiosk.ledger.books import Entry, opening_books
from kiosk.ledger.files import read_bounded
from kiosk.ledger.finding import Finding, Unchecked, Verdict
from kiosk.ledger.history import History
from kiosk.ledger.reading import folder_at, reading
from kiosk.ledger.thinning import Thinning
from sync.messages import Ack, Malformed, ack_message, batch_message, decode_ack
from sync.messages.ack import MAX_ACK_BYTES
from sync.signing import verify as verify_signature

MAX_FINDINGS = 1_000
"""More are not told: the first says it already."""


def verify(
    path: Path,
    *,
    ack: Path | None = None,
    city_key: bytes | None = None,
    station_key: bytes | None = None,
) -> Verdict:
    """What is wrong with the ledger at ``path`` (a data folder or a database file), and what could not
    be checked.

    ``ack`` an acknowledgement of the city's, beside the folder's own. Without ``city_key`` its
    signature is not checked, without ``station_key`` the genesis' key is believed. Nothing is written.
    Raises OperatorError where there is no ledger at all, or no right to read it.
    """
    words = _Words(path, ack, city_key)
    reader = _Reader(words, station_key)
    findings: list[Finding] = []
    try:
        with reading(path) as db:
            # One by one: what was found before the file became unreadable counts.
            for finding in islice(reader.read(db), MAX_FINDINGS):
                findings.append(finding)
    except OperatorError as error:
        if error.code != "no_ledger" or not words.found:
            raise
        return Verdict((Finding("ledger_gone", values={"signed": words.newest_seq}),))
    except StorageError as error:
        findings.append(Finding("unreadable", values={"cause": error.code}))
    except sqlite3.Error:
        findings.append(Finding("unreadable", values={"cause": "foreign"}))
    return Verdict(tuple(findings), tuple(reader.unchecked()))


class _Words:
    """What the city has said: in the file that was named, and in the folder's own."""

    def __init__(self, path: Path, named: Path | None, city_key: bytes | None) -> None:
        folder = folder_at(path)
        own = None if folder is None else folder.ack
        self.city_key = city_key
        self.found: list[tuple[str, bytes]] = []
        """Names and contents; one that was copied counts once."""
        for file in (named, own):
            payload = None if file is None else read_bounded(file, MAX_ACK_BYTES)
            if file is None or payload is None or any(payload == one for _, one in self.found):
                continue
            self.found.append((file.name, payload))

    @property
    def newest_seq(self) -> int:
        """The furthest that any of them goes, whoever signed it."""
        return max((ack.seq for ack in self._said()), default=0)

    @property
    def older_named(self) -> bool:
        """Whether the first one says less than the folder's own."""
        said = self._said()
        return len(said) == 2 and said[0].ledger == said[1].ledger and said[0].seq < said[1].seq

    def _said(self) -> list[Ack]:
        return [ack for ack, _ in (_decoded(payload) for _, payload in self.found) if ack]


def _decoded(payload: bytes) -> tuple[Ack | None, bytes]:
    try:
        return decode_ack(payload)
    except Malformed:
        return None, b""


class _Reader:
    """One reading of a ledger's database."""

    def __init__(self, words: _Words, station_key: bytes | None) -> None:
        self._words = words
        self._station_key = station_key
        self._thinned = 0
        self._counted = False
        """Whether a word of the city's was about this ledger."""
        self._came_to_words = False

    def read(self, db: sqlite3.Connection) -> Iterator[Finding]:
        """Everything that is wrong."""
        genesis = _genesis(db)
        if genesis is None:
            yield Finding("no_genesis", 1)
        yield from self._chain(db)
        yield from _seals(db)
        if genesis is not None:
            key = bytes.fromhex(genesis["key"])
            if self._station_key not in (None, key):
                yield Finding("key_differs", 1)
            yield from _signatures(db, genesis["ledger"], self._station_key or key)
        self._came_to_words = True
        for name, payload in self._words.found:
            yield from self._acknowledgement(db, genesis, name, payload)

    def unchecked(self) -> Iterator[Unchecked]:
        """What nobody could have found here."""
        if not self._came_to_words:
            yield Unchecked("cut_short")
        elif not self._counted:
            yield Unchecked("no_ack")
        elif self._words.city_key is None:
            yield Unchecked("no_city_key")
        if self._words.older_named:
            yield Unchecked("ack_older")
        if self._station_key is None:
            yield Unchecked("no_station_key")
        if self._thinned:
            yield Unchecked("thinned", {"count": self._thinned})

    def _chain(self, db: sqlite3.Connection) -> Iterator[Finding]:
        expected, before = 1, ZERO
        history, thinning = History(), Thinning(db)
        for row in rows.read(db, 0, -1):
            if row.seq != expected:
                until = row.seq - 1
                case = "many" if until > expected else ""
                yield Finding("entry_missing", expected, case=case, values={"until": until})
                history.grams.lose()
            elif link(before, row.digest) != row.hash:
                yield Finding("chain_broken", row.seq)
            if row.body is None:
                thinning.gone(row.seq)
                history.grams.hole(row.seq)
            else:
                entry, found = history.read(row)
                yield from found
                if entry is not None:
                    yield from thinning.read(row.seq, entry)
            expected, before = row.seq + 1, row.hash
        self._thinned = thinning.count
        yield from thinning.judge()

    def _acknowledgement(
        self, db: sqlite3.Connection, genesis: Entry | None, name: str, payload: bytes
    ) -> Iterator[Finding]:
        ack, signature = _decoded(payload)
        if ack is None:
            yield Finding("ack_malformed", values={"file": name})
            return
        city_key = self._words.city_key
        if city_key is not None and not verify_signature(city_key, signature, ack_message(ack)):
            yield Finding("ack_bad_signature", values={"file": name})
            return
        if genesis is not None and ack.ledger != genesis["ledger"]:
            if (genesis["continues"] or {}).get("ledger") != ack.ledger:
                yield Finding("ack_other_ledger", values={"file": name})
            return
        self._counted = True
        head_seq, _ = rows.head(db)
        own = rows.hash_at(db, ack.seq)
        if ack.seq > head_seq:
            yield Finding("ack_beyond_head", head_seq, values={"signed": ack.seq})
        elif own is not None and own != ack.head:
            yield Finding("ack_head_differs", ack.seq)


def _genesis(db: sqlite3.Connection) -> dict[str, Any] | None:
    first = next(rows.read(db, 0, 1), None)
    if first is None or first.seq != 1 or first.body is None:
        return None
    try:
        entry = parse_canonical(first.body)
        bytes.fromhex(entry["key"])
        opening_books(entry)
        good = entry["kind"] == "genesis" and isinstance(entry["ledger"], str)
        good = good and (entry["continues"] is None or isinstance(entry["continues"], dict))
    except (NotCanonical, KeyError, TypeError, ValueError, AttributeError):
        return None
    return entry if good else None


def _seals(db: sqlite3.Connection) -> Iterator[Finding]:
    found = db.execute(
        "SELECT seal.seq, salt, pseudonym, ledger.seq, CAST(body AS BLOB)"
        " FROM seal LEFT JOIN ledger USING (seq)"
    )
    for seq, salt, pseudonym, there, body in found:
        thinned = there is not None and body is None
        if not thinned and not _opens(salt, pseudonym, body):
            yield Finding("seal_differs", seq)


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
            yield Finding("tail_cut", seq)
        elif own is not None and not (
            isinstance(signature, bytes)
            and verify_signature(key, signature, batch_message(ledger, seq, own))
        ):
            yield Finding("signature_bad", seq)
    if last_signed < head_seq:
        yield Finding("head_unsigned", head_seq)
