"""Measures for FIWARE's IoT Agent JSON: a device a bin, a measure a change. Pure.

The agent makes of a measure's ``TimeInstant`` what NGSI-LD calls ``observedAt``. A bounded time has none
here either; so devices are provisioned with ``timestamp: false``, or the agent would put its own clock
in that place. A measure that was sent cannot be taken back: what becomes known later of an old change's
time is not sent again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from sync.receiver.fiware.entities import bounds, cargo_g, instant, urn
from sync.receiver.fiware.settings import Settings
from sync.receiver.sinks import Change

Measure = dict[str, str | float]

ATTRIBUTES = (
    ("cargoWeight", "Number", "KGM"),
    ("netWeight", "Number", "KGM"),
    ("pieces", "Number", "C62"),
    ("netVolume", "Number", "MLT"),
    ("item", "Text", None),
    ("changeKind", "Text", None),
    ("changeId", "Text", None),
    ("timeQuality", "Text", None),
    ("notBefore", "DateTime", None),
    ("notAfter", "DateTime", None),
)


def device(city: str, station: str, bin_: str) -> str:
    """The device's id; none of the three holds a colon."""
    return f"{city}:{station}:{bin_}"


def by_device(changes: Iterable[Change]) -> dict[str, list[tuple[Change, Measure]]]:
    """Each device's measures in the order in which they happened."""
    found: dict[str, list[tuple[Change, Measure]]] = {}
    for change in changes:
        if change.bin is not None and not change.again:
            name = device(change.city, change.station, change.bin)
            found.setdefault(name, []).append((change, measure(change)))
    return found


def measure(change: Change) -> Measure:
    made: Measure = {
        "changeId": change.id,
        "changeKind": change.kind,
        "item": change.item,
        "timeQuality": change.when.time,
        **bounds(change.when),
    }
    if (moment := instant(change.when)) is not None:
        made["TimeInstant"] = moment
    if change.net_g is not None:
        made["netWeight"] = change.net_g / 1000
    if (held_g := cargo_g(change.held_g, change.uncertainty_g)) is not None:
        made["cargoWeight"] = held_g / 1000
    if change.count is not None:
        made["pieces"] = change.count
    if change.ml is not None:
        made["netVolume"] = change.ml
    return made


def provisioning(
    bins: Sequence[tuple[str, str, str]], settings: Settings, *, transport: str
) -> dict[str, Any]:
    """The body of ``POST /iot/devices`` for these (city, station, bin)."""
    return {"devices": [_device(*one, settings, transport) for one in bins]}


def _device(
    city: str, station: str, bin_: str, settings: Settings, transport: str
) -> dict[str, Any]:
    place = settings.station(station)
    fixed: list[dict[str, Any]] = [
        {"name": "binId", "type": "Text", "value": bin_},
        {"name": "isleId", "type": "Text", "value": station},
    ]
    if place.location is not None:
        point = {"type": "Point", "coordinates": list(place.location)}
        fixed.append({"name": "location", "type": "geo:json", "value": point})
    if place.address is not None:
        address = msgspec.to_builtins(place.address)
        fixed.append({"name": "address", "type": "PostalAddress", "value": address})
    made: dict[str, Any] = {
        "device_id": device(city, station, bin_),
        "entity_name": urn("WasteContainer", city, station, bin_),
        "entity_type": "WasteContainer",
        "transport": transport,
        "timestamp": False,
        "attributes": [_attribute(*one) for one in ATTRIBUTES],
        "static_attributes": fixed,
    }
    return made if settings.apikey is None else made | {"apikey": settings.apikey}


def _attribute(name: str, kind: str, unit: str | None) -> dict[str, Any]:
    made: dict[str, Any] = {"object_id": name, "name": name, "type": kind}
    if unit is not None:
        made["metadata"] = {"unitCode": {"type": "Text", "value": unit}}
    return made
