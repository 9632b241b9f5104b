"""The city hears which seals of ended ledgers were forgotten: a batch that it has, again, with ``unseals``.

Invariant: only a batch that the city has signed for leaves again, so that it can contradict nothing there;
and a ledger's seals count as told only by the city's signed word on that very ledger, which comes after
they left. That word cannot be an older one: it is waited for only once the ledger in use has a word of its
own, which has taken the retained place.

``ledger-ID.told`` says in which life of the city's database how many were told. More forgotten since, or
another life (its copy may be from before), and all are told again: at most UNSEALS_PER_BATCH at a time.
A ledger that no kept word of the city proves (a copy that went its own way, another key) is left out.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from kiosk.core.canonical import NotCanonical, parse_canonical
from kiosk.core.errors import OperatorError, StorageError
from kiosk.ledger import acks, batches, retired, rows
from kiosk.ledger.database import connect_reader, told
from kiosk.ledger.files import Folder, read_bounded, replace_file
from sync.messages import MAX_PLAIN_BYTES, Ack
from sync.signing import Signer

if TYPE_CHECKING:
    from kiosk.ledger.ledger import Progress

MAX_TOLD_BYTES = 64


@dataclass(frozen=True, slots=True)
class _Asked:
    """What left and is not answered: of the file's ``count`` forgotten seqs those beyond ``beyond``."""

    path: Path
    count: int
    beyond: int
    ledger: str = ""
    last: int = 0
    upto: int | None = None


class EndedSeals:
    """Any thread may call; each call is short."""

    def __init__(
        self,
        folder: Folder,
        signer: Signer,
        city_key: bytes | None,
        progress: Callable[[], Progress],
    ) -> None:
        """``progress`` of the ledger in use."""
        self._folder, self._signer, self._city_key = folder, signer, city_key
        self._progress = progress
        self._lock = threading.Lock()
        self._asked: _Asked | None = None
        self._settled: int | None = None
        """The epoch in which nothing is left to tell."""
        self._refused: set[Path] = set()
        """What the city would not take; the next start asks again."""

    def forget_due(self, today: int, link_days: int) -> int:
        """Forgets what is due, and so what is to be told: how many seals went. Raises StorageError."""
        gone = retired.forget_due(self._folder, today, link_days)
        if gone:
            with self._lock:
                self._settled = None
        return gone

    def batch(self) -> tuple[bytes, int] | None:
        """The message that tells the next of them, and its last seq; the same until it is answered. None
        where there is nothing to tell, or the city has not yet signed for the ledger in use."""
        progress = self._progress()
        epoch = progress.epoch
        if not progress.watermark:
            return None
        with self._lock:
            if self._settled == epoch:
                return None
            if self._asked is not None:
                return self._draw(self._asked, epoch)
            for path in self._folder.ended():
                if path in self._refused:
                    continue
                drawn = self._draw(_Asked(path, 0, 0), epoch)
                if drawn is not None:
                    return drawn
            self._settled = epoch
            return None

    def heard(self, ack: Ack) -> None:
        """The city's signed word on a ledger that is not in use. Raises StorageError."""
        epoch = self._progress().epoch
        with self._lock:
            asked = self._asked
            if asked is None or asked.ledger != ack.ledger or ack.epoch < epoch:
                return
            if ack.error is not None:
                self._refused.add(asked.path)
                self._asked = None
            elif ack.seq >= asked.last and asked.upto is not None:
                self._asked = replace(asked, beyond=asked.upto, upto=None)
            if self._asked is not None and not self._left(self._asked):
                replace_file(_mark(asked.path), f"{epoch} {asked.count}".encode())
                self._asked = None

    def _draw(self, asked: _Asked, epoch: int) -> tuple[bytes, int] | None:
        """The file may have been replaced since by one with more to tell: that comes in the next turn."""
        try:
            with told(), closing(connect_reader(asked.path, ended=True)) as db:
                (count,) = db.execute("SELECT count(*) FROM unseal").fetchone()
                if asked.count == 0 and (count == 0 or _said(asked.path) == f"{epoch} {count}"):
                    return None
                known = self._proven(db)
                if known is None:
                    return None
                gone = batches.gone(db, asked.beyond)
                drawn = batches.draw(
                    db, known.seq - 1, max_entries=1, max_bytes=MAX_PLAIN_BYTES, beside=gone
                )
        except (
            sqlite3.OperationalError,
            StorageError,
            OperatorError,
        ):  # kept for whoever can mend it
            self._asked = None
            return None
        if drawn is None or not gone:
            self._asked = None
            return None
        message, _ = batches.sign(drawn, known.ledger, self._signer)
        self._asked = _Asked(
            asked.path,
            asked.count or count,
            asked.beyond,
            known.ledger,
            drawn.last,
            gone[-1],
        )
        return message, drawn.last

    def _left(self, asked: _Asked) -> bool:
        with told(), closing(connect_reader(asked.path, ended=True)) as db:
            more = db.execute("SELECT 1 FROM unseal WHERE seq > ? LIMIT 1", (asked.beyond,))
            return more.fetchone() is not None

    def _proven(self, db: sqlite3.Connection) -> Ack | None:
        """The city's word on this very history, under the key that signs now."""
        first = next(rows.read(db, 0, 1), None)
        try:
            genesis = parse_canonical((first and first.body) or b"")
            ledger, key = genesis["ledger"], genesis["key"]
        except (NotCanonical, KeyError, TypeError):
            return None
        if key != self._signer.public_key.hex():
            return None
        for path in self._folder.words_on(ledger):
            ack = acks.signed(path, self._city_key)
            if ack is None or ack.ledger != ledger or ack.seq == 0:
                continue
            if rows.hash_at(db, ack.seq) == ack.head:
                return ack
        return None


def _mark(path: Path) -> Path:
    return path.with_suffix(".told")


def _said(path: Path) -> str:
    return (read_bounded(_mark(path), MAX_TOLD_BYTES) or b"").decode("ascii", "replace")
