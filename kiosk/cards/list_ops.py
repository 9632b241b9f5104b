"""The card lists put together from the settings, and the request with which the uplink hands words in."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from msgspec import Meta

from kiosk.cards.list_files import City
from kiosk.cards.lists import CardLists
from kiosk.control.ledger_ops import Args, checked_args
from kiosk.core.cards.staleness import StaleRules
from sync.messages import MAX_PLAIN_BYTES

if TYPE_CHECKING:
    from kiosk.clock import StationClock
    from kiosk.settings import Settings

FOLDER = "cards"
"""Below the data folder: the lists, and what else a station keeps of cards."""


class _Word(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    topic: Annotated[str, Meta(max_length=64)]
    payload: Annotated[str, Meta(max_length=MAX_PLAIN_BYTES)]


def card_lists(settings: Settings, clock: StationClock) -> CardLists:
    """This station's lists, as they lie in its data folder."""
    city, cards = settings.city, settings.cards
    return CardLists(
        settings.paths.data / FOLDER,
        city=None if city is None else City(settings.station.city, city.key),
        use=cards.lists,
        rules=StaleRules(cards.list_good_days, cards.list_end_days, cards.list_old),
        now=clock.now,
    )


def topics(lists: CardLists) -> tuple[str, ...]:
    """What the uplink has to listen to; whole lists' parts are asked for one by one."""
    return tuple(f"{name}/{what}" for name in lists.wanted for what in ("full", "delta"))


def handler(lists: CardLists) -> Callable[[Args], dict[str, Any]]:
    """``card_list``: a message on one of the lists' topics, plain. What became of it, and which topics
    the uplink should ask the broker for next."""

    def card_list(args: Args) -> dict[str, Any]:
        word = checked_args(args, _Word)
        verdict = lists.accept(word.topic, word.payload.encode())
        return {
            "accepted": verdict.reason is None,
            "reason": verdict.reason,
            "wants": list(verdict.wants),
        }

    return card_list
