"""Whether a database is a city's. Who only looks makes none, and nobody makes one of somebody else's file.

Told by tables that every receiver since the first has made. Nothing is written here: not even the pragmas
of ``database``, which change an SQLite file for good.
"""

from __future__ import annotations

import sqlalchemy as sa

from kiosk.core.errors import OperatorError

CITYS = frozenset({"entry", "epoch", "station_key"})
"""A station's own ledger has none of them."""


def is_city(engine: sa.Engine) -> bool:
    """Whether a city's tables are there."""
    return _tables(engine) >= CITYS


def require_city(engine: sa.Engine) -> None:
    """OperatorError where a city's tables are missing."""
    if not is_city(engine):
        raise OperatorError(
            "no_city_database",
            "This is no city's database: it has none of the receiver's tables.",
            "Correct the URL; the receiver makes a new database when it first runs.",
        )


def refuse_anothers(engine: sa.Engine) -> None:
    """OperatorError where somebody else's tables are, and not all of a city's, which are made at once: many
    a program has one called ``entry``. For a file, which is one program's; a server's database may be
    shared."""
    found = _tables(engine)
    if found and not found >= CITYS:
        raise OperatorError(
            "foreign_database",
            "This file is another program's database.",
            "Correct the URL, or name a file that is not there yet.",
        )


def _tables(engine: sa.Engine) -> frozenset[str]:
    """And no connection is left: later ones have the pragmas."""
    try:
        with engine.connect() as connection:
            return frozenset(sa.inspect(connection).get_table_names())
    finally:
        engine.dispose()
