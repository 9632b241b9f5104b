"""The city's last signed acknowledgement, in ``ack.json`` beside the ledger.

It is the witness that the ledger itself cannot be: whoever changes the database cannot make the
city sign another head. Rules (contract, MQTT ``ack``): it counts only with the city's signature and
the station's own hash(seq); an older epoch never counts, a lower seq only with a newer epoch.

One that contradicts the ledger is kept too, as the next start goes by it, and then the last one that
counted stays beside it: up to there the city is known to hold the entries of this very ledger.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from kiosk.core.canonical import NotCanonical, parse_canonical
from kiosk.ledger import rows
from kiosk.ledger.files import Folder, read_bounded, replace_file
from kiosk.ledger.reading import reading
from sync.messages import Ack, verify_ack
from sync.messages.ack import MAX_ACK_BYTES

Reason = Literal[
    "bad_signature",  # not the city's, or no acknowledgement at all
    "no_city_key",  # the settings do not name the city's key, so nothing can be believed
    "other_ledger",  # of a ledger that ended, or of another station
    "old_epoch",  # from before the city's database was restored
    "old_seq",  # overtaken by a later one of the same epoch
    "unknown_seq",  # beyond our own head: we are a restored copy
    "head_differs",  # the city has another history under our name
]


@dataclass(frozen=True, slots=True)
class AckVerdict:
    """What an acknowledgement meant. ``reason`` None when it was accepted.

    ``restart`` says that the city has signed what this ledger does not hold: the process has to
    start anew, so that a new ledger continues from the city's word.
    """

    accepted: bool
    reason: Reason | None
    watermark: int
    epoch: int
    error_code: str | None = None
    error_seq: int | None = None
    restart: bool = False
    turn: int = 0


def refusal(ack: Ack, known: Ack | None, own_hash: Callable[[int], bytes | None]) -> Reason | None:
    """Why the city's signed word on this ledger does not count beside the one that does."""
    if known is not None and ack.epoch < known.epoch:
        return "old_epoch"
    if known is not None and ack.epoch == known.epoch and ack.seq < known.seq:
        return "old_seq"
    own = own_hash(ack.seq)
    if own is None:
        return "unknown_seq"
    return None if own == ack.head else "head_differs"


def take_at_rest(folder: Folder, payload: bytes, city_key: bytes | None) -> AckVerdict:
    """Takes the city's word while no station runs; the caller holds the ledger's lock.

    As a running one would: what contradicts the ledger is kept as well, for the next start to go by.
    Raises OperatorError where there is no ledger, StorageError.
    """
    known = kept_ack(folder, city_key)
    ack = read_ack(payload, city_key)
    reason: Reason | None
    with reading(folder.path) as db:
        if not isinstance(ack, Ack):
            reason = ack
        elif _ledger_id(db) != ack.ledger:
            reason = "other_ledger"
        else:
            own = known if known is not None and known.ledger == ack.ledger else None
            reason = refusal(ack, own, lambda seq: rows.hash_at(db, seq))
    if reason in ("unknown_seq", "head_differs"):
        keep_own(folder, known, city_key)
    if reason in (None, "unknown_seq", "head_differs"):
        replace_file(folder.ack, payload)
    counts = ack if reason is None and isinstance(ack, Ack) else known
    error = ack.error if isinstance(ack, Ack) else None
    return AckVerdict(
        accepted=reason is None,
        reason=reason,
        watermark=0 if counts is None else counts.seq,
        epoch=0 if counts is None else counts.epoch,
        error_code=None if error is None else error.code,
        error_seq=None if error is None else error.seq,
        restart=reason in ("unknown_seq", "head_differs"),
    )


def _ledger_id(db: sqlite3.Connection) -> str | None:
    first = next(rows.read(db, 0, 1), None)
    try:
        ledger = parse_canonical((first and first.body) or b"")["ledger"]
    except (NotCanonical, KeyError, TypeError):
        return None
    return ledger if isinstance(ledger, str) else None


def read_ack(payload: bytes, city_key: bytes | None) -> Ack | Reason:
    """The acknowledgement in ``payload`` if the city signed it, else why it does not count."""
    if city_key is None:
        return "no_city_key"
    return verify_ack(payload, city_key) or "bad_signature"


def kept_ack(folder: Folder, city_key: bytes | None) -> Ack | None:
    """What ``ack.json`` says; None where there is none that the city signed."""
    return signed(folder.ack, city_key)


def own_ack(folder: Folder, city_key: bytes | None) -> Ack | None:
    """The last acknowledgement that counted, where ``ack.json`` holds one that did not."""
    return signed(folder.ack_own, city_key)


def keep_own(folder: Folder, ack: Ack | None, city_key: bytes | None) -> None:
    """``ack`` counted, and a contradiction is about to take its place. Raises StorageError."""
    payload = read_bounded(folder.ack, MAX_ACK_BYTES)
    if payload is not None and ack is not None and read_ack(payload, city_key) == ack:
        replace_file(folder.ack_own, payload)


def signed(path: Path, city_key: bytes | None) -> Ack | None:
    """The acknowledgement in ``path``; None where there is none that the city signed."""
    payload = read_bounded(path, MAX_ACK_BYTES)
    if payload is None:
        return None
    ack = read_ack(payload, city_key)
    return ack if isinstance(ack, Ack) else None
