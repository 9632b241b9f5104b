"""NGSI-LD entities of a batch. Pure: what a ledger knows, a town's settings, nothing invented.

ETSI GS CIM 009: an attribute is a Property, a Relationship or a GeoProperty; a Property's number has its
unit as a UNECE/CEFACT code (KGM kilogram, MLT millilitre, C62 one); ``observedAt`` is one instant of UTC.

So an *exact* time becomes ``observedAt`` (the middle of its interval, which is as narrow as the clock
was good). A *bounded* time has no such instant: the attribute has no ``observedAt``, the entity says
``timeQuality`` "bounded", and a deposit carries ``notBefore`` and ``notAfter`` where they are known.
What is not known is not there: a bin without a scale has no ``cargoWeight``, not 0.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import msgspec

from sync.receiver.fiware.settings import Settings
from sync.receiver.sinks import Batch, BinNow, Change, DayTotal, StationNow, When
from sync.receiver.views import DAY_MS, UTC_OFFSET_MS

Entity = dict[str, Any]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MAX_UTC_MS = 253_402_300_799_999
"""The last millisecond of the year 9999: what a lying clock said beyond it is no time, and no day."""


def entities(batch: Batch, settings: Settings) -> dict[str, tuple[str, Entity]]:
    """By id: the ledger it comes from, and the entity without its @context."""
    made: list[tuple[str, Entity]] = []
    wanted = settings.entities
    if "RecyclingStation" in wanted:
        made += [(one.ledger, station(one, settings)) for one in batch.stations]
    if "WasteContainer" in wanted:
        # The data model requires a location: without one there is nothing true to send.
        placed = [b for b in batch.bins if settings.station(b.station).location is not None]
        made += [(one.ledger, container(one, settings)) for one in placed]
    if "RecyclingDayTotal" in wanted:
        days = [one for one in batch.days if 0 <= one.day <= _MAX_UTC_MS // DAY_MS - 1]
        made += [(one.ledger, day_total(one, settings)) for one in days]
    if "RecyclingDeposit" in wanted:
        made += [(one.ledger, deposit(one, settings)) for one in _deposits(batch.changes)]
    return {entity["id"]: (ledger, entity) for ledger, entity in made}


def urn(kind: str, *parts: str) -> str:
    """The entity's id; an item may be called anything, so what no URN holds is written as %XX."""
    return ":".join(("urn:ngsi-ld", kind, *(quote(part, safe="") for part in parts)))


def station(now: StationNow, settings: Settings) -> Entity:
    return {
        "id": urn("RecyclingStation", now.city, now.station),
        "type": "RecyclingStation",
        **_place(now.station, settings),
        "storedEntries": _property(now.entries, "C62"),
        "undatedDeposits": _property(now.undated, "C62"),
        "dateReceived": _property(_time(iso(now.received_ms))),
        **_provider(settings),
    }


def container(now: BinNow, settings: Settings) -> Entity:
    """A bin. ``dateModified`` is when its content changed, where that is known exactly."""
    place = settings.bin(now.station, now.bin)
    item = settings.items.get(now.item)
    observed = _observed(now.changed)
    made: Entity = {
        "id": urn("WasteContainer", now.city, now.station, now.bin),
        "type": "WasteContainer",
        **_place(now.station, settings, named=False),
        "binId": _property(now.bin),
        "isleId": _property(now.station),
        "item": _property(now.item),
        "timeQuality": _property(now.changed.time),
        "refRecyclingStation": _relationship(urn("RecyclingStation", now.city, now.station)),
        **_provider(settings),
    }
    if item is not None and item.name is not None:
        made["name"] = _property(item.name)
    if item is not None and item.waste_kind is not None:
        made["storedWasteKind"] = _property(item.waste_kind)
    if (held_g := cargo_g(now.held_g, now.uncertainty_g)) is not None:
        made["cargoWeight"] = _property(held_g / 1000, "KGM") | observed
        if place.full_g is not None:
            level = round(min(1.0, held_g / place.full_g), 2)
            made["fillingLevel"] = _property(level, "C62") | observed
    if (changed := instant(now.changed)) is not None:
        made["dateModified"] = _property(_time(changed))
    if now.emptied is not None and (emptied := instant(now.emptied)) is not None:
        made["dateLastEmptying"] = _property(_time(emptied))
    if place.model is not None:
        made["refWasteContainerModel"] = _relationship(place.model)
    return made


