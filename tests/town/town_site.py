"""A city that signs catalogues and tariffs, and a station's clock that a test moves."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from kiosk import catalogue, settings
from kiosk.core.catalogue import Catalogue, TariffTable
from kiosk.core.entries import AnyDraft, ClockQuality
from kiosk.core.events import Moment
from kiosk.town.town import Town
from sync.messages.town import Kind, TownWord, content_of, encode, sign
from sync.signing import Signer

ROOT = Path(__file__).parents[2]
CITY = "demo"
KEY, OTHER = (
    Signer(b"city-key-of-the-tests---32-bytes"),
    Signer(b"some-other-key-of-the-tests-32-b"),
)
NOON = 1_790_000_000_000
HOUR_MS, DAY_MS = 3_600_000, 86_400_000
ITEMS = catalogue.load(ROOT / "config/catalogue.toml")

SETTINGS = """
[station]
id = "hall-1"
city = "demo"
name = "中央公民館"
contact = {{ name = "事務室", phone = "000-000-0000" }}
{station}
[[bin]]
id = "b1"
item = "pet-bottle"
[[bin]]
id = "b2"
item = "carton"
[points]
mode = "visit"
per_visit = 1
[city]
public_key = "{key}"
{city}
"""


def tariff(version: int, **said: Any) -> TariffTable:
    return TariffTable(version=version, **{"mode": "visit", "per_visit": version, **said})


def items(version: int, *, without: str | None = None) -> Catalogue:
    kept = {code: item for code, item in ITEMS.items.items() if code != without}
    kept["pet-bottle"] = msgspec.structs.replace(
        ITEMS.items["pet-bottle"], ja=f"ペットボトル{version}", bag_limit_g=1000 * version
    )
    return Catalogue(version=version, items=kept)


def word(
    table: Catalogue | TariffTable,
    effective_ms: int = NOON,
    *,
    signed_ms: int = NOON - DAY_MS,
    city: str = CITY,
    key: Signer = KEY,
) -> TownWord:
    kind: Kind = "catalogue" if isinstance(table, Catalogue) else "tariff"
    return sign(kind, city, table.version, effective_ms, signed_ms, content_of(table), key)


def message(*words: TownWord, city: str = CITY) -> bytes:
    return encode(city, words)


class Hall:
    """A station as far as the city's catalogue and tariff go: its settings, its clock, its ledger."""

    def __init__(self, folder: Path, *, station: str = "", city: str = "") -> None:
        self.folder = folder
        self.now = Moment(0, NOON, "synced", NOON // DAY_MS)
        self.written: list[AnyDraft] = []
        shutil.copy(ROOT / "config/catalogue.toml", folder)
        self.write_settings(station=station, city=city)
        self.start()

    def write_settings(self, *, station: str = "", city: str = "", key: Signer = KEY) -> None:
        text = SETTINGS.format(key=key.public_key.hex(), station=station, city=city)
        (self.folder / "station.toml").write_text(text, encoding="utf-8")

    def start(self) -> None:
        found = settings.load(self.folder / "station.toml")
        self.town = Town(found, catalogue.load(found.paths.catalogue), lambda: self.now)

    def later(self, ms: int, clock: ClockQuality = "synced") -> None:
        self.now = replace(
            self.now, boot_ms=self.now.boot_ms + ms, utc_ms=self.now.utc_ms + ms, clock=clock
        )

    def hear(self, kind: Kind, data: bytes) -> str | None:
        return self.town.accept(f"/{kind}", data).reason

    def tick(self, *, keeps: bool = True) -> tuple[AnyDraft, ...]:
        """A second passes; what was written for it. ``keeps``: the ledger could keep it."""
        self.later(1000, self.now.clock)
        said = self.town.tick(self.now)
        drafts = () if said is None else said.drafts
        if keeps and drafts:
            self.written += drafts
            self.town.committed(drafts)
        return drafts

    def counts_by(self, kind: Kind) -> tuple[str, int]:
        here = self.town.in_force(kind)
        return here.source, here.version

    def says(self, kind: Kind) -> str | None:
        refused = self.town.refused(kind)
        return None if refused is None else refused.reason
