"""What a station's uplink says of itself beside the ledger: birth and will, and its health.

Unsigned, so it decides nothing: it is for people who look, and for telling a station that is silent from
one that has nothing to say. Only a registered station's counts, the last word of each kind is kept, and the
same state again (it is retained) changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import sqlalchemy as sa

from sync.messages import Health, Malformed, Online, inflate
from sync.receiver.arriving import Delivery
from sync.receiver.care_tables import station_heard
from sync.receiver.tables import station_key

TOPICS = ("kiosk/v1/+/+/state", "$share/receivers/kiosk/v1/+/+/health")
"""The state goes to every receiver, as it is retained; health to one of them."""
MAX_BYTES = 8192
_TOPIC = re.compile(r"kiosk/v1/([a-z0-9-]{1,32})/([a-z0-9-]{1,32})/(state|health)")
MAX_WORDS_CHARS = 64


@dataclass(frozen=True, slots=True)
class _Whose:
    city: str
    station: str


class _State(msgspec.Struct, frozen=True):
    """Birth or will."""

    online: bool


def is_heard(topic: str) -> bool:
    """Whether a message is one of these."""
    return _TOPIC.fullmatch(topic) is not None


def note(engine: sa.Engine, deliveries: Sequence[Delivery], now_ms: int) -> None:
    """Keep what these say; nothing that they may hold raises."""
    with engine.begin() as connection:
        for delivery in deliveries:
            match = _TOPIC.fullmatch(delivery.topic)
            if match is None or not _registered(connection, match[1], match[2]):
                continue
            try:
                plain = inflate(delivery.content_type, delivery.payload)
            except Malformed:
                continue
            if len(plain) <= MAX_BYTES:
                values = _state(plain, now_ms) if match[3] == "state" else _health(plain, now_ms)
                _keep(connection, _Whose(match[1], match[2]), values)


def _state(plain: bytes, now_ms: int) -> dict[str, object]:
    try:
        if not msgspec.json.decode(plain, type=_State).online:
            return {"online": 0, "process": None, "since_ms": now_ms}
        birth = msgspec.json.decode(plain, type=Online)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    return {
        "online": 1,
        "process": birth.station,
        "since_ms": now_ms,
        "software": _text(birth.software),
        "ledger": birth.ledger,
        "life_ms": now_ms,
    }


def _health(plain: bytes, now_ms: int) -> dict[str, object]:
    try:
        health = msgspec.json.decode(plain, type=Health)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    text = msgspec.json.encode(health).decode()
    return {"health_ms": now_ms, "life_ms": now_ms, "queue": health.queue, "health": text}


def _text(text: str) -> str:
    """A text that any database takes."""
    return text.replace("\0", "")[:MAX_WORDS_CHARS]


def _keep(connection: sa.Connection, whose: _Whose, values: dict[str, object]) -> None:
    if not values:
        return
    mine = (station_heard.c.city == whose.city, station_heard.c.station == whose.station)
    before = connection.execute(sa.select(station_heard).where(*mine).with_for_update()).first()
    if before is None:
        connection.execute(
            station_heard.insert().values(city=whose.city, station=whose.station, **values)
        )
        return
    if "online" in values and (before.online, before.process) == (
        values["online"],
        values["process"],
    ):
        values = {name: values[name] for name in ("software", "ledger") if name in values}
    if values:
        connection.execute(sa.update(station_heard).where(*mine).values(**values))


def _registered(connection: sa.Connection, city: str, station: str) -> bool:
    query = sa.select(station_key.c.city).where(
        station_key.c.city == city,
        station_key.c.station == station,
        station_key.c.revoked_ms.is_(None),
    )
    return connection.execute(query.limit(1)).first() is not None
