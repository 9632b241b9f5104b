"""The city's tables. Names and columns of ``entry`` and ``seal`` are the contract.

Portable between SQLite and PostgreSQL: whole numbers, texts, bytes, and no function of one of
them. Times are milliseconds of UTC by the receiver's clock.
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

metadata = MetaData()

entry = Table(
    "entry",
    metadata,
    Column("ledger", Text, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("station", Text, nullable=False),
    Column("kind", Text),  # null, like body, where the station had thinned it away
    Column("body", Text),
    Column("digest", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    PrimaryKeyConstraint("ledger", "seq"),
)
# Entries that came without their text: few, and to be found without reading the others.
_hollow = entry.c.body.is_(None)
Index("entry_hollow", entry.c.ledger, entry.c.seq, sqlite_where=_hollow, postgresql_where=_hollow)

seal = Table(
    "seal",
    metadata,
    Column("ledger", Text, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("salt", LargeBinary, nullable=False),
    Column("pseudonym", LargeBinary, nullable=False),
    PrimaryKeyConstraint("ledger", "seq"),
)

unopened = Table(
    "unopened",  # entries with a seal that nothing opened when they came, and nobody forgot since
    metadata,
    Column("ledger", Text, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("since_ms", BigInteger, nullable=False),
    PrimaryKeyConstraint("ledger", "seq"),
)

unsealed = Table(
    "unsealed",  # whose seal a station forgot; ungrouped, and never opened again
    metadata,
    Column("ledger", Text, nullable=False),
    Column("seq", BigInteger, nullable=False),
    PrimaryKeyConstraint("ledger", "seq"),
)

filled = Table(
    "filled",  # entries whose text came after all, in the order in which it did
    metadata,
    Column("ledger", Text, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("seq", BigInteger, nullable=False),
    PrimaryKeyConstraint("ledger", "number"),
)

batch_sig = Table(
    "batch_sig",
    metadata,
    Column("ledger", Text, nullable=False),
    Column("last_seq", BigInteger, nullable=False),
    Column("sig", LargeBinary, nullable=False),
    PrimaryKeyConstraint("ledger", "last_seq"),
)

station_key = Table(
    "station_key",
    metadata,
    Column("city", Text, nullable=False),
    Column("station", Text, nullable=False),
    Column("public_key", LargeBinary, nullable=False),
    Column("added_ms", BigInteger, nullable=False),
    Column("revoked_ms", BigInteger),
    PrimaryKeyConstraint("city", "station", "public_key"),
)

ledger = Table(
    "ledger",
    metadata,
    Column("ledger", Text, primary_key=True),
    Column("city", Text, nullable=False),
    Column("station", Text, nullable=False),
    Column("public_key", LargeBinary),  # null until the genesis has come
    Column("watermark", BigInteger, nullable=False),  # contiguous, verified, committed up to here
    Column("head", LargeBinary, nullable=False),  # hash(watermark)
    Column("continues_ledger", Text),
    Column("continues_seq", BigInteger),
    Column("continues_head", LargeBinary),
    Column("fork_seq", BigInteger),  # where another history was offered; what came first stays
    Column("progress_ms", BigInteger, nullable=False),  # when the watermark last moved
    Column("gap_told_ms", BigInteger),
    Column("gaps_told", Integer, nullable=False),  # since the watermark last moved
    Column("told_epoch", Integer, nullable=False),  # of the last acknowledgement
    Column("lacking", Integer),  # 1: a text or an opened seal may be lacking; else null or 0
    Column("covered", BigInteger),  # up to here a snapshot stands for what is thinned; null: 0
    Column("filled", BigInteger),  # the last number in ``filled``; null: 0
    Column("forgets", BigInteger),  # seals that its ``forget`` entries count; null: 0
    Column("forgets_ms", BigInteger),  # when the last of them came
    Column("forgotten", BigInteger),  # rows in ``unsealed``, as far as counted; null: 0
)
# One continuation for a point: of two at once, by two receivers, the second finds the first.
Index(
    "ledger_continuation", ledger.c.continues_ledger, ledger.c.continues_seq,
    ledger.c.continues_head, unique=True,
)  # fmt: skip
Index("ledger_station", ledger.c.city, ledger.c.station)

parked = Table(
    "parked",
    metadata,
    Column("ledger", Text, nullable=False),
    Column("first", BigInteger, nullable=False),
    Column("last", BigInteger, nullable=False),
    Column("payload", LargeBinary, nullable=False),  # the plain JSON
    Column("parked_ms", BigInteger, nullable=False),
    PrimaryKeyConstraint("ledger", "first", "last"),
)

quarantine = Table(
    "quarantine",
    metadata,
    Column("digest", LargeBinary, primary_key=True),  # SHA-256 of topic and payload
    Column("topic", Text, nullable=False),
    Column("ledger", Text),
    Column("first", BigInteger),
    Column("last", BigInteger),
    Column("reason", Text, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("since_ms", BigInteger, nullable=False),
    Column("times", Integer, nullable=False),
)

refusal = Table(
    "refusal",  # how often a registered station was refused, and why it was last
    metadata,
    Column("city", Text, nullable=False),
    Column("station", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("ledger", Text),
    Column("seq", BigInteger, nullable=False),
    Column("times", BigInteger, nullable=False),
    Column("since_ms", BigInteger, nullable=False),
    Column("last_ms", BigInteger, nullable=False),
    PrimaryKeyConstraint("city", "station", "code"),
)

epoch = Table(
    "epoch",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("began_ms", BigInteger, nullable=False),
)

city_key = Table(
    "city_key",  # what the city signs with: one row, the public half
    metadata,
    Column("place", Integer, primary_key=True, autoincrement=False),  # 1
    Column("public_key", LargeBinary, nullable=False),
    Column("since_ms", BigInteger, nullable=False),
)

# --- lists of cards for the stations ---------------------------------------------------------------

card_list = Table(
    "card_list",  # the last word on a list, as it was signed
    metadata,
    Column("city", Text, nullable=False),
    Column("list", Text, nullable=False),  # closed, allowed
    Column("epoch", BigInteger, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("base", BigInteger, nullable=False),  # the version of the whole list
    Column("day", BigInteger, nullable=False),
    PrimaryKeyConstraint("city", "list"),
)

card_listed = Table(
    "card_listed",
    metadata,
    Column("city", Text, nullable=False),
    Column("list", Text, nullable=False),
    Column("pseudonym", LargeBinary, nullable=False),
    Column("in_full", Integer, nullable=False),  # 1 in the whole list that was signed last
    Column("in_now", Integer, nullable=False),  # 1 on the list, signed or not
    PrimaryKeyConstraint("city", "list", "pseudonym"),
)

card_message = Table(
    "card_message",  # what stands retained on each station's topics; empty: nothing (any more)
    metadata,
    Column("city", Text, nullable=False),
    Column("topic", Text, nullable=False),  # closed/full/0
    Column("content_type", Text, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    PrimaryKeyConstraint("city", "topic"),
)

# --- projections, moved in the transaction that stores the entry ------------------------------------
# Without foreign keys: each row is made beside its entry, PostgreSQL's check of it would cost twice what
# storing the entry does, and kiosk-receiver verify compares the two.

bin_change = Table(
    "bin_change",
    metadata,
    Column("ledger", Text, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),  # weighing, unattributed, bag_swap, item_count
    Column("bin", Text),
    Column("item", Text, nullable=False),
    Column("bag", Text),
    Column("visit", Text),
    Column("cause", Text),
    Column("mode", Text),
    Column("net_g", BigInteger),
    Column("gross_before_g", BigInteger),
    Column("gross_after_g", BigInteger),
    Column("uncertainty_g", BigInteger),
    Column("points", BigInteger),
    Column("count", BigInteger),
    Column("ml", BigInteger),
    Column("boot", Text, nullable=False),
    Column("boot_ms", BigInteger, nullable=False),
    Column("of_ledger", Text),  # set in an entry that was recorded anew as recovered
    Column("of_seq", BigInteger),
    Column("of_digest", LargeBinary),  # the recovered body's: another may be stored at its seq
    PrimaryKeyConstraint("ledger", "seq"),
)
_recovered = bin_change.c.of_ledger.is_not(None)
Index(
    "bin_change_recovered", bin_change.c.of_ledger, bin_change.c.of_seq,
    sqlite_where=_recovered, postgresql_where=_recovered,
)  # fmt: skip

anchor = Table(
    "anchor",  # a clock entry: at boot_ms of this boot it was utc_ms
    metadata,
    Column("ledger", Text, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("boot", Text, nullable=False),
    Column("boot_ms", BigInteger, nullable=False),
    Column("utc_ms", BigInteger, nullable=False),
    Column("uncertainty_ms", BigInteger, nullable=False),
    PrimaryKeyConstraint("ledger", "seq"),
)
Index("anchor_boot", anchor.c.ledger, anchor.c.boot)

opening = Table(
    "opening",  # what a genesis found in the bins
    metadata,
    Column("ledger", Text, nullable=False),
    Column("bin", Text, nullable=False),
    Column("gross_g", BigInteger),
    PrimaryKeyConstraint("ledger", "bin"),
)
