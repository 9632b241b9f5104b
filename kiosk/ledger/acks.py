"""The city's last signed acknowledgement, in ``ack.json`` beside the ledger.

It is the witness that the ledger itself cannot be: whoever changes the database cannot make the
city sign another head. Rules (contract, MQTT ``ack``): it counts only with the city's signature and
the station's own hash(seq); an older epoch never counts, a lower seq only with a newer epoch.

One that contradicts the ledger is kept too, as the next start goes by it, and then the last one that
counted stays beside it: up to there the city is known to hold the entries of this very ledger.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from kiosk.ledger.files import Folder, read_bounded, replace_file
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


def read_ack(payload: bytes, city_key: bytes | None) -> Ack | Reason:
    """The acknowledgement in ``payload`` if the city signed it, else why it does not count."""
    if city_key is None:
        return "no_city_key"
    return verify_ack(payload, city_key) or "bad_signature"


def kept_ack(folder: Folder, city_key: bytes | None) -> Ack | None:
    """What ``ack.json`` says; None where there is none that the city signed."""
    return _signed(folder.ack, city_key)


def own_ack(folder: Folder, city_key: bytes | None) -> Ack | None:
    """The last acknowledgement that counted, where ``ack.json`` holds one that did not."""
    return _signed(folder.ack_own, city_key)


def keep_own(folder: Folder, ack: Ack | None, city_key: bytes | None) -> None:
    """``ack`` counted, and a contradiction is about to take its place. Raises StorageError."""
    payload = read_bounded(folder.ack, MAX_ACK_BYTES)
    if payload is not None and ack is not None and read_ack(payload, city_key) == ack:
        replace_file(folder.ack_own, payload)


def _signed(path: Path, city_key: bytes | None) -> Ack | None:
    payload = read_bounded(path, MAX_ACK_BYTES)
    if payload is None:
        return None
    ack = read_ack(payload, city_key)
    return ack if isinstance(ack, Ack) else None
