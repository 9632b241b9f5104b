"""The shape of ``station.toml``: one frozen type a table, units last in names.

What a single value may be stands here as a type and a bound; what two values say together stands
in ``checks``. Names in the file are singular where a table repeats (``[[bin]]``, ``[[reader]]``).
Paths are already resolved against the folder of the settings file. ``docs/settings.md`` explains
every field to the people who write the file, and a test holds the two together.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from msgspec import Meta

from kiosk.core.cards.lists import ListUse
from kiosk.core.cards.staleness import WhenOld
from kiosk.core.cards.sun import DEFAULT_TEMPLATE
from kiosk.core.config import Crowd, PointsMode, StationRules
from kiosk.settings.hall import Buzzer, Heat, ReaderLamp, Screen, Sound, Thermometer
from kiosk.settings.parts import Grams, Identifier, Part, Pin, Port, Text
from kiosk.settings.readers import AnyReader
from kiosk.settings.scales import AnyScale

if TYPE_CHECKING:
    from kiosk.core.catalogue import Catalogue

KEY_HEX = r"\A[0-9a-f]{64}\Z"
MAX_BINS = 32
MAX_READERS = 8
MAX_FOREIGN = 8
LINK_DAYS = 90
"""Days for which a weighing stays linked to its check-in where points go by item or weight."""

Count = Annotated[int, Meta(ge=0, le=1_000_000)]
Days = Annotated[int, Meta(ge=1, le=3660)]
Language = Literal["ja", "easy", "en"]


class Contact(Part, frozen=True, kw_only=True):
    """Whom residents ask; shown with every trouble."""

    name: Text
    phone: Text


class Station(Part, frozen=True, kw_only=True):
    """Who this station is and how people use it."""

    id: Identifier
    city: Identifier
    name: Text
    contact: Contact
    timezone: Text = "Asia/Tokyo"
    crowd: Crowd = "together"
    visit_idle_s: Annotated[int, Meta(ge=5, le=600)] = 30
    language: Language = "ja"


class Paths(Part, frozen=True, kw_only=True):
    """Where things lie. ``data``: ledger and acknowledgement; ``run``: the control socket; ``town``: what
    people here write for the screen; ``texts``: a town's own languages and sentences for it."""

    data: Path = Path()
    keys: Path = Path("keys")
    run: Path = Path("run")
    catalogue: Path = Path("catalogue.toml")
    town: Path = Path("town.toml")
    texts: Path | None = None

    @property
    def ledger(self) -> Path:
        return self.data / "ledger.db"

    @property
    def ack(self) -> Path:
        """The city's last signed acknowledgement."""
        return self.data / "ack.json"

    @property
    def socket(self) -> Path:
        return self.run / "control.sock"

    @property
    def station_key(self) -> Path:
        """The Ed25519 seed that signs the ledger."""
        return self.keys / "station.key"

    @property
    def pseudonym_key(self) -> Path:
        return self.keys / "pseudonym.key"

    @property
    def card_key(self) -> Path:
        """The key (or lines ``kid key``) that proves QR cards."""
        return self.keys / "card.key"

    @property
    def sun_key(self) -> Path:
        """The keys of NFC chips that prove themselves; a town without such chips has none."""
        return self.keys / "sun.key"

    @property
    def counters(self) -> Path:
        """How far those chips have counted."""
        return self.data / "counters.db"

    @property
    def card_pub(self) -> Path:
        """The public keys (lines ``kid key``) that prove signed QR cards."""
        return self.keys / "card.pub"


class Bin(Part, frozen=True, kw_only=True):
    """One bin. Without a ``scale`` it is a normal bin whose grams nobody knows. ``full_pin``: a fill
    sensor, which says with ``full_level`` that something lies before it; the bin is full once that has
    been so for ``full_hold_s``."""

    id: Identifier
    item: Identifier
    bag_limit_g: Grams | None = None
    overflow: Text | None = None
    lid_pin: Pin | None = None
    lamp_pin: Pin | None = None
    full_pin: Pin | None = None
    full_level: Literal["low", "high"] = "low"
    full_hold_s: Annotated[int, Meta(ge=1, le=600)] = 30
    near_empty_g: Grams | None = None
    bag_min_g: Grams | None = None
    scale: AnyScale | None = None

    @property
    def effective_near_empty_g(self) -> int:
        """100 g, or one division where that is more."""
        if self.near_empty_g is not None:
            return self.near_empty_g
        return max(100, self.scale.division_g) if self.scale else 100

    @property
    def effective_bag_min_g(self) -> int:
        """500 g, or five times the near-empty weight where that is more."""
        if self.bag_min_g is not None:
            return self.bag_min_g
        return max(500, 5 * self.effective_near_empty_g)


class Foreign(Part, frozen=True, kw_only=True):
    """Somebody else's codes that count as cards: they identify and prove nothing."""

    name: Identifier
    pattern: Annotated[str, Meta(min_length=1, max_length=100)]


