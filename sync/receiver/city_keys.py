"""What the city signs with, kept where its receivers find it: stations believe one key.

The database holds the public half of the key that first signed for it, a receiver's or a command's. Another
key is refused, be it of a second receiver or of a command, until somebody says that it is the city's from
now on; a receiver that runs meanwhile ends within ``service.REMIND_S``, and signs nothing more.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from kiosk.core.errors import OperatorError
from sync.receiver.database import utc_ms
from sync.receiver.tables import city_key, ledger


def held(connection: sa.Connection) -> bytes | None:
    """The public key; None before the first receiver."""
    key = connection.scalar(sa.select(city_key.c.public_key))
    return None if key is None else bytes(key)


def is_begun(connection: sa.Connection) -> bool:
    """Whether a receiver ever ran here."""
    stored = connection.execute(sa.select(ledger.c.ledger).limit(1)).first()
    return held(connection) is not None or stored is not None


def hold(connection: sa.Connection, public_key: bytes) -> None:
    """Somebody signs for the city: this key is the city's where there is none yet, else OperatorError for
    another."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    first = dialect.insert(city_key).values(place=1, public_key=public_key, since_ms=utc_ms())
    connection.execute(first.on_conflict_do_nothing())
    require(held(connection), public_key)


def hold_in(engine: sa.Engine, public_key: bytes) -> None:
    """``hold``, durable before anything is signed."""
    with engine.begin() as connection:
        hold(connection, public_key)


def require(known: bytes | None, public_key: bytes) -> None:
    """OperatorError where the city signs with another key."""
    if known not in (None, public_key):
        raise OperatorError(
            "other_city_key",
            f"This is the key {public_key.hex()[:16]}…, and the city of this database signs with"
            f" {known.hex()[:16]}…, which its stations believe.",
            "Name the city's key with --key FILE. A new one begins with: kiosk-receiver key --replace",
        )


def replace(connection: sa.Connection, public_key: bytes) -> None:
    """The city signs with this key from now on."""
    connection.execute(sa.delete(city_key))
    connection.execute(city_key.insert().values(place=1, public_key=public_key, since_ms=utc_ms()))
