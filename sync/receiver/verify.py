"""Reading everything stored again: digests, chains, signatures, seals, watermarks, projections.

The chain vouches for ``entry``; the rows that the views read are made anew from the bodies and
compared, so that nobody moves grams from one station or bin to another without being seen. The
grams themselves go on where the bin's entry before left them. Only a station thins bodies away, and
only behind a snapshot; the city never does, so a row that has kept its kind has lost its body here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa

from kiosk.core import chain
from kiosk.core.canonical import NotCanonical
from kiosk.core.conserving import GRAM_KINDS, Conservation
from sync.messages import batch_message
from sync.messages.bodies import Known, Value, field, read_bodies
from sync.receiver.projections import Row, Rows
from sync.receiver.tables import anchor, batch_sig, bin_change, entry, ledger, opening, seal
from sync.signing import verify

AT_ONCE = 1000
"""Rows in memory at a time."""
MAX_FAULTS = 100
"""Faults told of one ledger."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that does not hold."""

    seq: int
    code: str


@dataclass(frozen=True, slots=True)
class Checked:
    """One ledger, read again."""

    ledger: str
    station: str
    entries: int
    head: bytes
    faults: tuple[Fault, ...]
    fork_seq: int | None = None  # another history was offered from here on; not a fault of ours


def verify_all(connection: sa.Connection) -> list[Checked]:
    """Every stored ledger."""
    known = list(connection.execute(sa.select(ledger).order_by(ledger.c.ledger)))
    names = {row.ledger for row in known}
    checked = [_verify(connection, row) for row in known]
    strays = sa.select(entry.c.ledger).distinct().where(entry.c.ledger.not_in(names))
    for name in connection.scalars(strays):
        checked.append(Checked(name, "", 0, chain.ZERO, (Fault(0, "unknown_ledger"),)))
    return checked


def _verify(connection: sa.Connection, row: sa.Row[tuple[object, ...]]) -> Checked:
    reader = _Reader(connection, row)
    query = (
        sa.select(*(entry.c[name] for name in _Stored._fields))
        .where(entry.c.ledger == row.ledger)
        .order_by(entry.c.seq)
    )
    streamed = connection.execution_options(yield_per=AT_ONCE).execute(query)
    for block in streamed.partitions():
        reader.read([_Stored._make(each) for each in block])
        if len(reader.faults) >= MAX_FAULTS:
            streamed.close()
            break
    else:
        reader.end()
    faults = tuple(reader.faults[:MAX_FAULTS])
    return Checked(row.ledger, row.station, reader.count, reader.before, faults, row.fork_seq)


class _Stored(NamedTuple):
    """A row of ``entry``."""

    ledger: str
    seq: int
    station: str
    kind: str | None
    body: str | None
    digest: bytes
    hash: bytes


