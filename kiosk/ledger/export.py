"""A ledger as JSON lines that a city can check and take in: the wire's batches (``sync.messages.carried``).

Only read, and signed anew: Ed25519 draws no lots, so a batch is the same bytes whichever way it goes. What
was forgotten since travels beside the batches as on the wire.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from kiosk.core.canonical import NotCanonical, parse_canonical
from kiosk.core.errors import OperatorError
from kiosk.ledger import acks, batches, rows
from kiosk.ledger.reading import folder_at, reading
from sync import stick
from sync.messages import MAX_ENTRIES, MAX_PLAIN_BYTES, Malformed, decode_batch, verify_batch
from sync.messages.carried import EXPORT, ExportHead, export_head, export_last, line_of
from sync.signing import Signer


@dataclass(frozen=True, slots=True)
class Written:
    """What stands on the medium: entries ``first`` to ``last`` (``first`` greater where there is none)."""

    file: Path
    first: int
    last: int
    length_bytes: int
    resumed: bool


@dataclass(frozen=True, slots=True)
class Export:
    """One snapshot of a ledger, about to be written as lines: what is beyond ``head.after``."""

    head: ExportHead
    last: int
    _db: sqlite3.Connection
    _signer: Signer

    @property
    def name(self) -> str:
        """The file's name on a stick."""
        return f"kiosk-{self.head.city}-{self.head.station}-{self.head.ledger[:12]}.jsonl"

    def lines(self) -> Iterator[bytes]:
        """The whole file. Raises StorageError where the ledger's own file is damaged."""
        yield line_of(self.head)
        yield from self._rest(self.head.after, 0)

    def write(self, target: Path) -> Written:
        """Writes the file ``target``, or one in the folder ``target``; goes on where a medium was pulled
        out half way. Raises OperatorError, StorageError."""
        path = stick.place(target, self.name)
        stick.refuse_anothers(path, self._ours)
        begun = self._begun(stick.part_of(path))
        lines = self.lines() if begun is None else self._rest(begun.last, begun.batches)
        keep = 0 if begun is None else begun.length_bytes
        length = stick.write(path, lines, ours=self._ours, keep=keep)
        first = (self.head.after if begun is None else begun.after) + 1
        return Written(path, first, self.last, length, begun is not None)

    def _rest(self, after: int, count: int) -> Iterator[bytes]:
        untold = batches.untold(self._db)
        while after < self.last:
            drawn = batches.draw(
                self._db,
                after,
                max_entries=min(MAX_ENTRIES, self.last - after),
                max_bytes=MAX_PLAIN_BYTES,
                beside=list(islice(untold, batches.UNSEALS_PER_BATCH)),
            )
            assert drawn is not None, "the snapshot holds entries up to its last"
            message, _ = batches.sign(drawn, self.head.ledger, self._signer)
            yield message + b"\n"
            after, count = drawn.last, count + 1
        yield export_last(count, self.last)

    def _ours(self, beginning: bytes) -> bool:
        """Whether a file's first line is that of an export of this very ledger."""
        try:
            head = export_head(beginning)
        except Malformed:
            return False
        own = self.head
        return (head.city, head.station, head.ledger) == (own.city, own.station, own.ledger)

    def _begun(self, part: Path) -> _Begun | None:
        """What of a file that was begun proves itself as ours, and so need not be written again."""
        if not part.exists():
            return None
        with part.open("rb") as file:
            try:
                head = export_head(file.readline(stick.READ_BYTES))
            except Malformed:
                return None
            if head.after > self.head.after:
                return None  # more is asked for now
            begun = _Begun(head.after, head.after, 0, file.tell())
            while (line := file.readline(MAX_PLAIN_BYTES + 1)).endswith(b"\n"):
                try:
                    batch = decode_batch(line[:-1])
                except Malformed:
                    break
                known = rows.hash_at(self._db, batch.last)
                if batch.first != begun.last + 1 or batch.head != known:
                    break
                if not verify_batch(batch, self._signer.public_key):
                    break
                begun = _Begun(head.after, batch.last, begun.batches + 1, file.tell())
        return begun if begun.batches else None


@dataclass(frozen=True, slots=True)
class _Begun:
    after: int
    last: int
    batches: int
    length_bytes: int


@contextmanager
def exporting(
    path: Path, signer: Signer, city_key: bytes | None, *, whole: bool
) -> Iterator[Export]:
    """The ledger at ``path``, a data folder or a file: ``whole``, or what the city has not signed for.

    ``signer`` the station's key, ``city_key`` None: nobody can have signed. Raises
    OperatorError, StorageError.
    """
    with reading(path) as db:
        genesis = _genesis(db)
        if genesis["key"] != signer.public_key.hex():
            raise OperatorError(
                "other_station_key",
                "The ledger was begun under another key than the station's.",
                "Start the station: it begins a new ledger that goes on from this one.",
            )
        folder = folder_at(path)
        ack = None if folder is None else acks.kept_ack(folder, city_key)
        agreed = (
            ack is not None
            and ack.ledger == genesis["ledger"]
            and rows.hash_at(db, ack.seq) == ack.head
        )
        watermark = ack.seq if ack is not None and agreed else 0
        last, _ = rows.head(db)
        head = ExportHead(
            EXPORT,
            genesis["city"],
            genesis["station"],
            genesis["ledger"],
            0 if whole else watermark,
        )
        yield Export(head, last, db, signer)


def _genesis(db: sqlite3.Connection) -> dict[str, str]:
    first = next(rows.read(db, 0, 1), None)
    try:
        genesis = parse_canonical((first and first.body) or b"")
        return {key: genesis[key] for key in ("ledger", "station", "city", "key")}
    except (NotCanonical, KeyError, TypeError):
        raise OperatorError(
            "no_genesis",
            "The ledger does not begin with a genesis.",
            "Look at it with kiosk ledger verify.",
        ) from None
