"""What stations' ledgers say of the city's catalogue and tariff, in the transaction that stores them."""

from __future__ import annotations

from typing import Any

import msgspec
import sqlalchemy as sa

from kiosk.core.entries import Alarm, CatalogueBegun, TariffBegun
from sync.messages import Batch
from sync.receiver.town_tables import town_station

ALARM = "city_word"
"""Code of a station's alarm on a message that it refused; its subject is the kind."""
_TYPES = {"catalogue": CatalogueBegun, "tariff": TariffBegun, "alarm": Alarm}


def note(connection: sa.Connection, city: str, station: str, batch: Batch, after: int) -> None:
    """Takes what a batch says beyond seq ``after``. An entry in another shape says nothing."""
    for each in batch.entries:
        kind = _TYPES.get(each.kind or "")
        if kind is None or each.seq <= after or each.value is None:
            continue
        fields = {name: value for name, value in each.value.items() if name not in ("seq", "at")}
        try:
            draft = msgspec.convert(fields, kind)
        except msgspec.ValidationError:
            continue
        if isinstance(draft, CatalogueBegun | TariffBegun):
            _begun(connection, city, station, str(each.kind), draft)
        elif isinstance(draft, Alarm) and draft.code == ALARM and draft.subject in _TYPES:
            refused = draft.detail if draft.state == "on" else None
            _put(connection, city, station, draft.subject, {"refused": refused})


def _begun(
    connection: sa.Connection, city: str, station: str, kind: str, draft: CatalogueBegun | TariffBegun
) -> None:  # fmt: skip
    row = _row(connection, city, station, kind)
    highest = 0 if row is None else row.highest
    if draft.source == "city":
        highest = max(highest, draft.version)
    said = {"version": draft.version, "source": draft.source, "highest": highest}
    _put(connection, city, station, kind, said)


def _row(
    connection: sa.Connection, city: str, station: str, kind: str
) -> sa.Row[tuple[Any, ...]] | None:
    return connection.execute(sa.select(town_station).where(*_one(city, station, kind))).first()


def _put(
    connection: sa.Connection, city: str, station: str, kind: str, said: dict[str, Any]
) -> None:
    update = sa.update(town_station).where(*_one(city, station, kind)).values(**said)
    if not connection.execute(update).rowcount:
        whose = {"city": city, "station": station, "kind": kind}
        connection.execute(town_station.insert().values(**{"highest": 0, **whose, **said}))


def _one(city: str, station: str, kind: str) -> tuple[sa.ColumnElement[bool], ...]:
    here = town_station.c
    return here.city == city, here.station == station, here.kind == kind
