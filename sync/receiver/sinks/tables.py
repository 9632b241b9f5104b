"""The sinks' own tables, beside the city's: where each sink is, and what it could not hand over.

They move in one transaction with one another and never in the one that stores entries. ``sink_bin``,
``sink_day`` and ``sink_open`` are what the next batch needs of those before it; all of them can be
made again from the entries, by beginning a ledger anew.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
)

from sync.receiver.tables import metadata

sink_state = Table(
    "sink_state",
    metadata,
    Column("sink", Text, primary_key=True),
    Column("holder", Text),  # which process delivers, until
    Column("until_ms", BigInteger, nullable=False),
    Column("delivered_ms", BigInteger),
    Column("trouble_code", Text),  # why nothing is delivered, null while all is well
    Column("trouble", Text),
    Column("trouble_ms", BigInteger),  # since when
)

sink_cursor = Table(
    "sink_cursor",
    metadata,
    Column("sink", Text, nullable=False),
    Column("ledger", Text, nullable=False),
    Column("seq", BigInteger, nullable=False),  # handed over up to here
    Column("hash", LargeBinary, nullable=False),  # of that entry: another one there begins anew
    Column("anchor_seq", BigInteger),  # open changes before this clock entry want another look
    Column("filled", BigInteger),  # handed over of what was filled in afterwards; null: nothing
    PrimaryKeyConstraint("sink", "ledger"),
)

sink_bin = Table(
    "sink_bin",
    metadata,
    Column("sink", Text, nullable=False),
    Column("ledger", Text, nullable=False),
    Column("bin", Text, nullable=False),
    Column("item", Text, nullable=False),
    Column("gross_g", BigInteger),
    Column("empty_g", BigInteger, nullable=False),
    Column("uncertainty_g", BigInteger),
    Column("changed_seq", BigInteger),
    Column("emptied_seq", BigInteger),
    PrimaryKeyConstraint("sink", "ledger", "bin"),
)

sink_day = Table(
    "sink_day",  # between which entries a ledger's deposits of a day lie
    metadata,
    Column("sink", Text, nullable=False),
    Column("ledger", Text, nullable=False),
    Column("day", BigInteger, nullable=False),
    Column("first_seq", BigInteger, nullable=False),
    Column("last_seq", BigInteger, nullable=False),
    PrimaryKeyConstraint("sink", "ledger", "day"),
)

sink_open = Table(
    "sink_open",  # changes whose time may be known better one day, and deposits whose day is not known
    metadata,
    Column("sink", Text, nullable=False),
    Column("ledger", Text, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("settled", Integer, nullable=False),  # 1: no clock that comes later tells more
    Column("deposit", Integer, nullable=False),  # 1: counts in a day
    Column("day", BigInteger),  # in which it was counted; null: in none
    PrimaryKeyConstraint("sink", "ledger", "seq"),
)
Index("sink_open_unsettled", sink_open.c.sink, sink_open.c.ledger, sink_open.c.settled)

sink_aside = Table(
    "sink_aside",
    metadata,
    Column("sink", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("ledger", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("words", Text, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("since_ms", BigInteger, nullable=False),
    Column("times", Integer, nullable=False),
    PrimaryKeyConstraint("sink", "subject"),
)
