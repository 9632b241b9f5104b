"""The card lists put together from the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kiosk.cards.list_files import City
from kiosk.cards.lists import CardLists
from kiosk.core.cards.staleness import StaleRules

if TYPE_CHECKING:
    from kiosk.clock import StationClock
    from kiosk.settings import Settings

FOLDER = "cards"
"""Below the data folder: the lists, and what else a station keeps of cards."""


def card_lists(settings: Settings, clock: StationClock) -> CardLists:
    """This station's lists, as they lie in its data folder."""
    cards = settings.cards
    return CardLists(
        settings.paths.data / FOLDER,
        city=city(settings),
        use=cards.lists,
        rules=StaleRules(cards.list_good_days, cards.list_end_days, cards.list_old),
        now=clock.now,
    )


def city(settings: Settings) -> City | None:
    """Whose word counts here; None where the settings name no key of the city's."""
    return None if settings.city is None else City(settings.station.city, settings.city.key)
