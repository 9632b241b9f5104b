"""An export that was carried by hand, taken in as the wire's batches are: one after another, each in a
transaction of its own, verified, idempotent, forks and strangers set aside and told.

A file that does not join on is not parked: nothing else of it is on its way. What came before a torn
place counts, as each batch proves itself; that the file is not whole is said all the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import sqlalchemy as sa

from kiosk.core.errors import OperatorError
from sync import stick
from sync.messages import Malformed
from sync.messages.carried import MAX_BATCHES, MAX_LINE_BYTES, ends_of, export_end, export_head
from sync.receiver.arriving import Delivery
from sync.receiver.database import reading, utc_ms
from sync.receiver.store import take
from sync.receiver.tables import ledger

WORDS = {
    "torn": "the file is not whole: what came before the torn place is stored; export it again",
    "gap": "the file begins beyond what is stored here: take the answer back, and export again",
    "unknown_key": "the station is not registered with this key (kiosk-receiver station add)",
    "fork": "another history of this ledger is stored already; this one is set aside (quarantine)",
    "bad_signature": "the batch is not signed by the station; it is set aside (quarantine)",
    "other_station": "the ledger belongs to another station; the batch is set aside (quarantine)",
    "order": "the batches of the file do not follow one another",
}


@dataclass(slots=True)
class Imported:
    """What one file brought. ``error`` a code, None where all of it is stored."""

    file: str
    city: str
    station: str
    ledger: str
    watermark_before: int
    watermark: int
    batches: int = 0
    filled: int = 0
    """Texts and seals of entries that were stored without them."""
    error: str | None = None
    error_seq: int | None = None
    words: str | None = field(default=None)

    def fail(self, code: str, seq: int | None = None) -> Imported:
        self.error, self.error_seq = code, seq
        self.words = WORDS.get(code, "the file is damaged here; export it again")
        return self


def import_file(engine: sa.Engine, path: Path) -> Imported:
    """Stores what the export in ``path`` proves; OperatorError where it is no export."""
    try:
        file = stick.opened(path)
    except OSError as error:
        raise OperatorError(
            "file_unreadable",
            f"The file {path} cannot be read ({error.strerror}).",
            "Check its name, and the stick.",
        ) from error
    with file:
        try:
            head = export_head(file.readline(MAX_LINE_BYTES))
        except Malformed:
            raise OperatorError(
                "no_export",
                f"{path} is no export of a station's ledger.",
                "Take the file that kiosk ledger export --to wrote.",
            ) from None
        before = watermark_of(engine, head.ledger)
        found = Imported(path.name, head.city, head.station, head.ledger, before, before)
        return _batches(engine, file, found)


def watermark_of(engine: sa.Engine, name: str) -> int:
    with reading(engine) as connection:
        return connection.scalar(sa.select(ledger.c.watermark).where(ledger.c.ledger == name)) or 0


def _batches(engine: sa.Engine, file: BinaryIO, found: Imported) -> Imported:
    topic = f"kiosk/v1/{found.city}/{found.station}/ledger"
    expected: int | None = None
    for _ in range(MAX_BATCHES):
        line = file.readline(MAX_LINE_BYTES)
        if not line.endswith(b"\n"):
            return found.fail("torn")
        try:
            end = export_end(line)
            if end is not None:
                whole = end.batches == found.batches and not file.read(1)
                return found if whole else found.fail("torn")
            batch = ends_of(line)
        except Malformed as malformed:
            return found.fail(malformed.code)
        if batch.ledger != found.ledger or batch.first != (expected or batch.first):
            return found.fail("order", batch.first)
        if batch.first > found.watermark + 1:
            return found.fail("gap", batch.first)
        outcome = take(engine, [Delivery(topic, line[:-1])], utc_ms())
        found.filled += sum(one.texts + one.seals for one in outcome.healed)
        found.watermark = watermark_of(engine, found.ledger)
        if outcome.refusals:
            refused = outcome.refusals[0]
            return found.fail(refused.code, refused.seq)
        if batch.last > found.watermark:  # set aside without a word that a station would get
            return found.fail("quarantine", batch.first)
        found.batches += 1
        expected = batch.last + 1
    return found.fail("torn")
