"""What is remembered of a card beyond its visit: today's points, and the visit to go on with."""

from __future__ import annotations

from collections.abc import Mapping

from kiosk.core.visits import Visit

MAX_RECENT = 512


class Residents:
    """Pseudonyms only, in memory only. ``credited`` as in ``Memory``."""

    def __init__(self, credited: Mapping[bytes, int]) -> None:
        self._credited = dict(credited)
        self._recent: dict[bytes, tuple[int, dict[str, int]]] = {}

    def is_credited(self, pseudonym: bytes, day: int) -> bool:
        """Whether this card had its points of a visit today."""
        return self._credited.get(pseudonym) == day

    def credit(self, pseudonym: bytes, day: int) -> None:
        self._credited[pseudonym] = day

    def remember(self, visit: Visit) -> None:
        """A visit is over; its grams are kept for a card that comes back soon."""
        if visit.pseudonym is None or not visit.net_g:
            return
        self._recent[visit.pseudonym] = (visit.ended_ms or 0, visit.net_g)
        while len(self._recent) > MAX_RECENT:
            self._recent.pop(next(iter(self._recent)))

    def brought_lately_g(self, pseudonym: bytes, t_ms: int, reopen_ms: int) -> dict[str, int]:
        """Grams by item of the visit that this card's next one goes on with; {} for none."""
        ended_ms, net_g = self._recent.get(pseudonym, (0, {}))
        return dict(net_g) if t_ms - ended_ms <= reopen_ms else {}
