"""What the stories of the receiver's store share: sending into it, and looking into its tables."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sync_site import TOPIC, Book

from sync.messages import AckError
from sync.receiver.arriving import Delivery
from sync.receiver.reminders import Answer
from sync.receiver.store import take
from sync.receiver.verify import verify_all
from sync.signing import Signer

OTHER_KEY = Signer(b"some-other-key-of-the-tests-32-b")
NOW_MS = 1_000_000


def send(
    city: sa.Engine, *payloads: bytes, now_ms: int = NOW_MS, topic: str = TOPIC
) -> list[Answer]:
    return take(city, [Delivery(topic, payload) for payload in payloads], now_ms).answers


def rows(city: sa.Engine, query: str) -> list[tuple[Any, ...]]:
    with city.connect() as connection:
        return [tuple(row) for row in connection.execute(sa.text(query))]


def one(city: sa.Engine, query: str) -> Any:
    (row,) = rows(city, query)
    return row[0]


def stored(city: sa.Engine, book: Book) -> list[bytes]:
    query = f"SELECT body FROM entry WHERE ledger = '{book.ledger}' ORDER BY seq"
    return [body.encode() for (body,) in rows(city, query)]


def holds(city: sa.Engine) -> bool:
    with city.connect() as connection:
        return not any(each.faults for each in verify_all(connection))


def errors(answers: list[Answer]) -> list[AckError | None]:
    return [answer.ack.error for answer in answers]
