"""What is allowed in the settings and still worth a second thought."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass

from kiosk.core.catalogue import Catalogue
from kiosk.settings.shape import Settings

EXAMPLE_CITY_KEY = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
"""The key in ``config/station.toml``: RFC 8032's first test vector, whose secret half is printed
there. Whoever can read could sign acknowledgements with it."""


@dataclass(frozen=True, slots=True)
class Advice:
    """``code`` stable, ``place`` in the file."""

    code: str
    place: str


def advice(settings: Settings, catalogue: Catalogue) -> Iterator[Advice]:
    """Every doubt, in the order of the file."""
    for table in ("per_kg", "per_item"):
        for code, value in getattr(settings.points, table).items():
            legal = catalogue.items[code].legal
            if value and legal and legal.points == "ask":
                yield Advice("points_ask", f"points.{table}.{code}")
    if settings.city is None:
        yield Advice("no_city", "city")
    elif settings.city.public_key == EXAMPLE_CITY_KEY:
        yield Advice("example_key", "city.public_key")
    if settings.mqtt is None:
        yield Advice("no_mqtt", "mqtt")
    elif settings.mqtt.ca_file is None and not is_loopback(settings.mqtt.host):
        yield Advice("mqtt_plain", "mqtt.ca_file")
    if not settings.readers:
        yield Advice("no_reader", "reader")


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
