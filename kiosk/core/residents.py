"""What is remembered of a card beyond its visit: what it earned today, the visit to go on with, and
whether its names were tied (``ties``)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from kiosk.core.config import Tariff
from kiosk.core.earned import Earnings, Limits
from kiosk.core.memory import Memory
from kiosk.core.ties import Ties
from kiosk.core.visits import Visit

MAX_RECENT = 512
OWED_MS = 60 * 60_000
"""So long what was taken out is counted as put back, not as dropped anew (``putback``)."""


@dataclass(slots=True)
class Recent:
    """A card's last visit: grams by item, and by bin what may be taken out or put back."""

    names: tuple[bytes, ...]
    ended_ms: int
    net_g: dict[str, int]
    put_in_g: dict[str, int]
    tariff: Tariff
    owes_g: dict[str, int] = field(default_factory=dict)
    points: int = 0


class Residents:
    """Pseudonyms only, in memory only."""

    def __init__(self, memory: Memory, limits: Limits) -> None:
        self.ties = Ties(memory.tied)
        if memory.same_boot:
            self._earnings = Earnings(memory.earned)
        else:
            self._earnings = Earnings({}, memory.earned)
        self.limits = limits
        """Of one card and day, by the rules in force."""
        self._recent: dict[bytes, Recent] = {}

    def doubt_day(self, unsure: bool) -> None:
        """Whether nobody knows which day it is."""
        self._earnings.unsure = unsure

    def room(self, visit: Visit, day: int) -> int | None:
        """How many points its card may still earn in this visit, None for any number."""
        if not visit.names:
            return None
        return self._earnings.room(visit.names, day, self.limits, first=visit.points == 0)

    def earn(self, visit: Visit, points: int, day: int) -> None:
        """Points of a visit are durable."""
        if visit.names and points:
            self._earnings.add(visit.names, day, points, first=visit.points == 0)
        visit.points += points

    def remember(self, visit: Visit) -> None:
        """A visit is over; what it brought is kept for a card that comes back soon."""
        if visit.pseudonym is None or not (visit.net_g or visit.owes_g or visit.points):
            return
        self._recent.pop(visit.pseudonym, None)
        self._recent[visit.pseudonym] = Recent(
            visit.names,
            visit.ended_ms or 0,
            visit.net_g,
            visit.put_in_g,
            visit.tariff,
            visit.owes_g,
            visit.points,
        )
        while len(self._recent) > MAX_RECENT:
            self._recent.pop(next(iter(self._recent)))

    def go_on(self, visit: Visit, t_ms: int, reopen_ms: int) -> None:
        """A card's visit begins where its last one ended, if that was lately."""
        recent = self._last(visit.names)
        if recent is None:
            return
        if t_ms - recent.ended_ms <= reopen_ms:
            visit.net_g, visit.put_in_g = dict(recent.net_g), dict(recent.put_in_g)
            visit.points, visit.tariff = recent.points, recent.tariff
        if t_ms - recent.ended_ms <= OWED_MS:
            visit.owes_g = dict(recent.owes_g)

    def _last(self, names: Iterable[bytes]) -> Recent | None:
        """The last visit of a card with one of these names."""
        found = (r for r in reversed(self._recent.values()) if not set(r.names).isdisjoint(names))
        return next(found, None)

    def taken_out(self, bin_id: str, taken_g: int, slack_g: int, t_ms: int) -> None:
        """``taken_g`` less lies in a bin, by nobody's hand: whoever put in as much may bring it back."""
        for recent in self._recent.values():
            put_in_g = recent.put_in_g.get(bin_id, 0)
            if t_ms - recent.ended_ms <= OWED_MS and 0 < taken_g <= put_in_g + slack_g:
                recent.put_in_g[bin_id] = max(0, put_in_g - taken_g)
                recent.owes_g[bin_id] = recent.owes_g.get(bin_id, 0) + taken_g

    def bag_changed(self, bin_id: str) -> None:
        """What was put into the old bag can no longer be taken out."""
        for recent in self._recent.values():
            recent.put_in_g.pop(bin_id, None)
