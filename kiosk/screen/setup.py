"""What the page must know beside the views: the station's name, its bins, their items' names.

Fixed while the station runs; it travels inside the page.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from kiosk.core.catalogue import Hazard
from kiosk.core.config import Crowd
from kiosk.screen.texts import town
from kiosk.screen.texts.town import ItemText, Spoken

if TYPE_CHECKING:
    from kiosk.core.catalogue import Catalogue, Item
    from kiosk.settings import Settings


LOG = logging.getLogger("kiosk")
OWN = ("ja", "easy", "en")
"""The languages that every item has."""
NOTHING_SAID = ItemText()


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
    ``one_by_one`` the page shows whose turn it is (``View.turn``). ``tones``: whether the page makes
    them."""

    station: str
    language: str
    contact: str
    bins: Mapping[str, BinSetup]
    items: Mapping[str, Mapping[str, ItemWords]]
    crowd: Crowd = "together"
    tones: bool = True


def page_tones(settings: Settings) -> bool:
    """Whether the page makes the tones: by itself where nothing else does."""
    if settings.sound.page == "auto":
        return settings.buzzer is None
    return settings.sound.page == "on"


def item_words(item: Item, code: str, language: str, spoken: Spoken) -> ItemWords:
    """What an item is called: as the town says, else as the catalogue does, in this language or in the
    one that it is like."""
    said = spoken.items.get(language, {}).get(code, NOTHING_SAID)
    like = spoken.like.get(language, language) if language not in OWN else language
    return ItemWords(said.name or getattr(item, like), said.short or getattr(item, f"short_{like}"))


def overflow(item: Item, code: str, language: str, spoken: Spoken) -> str:
    """The place beside it, likewise."""
    said = spoken.items.get(language, {}).get(code, NOTHING_SAID)
    like = spoken.like.get(language, language) if language not in OWN else language
    return said.overflow or str(getattr(item.overflow, like))


def speech(settings: Settings, catalogue: Catalogue) -> Spoken:
    """What the screen speaks. What is wrong in a town's files is logged, and keeps nobody from starting."""
    spoken = town.spoken(settings.paths.texts, catalogue)
    for problem in spoken.problems:
        LOG.warning("a town's texts: %s", problem)
    return spoken


def station_setup(settings: Settings, catalogue: Catalogue, told: Spoken | None = None) -> Setup:
    """From the checked settings: only the items that this station has bins for. ``told`` what the screen
    speaks, None to look anew."""
    spoken = told or town.spoken(settings.paths.texts)
    languages = [one.code for one in spoken.languages]
    items: dict[str, dict[str, ItemWords]] = {}
    bins: dict[str, BinSetup] = {}
    for bin_ in settings.bins:
        item = catalogue.items[bin_.item]
        items[bin_.item] = {
            language: item_words(item, bin_.item, language, spoken) for language in languages
        }
        bins[bin_.id] = BinSetup(
            bin_.item,
            {
                language: bin_.overflow or overflow(item, bin_.item, language, spoken)
                for language in languages
            },
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
        tones=page_tones(settings),
    )


def bin_names(settings: Settings, catalogue: Catalogue) -> dict[str, dict[str, str]]:
    """What people call each bin: its item, by bin and language."""
    items = {bin_.id: catalogue.items[bin_.item] for bin_ in settings.bins}
    return {
        name: {language: getattr(item, language) for language in OWN}
        for name, item in items.items()
    }