def day_total(total: DayTotal, settings: Settings) -> Entity:
    day = (_EPOCH + timedelta(days=total.day)).date().isoformat()
    from_ms = total.day * DAY_MS - UTC_OFFSET_MS
    made: Entity = {
        "id": urn("RecyclingDayTotal", total.city, total.station, day, total.item),
        "type": "RecyclingDayTotal",
        "day": _property({"@type": "Date", "@value": day}),
        "periodFrom": _property(_time(iso(from_ms))),
        "periodTo": _property(_time(iso(from_ms + DAY_MS))),
        **_item(total.item, settings),
        "deposits": _property(total.weighings, "C62"),
        "refRecyclingStation": _relationship(urn("RecyclingStation", total.city, total.station)),
        **_provider(settings),
    }
    return made | _amounts(total.net_g, total.pieces, total.ml, {})


def deposit(change: Change, settings: Settings) -> Entity:
    """One weighing or count: of which bin and when, of nobody."""
    observed = _observed(change.when)
    made: Entity = {
        "id": urn("RecyclingDeposit", change.city, change.station, change.id),
        "type": "RecyclingDeposit",
        **_item(change.item, settings),
        "timeQuality": _property(change.when.time),
        "refRecyclingStation": _relationship(urn("RecyclingStation", change.city, change.station)),
        **_provider(settings),
    }
    made |= {name: _property(_time(bound)) for name, bound in bounds(change.when).items()}
    if change.bin is not None:
        bin_ = urn("WasteContainer", change.city, change.station, change.bin)
        made["refWasteContainer"] = _relationship(bin_)
    if change.mode is not None:
        made["measurementMode"] = _property(change.mode)
    made |= _amounts(change.net_g, change.count, change.ml, observed)
    if "netWeight" in made and change.uncertainty_g is not None:
        made["netWeight"]["uncertainty"] = _property(change.uncertainty_g / 1000, "KGM")
    return made


def iso(utc_ms: int) -> str:
    """UTC with milliseconds and Z."""
    moment = _EPOCH + timedelta(milliseconds=utc_ms)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def cargo_g(held_g: int | None, uncertainty_g: int | None) -> int | None:
    """Never below nothing: as much below as the scale is uncertain is nothing, more is not known."""
    if held_g is None or held_g >= 0:
        return held_g
    return 0 if -held_g <= (uncertainty_g or 0) else None


def _deposits(changes: Iterable[Change]) -> list[Change]:
    return [one for one in changes if one.kind in ("weighing", "item_count")]


def _amounts(net_g: int | None, pieces: int | None, ml: int | None, observed: Entity) -> Entity:
    made: Entity = {}
    if net_g is not None:
        made["netWeight"] = _property(net_g / 1000, "KGM") | observed
    if pieces is not None:
        made["pieces"] = _property(pieces, "C62") | observed
    if ml is not None:
        made["netVolume"] = _property(ml, "MLT") | observed
    return made


def _place(name: str, settings: Settings, *, named: bool = True) -> Entity:
    place = settings.station(name)
    made: Entity = {}
    if named and place.name is not None:
        made["name"] = _property(place.name)
    if place.location is not None:
        point = {"type": "Point", "coordinates": list(place.location)}
        made["location"] = {"type": "GeoProperty", "value": point}
    if place.address is not None:
        made["address"] = _property(msgspec.to_builtins(place.address))
    return made


def _item(item: str, settings: Settings) -> Entity:
    made: Entity = {"item": _property(item)}
    known = settings.items.get(item)
    if known is not None and known.name is not None:
        made["itemName"] = _property(known.name)
    return made


def _provider(settings: Settings) -> Entity:
    if settings.data_provider is None:
        return {}
    return {"dataProvider": _property(settings.data_provider)}


def bounds(when: When) -> dict[str, str]:
    """The known ends of an interval."""
    ends = {"notBefore": when.from_utc_ms, "notAfter": when.to_utc_ms}
    return {
        name: iso(utc_ms)
        for name, utc_ms in ends.items()
        if utc_ms is not None and 0 <= utc_ms <= _MAX_UTC_MS
    }


def instant(when: When) -> str | None:
    utc_ms = when.utc_ms
    return iso(utc_ms) if utc_ms is not None and 0 <= utc_ms <= _MAX_UTC_MS else None


def _observed(when: When) -> Entity:
    moment = instant(when)
    return {} if moment is None else {"observedAt": moment}


def _property(value: Any, unit: str | None = None) -> Entity:
    made = {"type": "Property", "value": value}
    return made if unit is None else made | {"unitCode": unit}


def _relationship(target: str) -> Entity:
    return {"type": "Relationship", "object": target}


def _time(instant: str) -> Entity:
    return {"@type": "DateTime", "@value": instant}
