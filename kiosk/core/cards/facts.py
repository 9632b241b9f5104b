"""What the ledger's entries on cards say, one fact each, with the pseudonyms that their seals stand for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from kiosk.core.effects import Item
from kiosk.core.entries import CardBegun, CardClosed, CardJoined


@dataclass(frozen=True, slots=True)
class CardFact:
    """A card was begun, closed, or joined to ``account``."""

    what: Literal["begun", "closed", "joined"]
    card: bytes
    account: bytes | None = None


def of_items(items: Sequence[Item]) -> Iterator[CardFact]:
    """The facts of what was just committed."""
    for place, item in enumerate(items):
        if item.pseudonym is None:
            continue
        match item.draft:
            case CardBegun():
                yield CardFact("begun", item.pseudonym)
            case CardClosed():
                yield CardFact("closed", item.pseudonym)
            case CardJoined():
                account = items[place - item.back].pseudonym
                assert account is not None, "joined to an entry without a seal"
                yield CardFact("joined", item.pseudonym, account)
            case _:
                pass


def of_entry(entry: Mapping[str, object], card: bytes, account: bytes | None) -> CardFact | None:
    """The fact of a written entry; ``account`` what the seal of the entry it is ``of`` stands for. None for
    an entry that says nothing by itself, or not any more (its account was forgotten)."""
    match entry["kind"]:
        case "card_begun":
            return CardFact("begun", card)
        case "card_closed":
            return CardFact("closed", card)
        case "card_joined" if account is not None:
            return CardFact("joined", card, account)
    return None
