"""Publishes each city's catalogue and tariff, retained, on the topics that all its stations hear.

As with the lists of cards: a broker that was started anew has forgotten everything and looks like one that
has not, so all is published again after each connection. What is in force at the city moves with the
clock, and the message with it: words that no station needs any more leave it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import sqlalchemy as sa

from sync.receiver import town_words
from sync.receiver.database import reading

Publish = Callable[[str, bytes, str], int]
"""Topic, payload, content type; the message's number."""


class TownPublisher:
    """What the broker was told since the connection began."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._told: dict[str, bytes] = {}

    def begin(self) -> None:
        """A new connection."""
        self._told.clear()

    def look(self, publish: Publish, now_ms: int) -> None:
        """Publish what is new; called every second or so. Two small messages a city."""
        with reading(self._engine) as connection:
            for city in town_words.cities(connection):
                for kind, content_type, payload in town_words.messages(connection, city, now_ms):
                    topic = f"kiosk/v1/{city}/{kind}"
                    digest = hashlib.sha256(payload).digest()
                    if self._told.get(topic) != digest:
                        publish(topic, payload, content_type)
                        self._told[topic] = digest
