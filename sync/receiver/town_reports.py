"""What stations' ledgers say of the city's catalogue and tariff, kept where they are stored."""

from __future__ import annotations

from collections.abc import Container
from typing import Any

import sqlalchemy as sa

from sync.messages import Batch
from sync.messages.bodies import field
from sync.messages.town import KINDS
from sync.receiver.tables import entry
from sync.receiver.town_tables import town_station

ALARM = "city_word"
"""Code of a station's alarm on a message that it refused; its subject is the kind."""
SAY = {*KINDS, "alarm"}
"""Kinds of entries that say something here."""

Said = tuple[str, dict[str, Any]]
"""A kind, and what a row of ``town_station`` has to hold from now on."""


def said_in(batch: Batch, after: int, only: Container[int] | None = None) -> list[Said]:
    """What entries of a batch beyond seq ``after`` say, in order; another shape says nothing. ``only``
    these seqs, where they are given."""
    if SAY.isdisjoint(batch.kinds):
        return []
    found = []
    for seq, (kind, value) in enumerate(zip(batch.kinds, batch.values, strict=True), batch.first):
        if seq <= after or value is None or not (only is None or seq in only):
            continue
        if kind in KINDS:
            version, source = field(value, "version"), field(value, "source")
            if type(version) is int and source in ("city", "file"):
                found.append((str(kind), {"version": version, "source": source}))
        elif kind == "alarm" and field(value, "code") == ALARM:
            subject, detail = field(value, "subject"), field(value, "detail")
            refused = detail if field(value, "state") == "on" else None
            if subject in KINDS and isinstance(detail, str):
                found.append((str(subject), {"refused": refused}))
    return found


def spoke_later(connection: sa.Connection, ledger: str, seq: int) -> bool:
    """Whether a stored entry beyond ``seq`` may have said something newer."""
    later = sa.select(entry.c.seq).where(
        entry.c.ledger == ledger, entry.c.seq > seq, entry.c.kind.in_(sorted(SAY))
    )
    return connection.execute(later.limit(1)).first() is not None


def keep(connection: sa.Connection, city: str, station: str, said: list[Said]) -> None:
    """Keeps what a station says; the highest version of the city's that it ever had stays."""
    here = town_station.c
    for kind, values in said:
        mine = (here.city == city, here.station == station, here.kind == kind)
        row = connection.execute(sa.select(here.highest).where(*mine)).first()
        highest = 0 if row is None else row.highest
        if values.get("source") == "city":
            highest = max(highest, values["version"])
        values = {**values, "highest": highest}
        if row is None:
            whose = {"city": city, "station": station, "kind": kind}
            connection.execute(town_station.insert().values(**whose, **values))
        else:
            connection.execute(sa.update(town_station).where(*mine).values(**values))
