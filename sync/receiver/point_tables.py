"""The city's tables of points, on the same metadata as the others: balances, beside the chain.

A seal is forgotten at its day's end, or after ``link_days``; what was earned is not. So points are
booked to their name when the entry is stored, and no row says by which entry.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
)

from sync.receiver import town_tables

metadata: MetaData = town_tables.metadata

point_name = Table(
    "point_name",  # every pseudonym that earned something or is tied to one; names of an account are one
    metadata,
    Column("city", Text, nullable=False),
    Column("name", LargeBinary, nullable=False),
    Column("account", LargeBinary, nullable=False),  # the name that stands for all
    Column("earned", BigInteger, nullable=False),
    PrimaryKeyConstraint("city", "name"),
)
Index("point_account", point_name.c.city, point_name.c.account)

point_visit = Table(
    "point_visit",  # visits that are not closed yet: whose they are (null: nobody's yet), points so far
    metadata,
    Column("ledger", Text, nullable=False),
    Column("visit", Text, nullable=False),
    Column("name", LargeBinary),
    Column("points", BigInteger, nullable=False),
    PrimaryKeyConstraint("ledger", "visit"),
)

point_nobody = Table(
    "point_nobody",  # points that no name could be given: never claimed, or the seal was forgotten before
    metadata,
    Column("city", Text, nullable=False),
    Column("station", Text, nullable=False),
    Column("points", BigInteger, nullable=False),
    PrimaryKeyConstraint("city", "station"),
)

point_correction = Table(
    "point_correction",  # the city's journal: rows are only ever added
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("city", Text, nullable=False),
    Column("name", LargeBinary, nullable=False),
    Column("points", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("voids", Integer, unique=True),  # the correction that this one takes back
)
Index("point_corrected", point_correction.c.city, point_correction.c.name)
