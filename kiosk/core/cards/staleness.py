"""How old the city's word on a list is, and what an old one is still worth.

Invariant: no list is believed for ever, and no clock that nobody vouches for makes one old.

Theory. The city dates its words. Against them the station holds the latest moment that is *certainly
past*: what a synchronised clock says; else the last such moment, the day of the city's own newest
word (it is signed), and on top of it the time for which the station has run since. An unsynchronised
wall clock is not looked at. So a station without network and clock still ages its list, by its hours
of power, and one whose clock starts in 1970, or in 2099, does not.

A list that ought to be there and never came is as old as the station has missed it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from kiosk.core.cards.lists import DAY_MS
from kiosk.core.events import Moment

WhenOld = Literal["accept_proving", "refuse"]
Worth = Literal["good", "old", "ended"]
"""``old``: older than is good, and the settings say what still counts. ``ended``: beyond that too."""


@dataclass(frozen=True, slots=True)
class StaleRules:
    """``good_days`` a list is believed as it is; until ``end_days`` what ``when_old`` says counts;
    then none counts."""

    good_days: int
    end_days: int
    when_old: WhenOld

    def worth(self, age_days: int) -> Worth:
        if age_days <= self.good_days:
            return "good"
        return "old" if age_days <= self.end_days else "ended"

    def admits(self, age_days: int, *, proves: bool) -> bool:
        """Whether a card that the list does not refuse may be taken."""
        worth = self.worth(age_days)
        if worth == "old":
            return self.when_old == "accept_proving" and proves
        return worth == "good"


@dataclass(frozen=True, slots=True)
class Past:
    """A moment that is certainly past: UTC ``utc_ms`` at boottime ``boot_ms``.

    ``known`` False while no such moment is known: then ``utc_ms`` counts the station's hours from 0.
    ``missed_ms`` since when, on the same scale, a list that ought to be there is missed.
    """

    utc_ms: int
    boot_ms: int
    known: bool
    missed_ms: int

    @classmethod
    def nothing(cls, boot_ms: int) -> Past:
        """A station that has never known the time."""
        return cls(0, boot_ms, False, 0)

    def at(self, now: Moment) -> Past:
        """The same, moved to now."""
        if now.clock == "synced":
            return self._known(now.utc_ms, now.boot_ms)
        return replace(
            self, utc_ms=self.utc_ms + max(0, now.boot_ms - self.boot_ms), boot_ms=now.boot_ms
        )

    def told(self, day: int, now: Moment) -> Past:
        """The city dated a word: its day has begun."""
        here = self.at(now)
        day_ms = day * DAY_MS
        if here.known and day_ms <= here.utc_ms:
            return here
        return here if now.clock == "synced" else here._known(day_ms, now.boot_ms)

    def _known(self, utc_ms: int, boot_ms: int) -> Past:
        if self.known:
            return replace(self, utc_ms=utc_ms, boot_ms=boot_ms)
        # The hours counted so far lie before the moment that has become known.
        waited_ms = self.utc_ms + max(0, boot_ms - self.boot_ms) - self.missed_ms
        return Past(utc_ms, boot_ms, True, utc_ms - waited_ms)

    def age_days(self, day: int | None) -> int:
        """Of a word of that day; of one that never came (None), since it is missed."""
        since_ms = self.missed_ms if day is None else day * DAY_MS
        return max(0, self.utc_ms - since_ms) // DAY_MS
