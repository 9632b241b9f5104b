"""Which station signs with which key, and how often the city's database has lived."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from kiosk.core.errors import OperatorError
from sync.receiver.database import utc_ms
from sync.receiver.tables import epoch, station_key
from sync.signing import KEY_BYTES, is_weak

MAX_KEYS = 8
"""Valid keys of one station at a time: the present one, and spare cards."""


@dataclass(frozen=True, slots=True)
class Registration:
    """One key of one station; ``revoked_ms`` None while it counts."""

    city: str
    station: str
    public_key: bytes
    added_ms: int
    revoked_ms: int | None


def valid_keys(connection: sa.Connection, city: str, station: str) -> list[bytes]:
    """The keys that count for a station."""
    query = sa.select(station_key.c.public_key).where(
        station_key.c.city == city,
        station_key.c.station == station,
        station_key.c.revoked_ms.is_(None),
    )
    return list(connection.scalars(query.order_by(station_key.c.added_ms)))


def add_station(connection: sa.Connection, city: str, station: str, public_key: bytes) -> None:
    """Register a key; again is harmless, a revoked one counts anew."""
    if len(public_key) != KEY_BYTES:
        raise OperatorError(
            "key_length",
            "A station's public key has 64 hexadecimal digits.",
            "Copy it from the station: kiosk status shows it.",
        )
    if is_weak(public_key):
        raise OperatorError(
            "weak_key",
            "This is nobody's key: anybody could sign under it.",
            "Copy it from the station: kiosk status shows it.",
        )
    valid = valid_keys(connection, city, station)
    if public_key in valid:
        return
    if len(valid) >= MAX_KEYS:
        raise OperatorError(
            "too_many_keys",
            f"The station {station} has {MAX_KEYS} keys already.",
            "Revoke those of cards that are not used any more.",
        )
    connection.execute(
        sa.delete(station_key).where(*_one(city, station), station_key.c.public_key == public_key)
    )
    connection.execute(
        station_key.insert().values(
            city=city, station=station, public_key=public_key, added_ms=utc_ms()
        )
    )


def revoke_station(
    connection: sa.Connection, city: str, station: str, public_key: bytes | None
) -> int:
    """Let a key, or all of a station, count no more; how many that were. What is stored stays."""
    where = [*_one(city, station), station_key.c.revoked_ms.is_(None)]
    if public_key is not None:
        where.append(station_key.c.public_key == public_key)
    revoked = connection.execute(
        sa.update(station_key).where(*where).values(revoked_ms=utc_ms())
    ).rowcount
    if not revoked:
        raise OperatorError(
            "no_such_key",
            f"No valid key of the station {station} in {city} is registered here.",
            "Look with: kiosk-receiver station list",
        )
    return revoked


def list_stations(connection: sa.Connection) -> list[Registration]:
    """Every key that was ever registered."""
    order = (station_key.c.city, station_key.c.station, station_key.c.added_ms)
    return [
        Registration(*row) for row in connection.execute(sa.select(station_key).order_by(*order))
    ]


def current_epoch(connection: sa.Connection) -> int:
    """Which life of the database this is."""
    newest = sa.select(epoch.c.number).order_by(epoch.c.number.desc()).limit(1)
    number: int = connection.scalars(newest).one()
    return number


def new_epoch(connection: sa.Connection) -> int:
    """The database was restored: stations take a lower watermark from now on, and send again."""
    number = current_epoch(connection) + 1
    connection.execute(epoch.insert().values(number=number, began_ms=utc_ms()))
    return number


def _one(city: str, station: str) -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool]]:
    return station_key.c.city == city, station_key.c.station == station
