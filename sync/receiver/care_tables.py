"""What the city knows of its stations beside their ledgers; nothing that is proven stands here."""

from __future__ import annotations

import sqlalchemy as sa

from sync.receiver.tables import metadata

station_heard = sa.Table(
    "station_heard",
    metadata,
    sa.Column("city", sa.Text, nullable=False),
    sa.Column("station", sa.Text, nullable=False),
    sa.Column("online", sa.Integer),  # null: no birth and no will was ever heard
    sa.Column("process", sa.Text),  # up, down, stalled: the station behind its uplink
    sa.Column("since_ms", sa.BigInteger),  # of online and process
    sa.Column("software", sa.Text),
    sa.Column("ledger", sa.Text),
    sa.Column("life_ms", sa.BigInteger),  # the last birth or health: something runs there
    sa.Column("health_ms", sa.BigInteger),
    sa.Column("queue", sa.BigInteger),
    sa.Column("health", sa.Text),  # the last one, as JSON
    sa.PrimaryKeyConstraint("city", "station"),
)
station_open = sa.Table(
    "station_open",
    metadata,
    sa.Column("city", sa.Text, nullable=False),
    sa.Column("station", sa.Text, nullable=False),
    sa.Column("weekdays", sa.Text, nullable=False),  # mon,tue,…
    sa.PrimaryKeyConstraint("city", "station"),
)
station_holiday = sa.Table(
    "station_holiday",
    metadata,
    sa.Column("city", sa.Text, nullable=False),
    sa.Column("station", sa.Text, nullable=False),
    sa.Column("first_day", sa.BigInteger, nullable=False),  # days since 1970-01-01, city's time
    sa.Column("last_day", sa.BigInteger, nullable=False),
    sa.PrimaryKeyConstraint("city", "station", "first_day"),
)
