"""A message as it came, opened: all that can be known of it without the database."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sync.messages import Batch, Malformed, decode_batch, inflate
from sync.receiver.continuity import Whose
from sync.receiver.making import Made, make
from sync.receiver.writing import Loader

_TOPIC = re.compile(r"kiosk/v1/([a-z0-9-]{1,32})/([a-z0-9-]{1,32})/ledger")


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message as it came."""

    topic: str
    payload: bytes
    content_type: str | None = None


@dataclass(frozen=True, slots=True)
class Parcel:
    """A delivery and what is in it: a ``batch``, or why there is none."""

    delivery: Delivery
    whose: Whose | None
    plain: bytes = b""
    batch: Batch | None = None
    malformed: Malformed | None = None
    made: Made | None = None
    """Where the batch is all new."""


def is_batch(topic: str) -> bool:
    """Whether a message is for ``unpack``: what is on no topic of ours too, to be put aside."""
    return not topic.endswith(("/state", "/health", "/reply"))


def unpack(delivery: Delivery, loader: Loader) -> Parcel:
    """Whatever its bytes are, nothing is raised."""
    match = _TOPIC.fullmatch(delivery.topic)
    if match is None:
        return Parcel(delivery, None)
    whose = Whose(match[1], match[2])
    try:
        plain = inflate(delivery.content_type, delivery.payload)
        batch = decode_batch(plain)
    except Malformed as malformed:
        return Parcel(delivery, whose, malformed=malformed)
    made = make(loader, whose.city, whose.station, batch, batch.first - 1)
    return Parcel(delivery, whose, plain, batch, made=made)
