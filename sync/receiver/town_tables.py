"""The city's tables of catalogues and tariffs, on the same metadata as the others (``point_tables``)."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
)

from sync.receiver import tables

metadata: MetaData = tables.metadata

town_word = Table(
    "town_word",  # every catalogue and tariff that was ever published, as it was signed
    metadata,
    Column("city", Text, nullable=False),
    Column("kind", Text, nullable=False),  # catalogue, tariff
    Column("version", BigInteger, nullable=False),
    Column("effective_ms", BigInteger, nullable=False),
    Column("signed_ms", BigInteger, nullable=False),
    Column("content", LargeBinary, nullable=False),  # canonical JSON
    Column("sig", LargeBinary, nullable=False),
    PrimaryKeyConstraint("city", "kind", "version"),
)

town_station = Table(
    "town_station",  # what stations say in their ledgers: the last they began with, and what they refuse
    metadata,
    Column("city", Text, nullable=False),
    Column("station", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("version", BigInteger),  # null while it only ever refused
    Column("source", Text),  # city, file
    Column("highest", BigInteger, nullable=False),  # of the city's that it ever began with
    Column("refused", Text),  # the alarm that is on
    PrimaryKeyConstraint("city", "station", "kind"),
)
