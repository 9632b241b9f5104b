"""What is remembered of a card beyond its visit: today's points, and the visit to go on with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from kiosk.core.visits import Visit

MAX_RECENT = 512
OWED_MS = 60 * 60_000
"""So long what was taken out is counted as put back, not as dropped anew (``putback``)."""


@dataclass(slots=True)
class Recent:
    """A card's last visit: grams by item, and by bin what may be taken out or put back."""

    ended_ms: int
    net_g: dict[str, int]
    put_in_g: dict[str, int]
    owes_g: dict[str, int] = field(default_factory=dict)


class Residents:
    """Pseudonyms only, in memory only. ``credited`` as in ``Memory``."""

    def __init__(self, credited: Mapping[bytes, int]) -> None:
        self._credited = dict(credited)
        self._recent: dict[bytes, Recent] = {}

    def is_credited(self, pseudonym: bytes, day: int) -> bool:
        """Whether this card had its points of a visit today."""
        return self._credited.get(pseudonym) == day

    def credit(self, pseudonym: bytes, day: int) -> None:
        self._credited[pseudonym] = day

    def remember(self, visit: Visit) -> None:
        """A visit is over; its grams are kept for a card that comes back soon."""
        if visit.pseudonym is None or not (visit.net_g or visit.owes_g):
            return
        self._recent.pop(visit.pseudonym, None)
        self._recent[visit.pseudonym] = Recent(
            visit.ended_ms or 0, visit.net_g, visit.put_in_g, visit.owes_g
        )
        while len(self._recent) > MAX_RECENT:
            self._recent.pop(next(iter(self._recent)))

    def go_on(self, visit: Visit, t_ms: int, reopen_ms: int) -> None:
        """A card's visit begins where its last one ended, if that was lately."""
        recent = None if visit.pseudonym is None else self._recent.get(visit.pseudonym)
        if recent is None:
            return
        if t_ms - recent.ended_ms <= reopen_ms:
            visit.net_g, visit.put_in_g = dict(recent.net_g), dict(recent.put_in_g)
        if t_ms - recent.ended_ms <= OWED_MS:
            visit.owes_g = dict(recent.owes_g)

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