class Cards(Part, frozen=True, kw_only=True):
    """Which cards count, and for how much a day. ``uids``: whether a chip's bare number does, which
    identifies and proves nothing. ``sun_url``: what the address on a chip that proves itself ends with.
    ``lists``: which of the city's lists have to be there; ``list_old`` what counts while their word is
    older than ``list_good_days``, and until it is older than ``list_end_days``. ``self_issue``: whether a
    resident may begin a pre-printed card at the station. ``town``: the name that stands above the
    station's on printed cards."""

    uids: bool = True
    sun_url: Text = DEFAULT_TEMPLATE
    lists: ListUse = "as_sent"
    list_good_days: Days = 30
    list_old: WhenOld = "accept_proving"
    list_end_days: Days = 90
    foreign: Annotated[tuple[Foreign, ...], Meta(max_length=MAX_FOREIGN)] = ()
    visits_per_day: Annotated[int, Meta(ge=1, le=100)] | None = None
    points_per_day: Annotated[int, Meta(ge=1, le=1_000_000)] | None = None
    self_issue: bool = False
    town: Text | None = None


class Points(Part, frozen=True, kw_only=True):
    """Thanks-points. ``link_days`` None: 90 with points by item or weight, else 0. ``balance``: whether
    residents may ask the city for theirs."""

    mode: PointsMode = "none"
    per_visit: Count = 1
    tariff: Count = 1
    link_days: Annotated[int, Meta(ge=0, le=366)] | None = None
    per_kg: dict[str, Count] = msgspec.field(default_factory=dict)
    per_item: dict[str, Count] = msgspec.field(default_factory=dict)
    balance: bool = False

    @property
    def linked(self) -> bool:
        """Whether points need to know whose weighing it was."""
        return self.mode in ("item", "kg")

    @property
    def effective_link_days(self) -> int:
        if self.link_days is not None:
            return self.link_days
        return LINK_DAYS if self.linked else 0


Whose = Literal["city", "file"]


class City(Part, frozen=True, kw_only=True):
    """``public_key``: the city's Ed25519 key (64 hex), which signs what it says. ``catalogue`` and
    ``tariff``: whether the city's counts, once there is one, or always the station's own."""

    public_key: Annotated[str, Meta(pattern=KEY_HEX)]
    catalogue: Whose = "city"
    tariff: Whose = "city"

    @property
    def key(self) -> bytes:
        return bytes.fromhex(self.public_key)


KEEPALIVE_S, METERED_KEEPALIVE_S = 60, 900
"""Seconds; a quarter of an hour is what most mobile networks keep a silent connection for."""


class Mqtt(Part, frozen=True, kw_only=True):
    """The way to the city. Secrets lie in files of their own.

    ``metered``: the line is paid for by the byte. ``gather_s`` how long a live entry waits for others,
    ``health_s`` between two messages on the station's health when nothing changes.
    """

    host: Text
    port: Port = 1883
    username: Text | None = None
    password_file: Path | None = None
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    crl_file: Path | None = None
    metered: bool = False
    keepalive_s: Annotated[int, Meta(ge=5, le=3600)] | None = None
    gather_s: Annotated[int, Meta(ge=0, le=600)] = 0
    health_s: Annotated[int, Meta(ge=60, le=86400)] = 3600
    compress: Literal["auto", "always", "never"] | None = None

    @property
    def effective_keepalive_s(self) -> int:
        if self.keepalive_s is not None:
            return self.keepalive_s
        return METERED_KEEPALIVE_S if self.metered else KEEPALIVE_S

    @property
    def effective_compress(self) -> Literal["auto", "always", "never"]:
        if self.compress is not None:
            return self.compress
        return "always" if self.metered else "auto"


class Settings(Part, frozen=True, kw_only=True, rename={"bins": "bin", "readers": "reader"}):
    """All settings of one station, checked."""

    station: Station
    bins: Annotated[tuple[Bin, ...], Meta(min_length=1, max_length=MAX_BINS)]
    paths: Paths = Paths()
    screen: Screen = Screen()
    sound: Sound = Sound()
    heat: Heat = Heat()
    readers: Annotated[tuple[AnyReader, ...], Meta(max_length=MAX_READERS)] = ()
    cards: Cards = Cards()
    buzzer: Buzzer | None = None
    reader_lamp: ReaderLamp | None = None
    thermometer: Thermometer | None = None
    points: Points = Points()
    city: City | None = None
    mqtt: Mqtt | None = None

    def digest(self) -> str:
        """SHA-256 (hex) of what the settings mean: comments and order do not count."""
        plain = msgspec.json.encode(self, enc_hook=told, order="deterministic")
        return hashlib.sha256(plain).hexdigest()

    def rules(self, catalogue: Catalogue) -> StationRules:
        """The part that the rules read."""
        from kiosk.settings.rules import rules

        return rules(self, catalogue)


def told(path: object) -> str:
    """A path as JSON can hold it: a name that is no UTF-8 keeps its bytes as escapes."""
    return f"{path}".encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
