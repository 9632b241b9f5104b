"""A FIWARE sink's settings: what a ledger does not know (places, names, kinds of waste). TOML, strict."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from kiosk.core.errors import OperatorError

EntityType = Literal["WasteContainer", "RecyclingStation", "RecyclingDayTotal", "RecyclingDeposit"]
Lon = Annotated[float, Meta(ge=-180, le=180)]
Lat = Annotated[float, Meta(ge=-90, le=90)]
WasteKind = Literal[
    "organic", "inorganic", "glass", "oil", "plastic", "metal", "paper", "batteries", "electronics",
    "hazardous", "other",
]  # fmt: skip
"""As in WasteContainer's ``storedWasteKind``."""
Header = Annotated[str, Meta(pattern="^[A-Za-z0-9_/ .:-]{1,256}\\Z")]
"""Goes into an HTTP header: no line breaks."""


class _Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


class Address(_Strict, frozen=True, rename="camel", omit_defaults=True):
    """A postal address, in schema.org's words (``streetAddress = "…"``)."""

    street_address: str = ""
    address_locality: str = ""
    address_region: str = ""
    address_country: str = ""
    postal_code: str = ""
    district: str = ""


class BinPlace(_Strict, frozen=True):
    """``full_g``: what its full bag weighs, for fillingLevel; ``model``: its WasteContainerModel's id."""

    full_g: Annotated[int, Meta(gt=0)] | None = None
    model: Annotated[str, Meta(pattern="^urn:[^ <>\"'=;()\\s]+\\Z")] | None = None


class StationPlace(_Strict, frozen=True):
    """``location``: longitude, latitude (WGS 84), in GeoJSON's order."""

    name: str | None = None
    location: tuple[Lon, Lat] | None = None
    address: Address | None = None
    bins: dict[str, BinPlace] = {}


class Item(_Strict, frozen=True):
    """What an item is called and which kind of waste it is."""

    name: str | None = None
    waste_kind: WasteKind | None = None


class Settings(_Strict, frozen=True):
    """``tenant`` (NGSILD-Tenant, fiware-service), ``service_path`` and ``apikey`` as the platform gave
    them; ``context``: an address of the @context, where the platform can fetch one."""

    tenant: Header | None = None
    service_path: Header | None = None
    apikey: Annotated[str, Meta(pattern="^[A-Za-z0-9_-]{1,64}\\Z")] | None = None
    token_header: Literal["Authorization", "X-Auth-Token"] = "Authorization"
    context: Annotated[str, Meta(pattern="^https?://")] | None = None
    data_provider: str | None = None
    entities: frozenset[EntityType] = frozenset(
        {"WasteContainer", "RecyclingStation", "RecyclingDayTotal"}
    )
    mode: Literal["replace", "update"] = "replace"
    timeout_s: Annotated[float, Meta(ge=0.1, le=20)] = 10.0
    stations: dict[str, StationPlace] = {}
    items: dict[str, Item] = {}

    def station(self, name: str) -> StationPlace:
        return self.stations.get(name, StationPlace())

    def bin(self, station: str, name: str) -> BinPlace:
        return self.station(station).bins.get(name, BinPlace())


def require_apikey(settings: Settings) -> str:
    """What an IoT Agent knows a group of devices by."""
    if settings.apikey is None:
        raise OperatorError(
            "no_apikey",
            "The settings have no apikey.",
            "Write the service group's apikey into the file of --settings.",
        )
    return settings.apikey


def load(file: Path | None) -> Settings:
    """The settings in ``file``; the defaults without one. OperatorError names the place."""
    if file is None:
        return Settings()
    try:
        value: Any = msgspec.toml.decode(file.read_bytes())
        return msgspec.convert(value, Settings)
    except OSError as error:
        raise OperatorError(
            "settings_unreadable",
            f"The sink's settings {file} cannot be read ({error.strerror}).",
            "Correct --settings, or who may read the file.",
        ) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise OperatorError(
            "settings_wrong",
            f"The sink's settings {file} are wrong: {error}.",
            "Correct the place that is named; docs/fiware.md has every setting.",
        ) from error
