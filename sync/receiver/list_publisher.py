"""Publishes the signed lists of cards, retained, to every station of their city, a few messages at a time.

Whole lists are large and stations many, so nothing is queued: LIMIT messages wait for their PUBACK, and
acknowledgements of ledgers go between them. A broker that was started anew has forgotten everything, and
nobody tells it from one that was not: after each new connection all is published again. Several receivers
publish the same bytes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import sqlalchemy as sa

from sync.receiver import card_lists
from sync.receiver.card_lists import Signed
from sync.receiver.database import reading
from sync.receiver.tables import station_key

LIMIT = 8
"""Messages on their way to the broker."""

Publish = Callable[[str, bytes, str], int]
"""Topic, payload, content type; the message's number."""


class ListPublisher:
    """What each station was told since the connection began."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._told: dict[tuple[str, str, str], Signed] = {}
        self._due: deque[tuple[str, str, str]] = deque()  # city, station, topic below it
        self._waiting: set[int] = set()

    def begin(self) -> None:
        """A new connection."""
        self._told.clear()
        self._due.clear()
        self._waiting.clear()

    def taken(self, mid: int) -> None:
        """The broker has it, or refuses it: then the next connection tries again."""
        self._waiting.discard(mid)

    def look(self) -> None:
        """Find what is new; called every second or so."""
        if self._due:
            return
        with reading(self._engine) as connection:
            stations = connection.execute(
                sa.select(station_key.c.city, station_key.c.station)
                .where(station_key.c.revoked_ms.is_(None))
                .distinct()
                .order_by(station_key.c.city, station_key.c.station)
            ).all()
            for signed in card_lists.signed(connection):
                for city, station in stations:
                    if city == signed.city:
                        self._plan(connection, station, signed)

    def _plan(self, connection: sa.Connection, station: str, signed: Signed) -> None:
        whose = (signed.city, station, signed.name)
        before = self._told.get(whose)
        if before == signed:
            return
        self._told[whose] = signed
        topics = [f"{signed.name}/delta"]
        if before is None or (before.base, before.word.epoch) != (signed.base, signed.word.epoch):
            topics = card_lists.topics(connection, signed.city, signed.name) + topics
        self._due.extend((signed.city, station, topic) for topic in topics)

    def step(self, publish: Publish) -> None:
        """Publish as much as may be on its way."""
        if not self._due or len(self._waiting) >= LIMIT:
            return
        with reading(self._engine) as connection:
            while self._due and len(self._waiting) < LIMIT:
                city, station, topic = self._due.popleft()
                content_type, payload = card_lists.message(connection, city, topic)
                number = publish(f"kiosk/v1/{city}/{station}/{topic}", payload, content_type)
                self._waiting.add(number)