class _Reader:
    """One ledger, a block of its rows at a time, and what has to stand beside each."""

    def __init__(self, connection: sa.Connection, row: Any) -> None:
        self.faults: list[Fault] = []
        self.count = 0
        self.before = chain.ZERO
        self._connection = connection
        self._row = row
        self._said = _Said()
        self._opened: set[Row] = set()

    def read(self, block: Sequence[_Stored]) -> None:
        """The next rows of ``entry``."""
        first, last = self.count + 1, block[-1].seq
        signed = self._beside(batch_sig, batch_sig.c.last_seq, first, last, 1)
        signatures: dict[int, bytes] = dict(signed)
        seals = {
            seq: chain.seal(salt, name).hex()
            for seq, salt, name in self._beside(seal, seal.c.seq, first, last, 1)
        }
        values, made = _values(block), Rows()
        for stored, value in zip(block, values, strict=True):
            self._link(stored, signatures.pop(stored.seq, None))
            opened = seals.pop(stored.seq, None)
            if opened is not None and (isinstance(value, str) or field(value, "seal") != opened):
                self._fault(stored.seq, "seal")
            if stored.body is None:
                self.faults += self._said.gone(stored)
            elif isinstance(value, str):
                self._said.grams.hole(stored.seq)
                self._fault(stored.seq, value)
            else:
                self._body(stored, value, made)
        self._compare(bin_change, made.bin_change, first, last)
        self._compare(anchor, made.anchor, first, last)
        self._opened.update(made.opening)
        for seq in (*signatures, *seals):  # of entries that are not there
            self._fault(seq, "stray")

    def end(self) -> None:
        """After the last row."""
        self.faults += self._said.unbacked()
        if (self.count, self.before) != (self._row.watermark, self._row.head):
            self._fault(self._row.watermark, "watermark")
        for table, seq in ((bin_change, bin_change.c.seq), (anchor, anchor.c.seq)):
            beyond = sa.select(sa.func.min(seq)).where(
                table.c.ledger == self._row.ledger, seq > self.count
            )
            if (found := self._connection.scalar(beyond)) is not None:
                self._fault(found, "projection")
        mine = sa.select(opening).where(opening.c.ledger == self._row.ledger)
        if {tuple(each) for each in self._connection.execute(mine)} != self._opened:
            self._fault(1, "projection")

    def _link(self, stored: _Stored, signature: bytes | None) -> None:
        self.count += 1
        if stored.seq != self.count:
            self._fault(self.count, "missing")
            self.count = stored.seq
            self._said.grams.lose()
        self.before = chain.link(self.before, stored.digest)
        if self.before != stored.hash:
            self._fault(stored.seq, "chain")
            self.before = stored.hash
        if stored.station != self._row.station:
            self._fault(stored.seq, "columns")
        key = self._row.public_key
        if signature is None:
            if stored.seq == self._row.watermark:
                self._fault(stored.seq, "unsigned")
            return
        message = batch_message(self._row.ledger, stored.seq, stored.hash)
        if key is None or not verify(key, signature, message):
            self._fault(stored.seq, "signature")

    def _body(self, stored: _Stored, value: Value, made: Rows) -> None:
        if (field(value, "seq"), field(value, "kind")) != (stored.seq, stored.kind):
            self._fault(stored.seq, "columns")
        counted = len(made.bin_change)
        made.add_all(stored.ledger, stored.seq, [value])
        self.faults += self._said.read(stored.seq, value, made, len(made.bin_change) > counted)

    def _compare(self, table: sa.Table, made: list[Row], first: int, last: int) -> None:
        wanted = {row[1]: row for row in made}
        found = {row[1]: row for row in self._beside(table, table.c.seq, first, last, 0)}
        if wanted != found:
            for seq in sorted(wanted.keys() | found.keys()):
                if wanted.get(seq) != found.get(seq):
                    self._fault(seq, "projection")

    def _beside(
        self, table: sa.Table, seq: sa.Column[int], first: int, last: int, skip: int
    ) -> list[Row]:
        """Rows of another table for these seqs, without their first ``skip`` columns."""
        query = sa.select(*list(table.columns)[skip:]).where(
            table.c.ledger == self._row.ledger, seq.between(first, last)
        )
        return [tuple(each) for each in self._connection.execute(query)]

    def _fault(self, seq: int, code: str) -> None:
        self.faults.append(Fault(seq, code))


class _Said:
    """What the entries have said so far."""

    def __init__(self) -> None:
        self.grams = Conservation()
        self._gone: list[int] = []
        self._covered = 0
        """Up to here a snapshot of the station's stands for what it thinned away."""

    def gone(self, stored: _Stored) -> list[Fault]:
        """A row without a body."""
        self.grams.hole(stored.seq)
        if stored.kind is not None or stored.seq == 1:
            return [Fault(stored.seq, "thinned")]
        self._gone.append(stored.seq)
        return []

    def read(self, seq: int, value: Value, made: Rows, counted: bool) -> list[Fault]:
        """A row with one, and whether the city counts it among the bins' changes."""
        kind = field(value, "kind")
        if kind == "genesis" and made.opening:
            self.grams.open(value)
        elif kind == "snapshot" and isinstance(of := field(value, "of"), int):
            self._covered = max(self._covered, min(of, seq - 1))
        elif kind in GRAM_KINDS:
            return self._weigh(seq, value, counted)
        return []

    def _weigh(self, seq: int, value: Value, counted: bool) -> list[Fault]:
        if isinstance(value, Known):
            value = {"kind": value.kind, **msgspec.structs.asdict(value)}
        try:
            if counted or value["kind"] == "adjustment":
                return [Fault(seq, "books")] if self.grams.see(seq, value) else []
        except (KeyError, TypeError):
            pass  # of no shape that the city counts, like the ones below
        self.grams.hole(seq)
        return []

    def unbacked(self) -> list[Fault]:
        """What was thinned away and no snapshot stands for."""
        gone = [seq for seq in self._gone if seq > self._covered]
        return [Fault(seq, "thinned") for seq in gone[:MAX_FAULTS]]


def _values(block: Sequence[_Stored]) -> list[Value]:
    """For each row the value of its body, or the code of what is wrong with it; None without one."""
    texts = [None if stored.body is None else stored.body.encode() for stored in block]
    good = [
        text is not None and chain.digest(text) == stored.digest
        for text, stored in zip(texts, block, strict=True)
    ]
    read = iter(_read([text for text, well in zip(texts, good, strict=True) if text and well]))
    return [
        None if text is None else next(read) if well else "digest"
        for text, well in zip(texts, good, strict=True)
    ]


def _read(texts: list[bytes]) -> list[Value]:
    try:
        values = read_bodies(texts)
    except NotCanonical:
        values = [_read_one(text) for text in texts]
    return [value if isinstance(value, Known | dict) else "body" for value in values]


def _read_one(text: bytes) -> Value:
    try:
        return read_bodies([text])[0]
    except NotCanonical:
        return None
