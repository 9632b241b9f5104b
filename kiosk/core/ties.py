"""While the pseudonym key is being changed: which new names were tied to their old ones.

An ``alias`` entry says so to the city. It holds a seal, and a forgotten seal says nothing; so it is
written once, and again only at a check-in after its seal has been forgotten. With nothing remembered beside
the seals there is no list of who has been here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kiosk.core.events import CardSeen

MAX_TIES = 4_096
"""Remembered; the oldest goes first, and is written once more."""


@dataclass(frozen=True, slots=True)
class Tie:
    """``formerly`` the old name; ``day`` the local day of the ``alias`` entry."""

    formerly: bytes
    day: int


class Ties:
    """By new name."""

    def __init__(self, known: Mapping[bytes, Tie]) -> None:
        self._ties = dict(known)

    def is_due(self, card: CardSeen, day: int, link_days: int) -> bool:
        """Whether an alias has to be written for this card now; ``link_days`` as in the settings."""
        if card.formerly is None:
            return False
        tie = self._ties.get(card.pseudonym)
        held = tie is not None and tie.formerly == card.formerly and day <= tie.day + link_days
        return not held

    def tie(self, card: CardSeen, day: int) -> None:
        """The alias is durable."""
        if card.formerly is None:
            return
        self._ties.pop(card.pseudonym, None)
        self._ties[card.pseudonym] = Tie(card.formerly, day)
        while len(self._ties) > MAX_TIES:
            del self._ties[next(iter(self._ties))]
