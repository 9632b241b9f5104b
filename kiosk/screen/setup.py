"""What the page must know beside the views: the station's name, its bins, their items' names.

Fixed while the station runs; it travels inside the page.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from kiosk.core.catalogue import Hazard
from kiosk.core.config import Crowd

if TYPE_CHECKING:
    from kiosk.core.catalogue import Catalogue
    from kiosk.settings import Settings


class ItemWords(msgspec.Struct, frozen=True):
    """One item in one language; ``short`` two lines for a small sign."""

    name: str
    short: tuple[str, str]


class BinSetup(msgspec.Struct, frozen=True):
    """One bin: its item's code, the place beside it when it is full, by language; ``hazards`` what to
    heed there, the first one first (their words are ``hazard_...`` of the texts, with ``_`` for ``-``)."""

    item: str
    overflow: Mapping[str, str]
    hazards: tuple[Hazard, ...] = ()


class Setup(msgspec.Struct, frozen=True):
    """One station's page. ``items``: code to language to words; ``contact``: whom to ask. ``crowd``: with
    ``one_by_one`` the page shows whose turn it is (``View.turn``)."""

    station: str
    language: str
    contact: str
    bins: Mapping[str, BinSetup]
    items: Mapping[str, Mapping[str, ItemWords]]
    crowd: Crowd = "together"


def station_setup(settings: Settings, catalogue: Catalogue) -> Setup:
    """From the checked settings: only the items that this station has bins for."""
    languages = ("ja", "easy", "en")
    items: dict[str, dict[str, ItemWords]] = {}
    bins: dict[str, BinSetup] = {}
    for bin_ in settings.bins:
        item = catalogue.items[bin_.item]
        items[bin_.item] = {
            language: ItemWords(getattr(item, language), getattr(item, f"short_{language}"))
            for language in languages
        }
        bins[bin_.id] = BinSetup(
            bin_.item,
            {language: bin_.overflow or getattr(item.overflow, language) for language in languages},
            item.hazards,
        )
    contact = settings.station.contact
    return Setup(
        station=settings.station.name,
        language=settings.station.language,
        contact=f"{contact.name} {contact.phone}",
        bins=bins,
        items=items,
        crowd=settings.station.crowd,
    )


def bin_names(settings: Settings, catalogue: Catalogue) -> dict[str, dict[str, str]]:
    """What people call each bin: its item, by bin and language."""
    items = {bin_.id: catalogue.items[bin_.item] for bin_ in settings.bins}
    languages = ("ja", "easy", "en")
    return {
        name: {language: getattr(item, language) for language in languages}
        for name, item in items.items()
    }
