"""Whose turn it is, as the screen can show it: small numbers for visits, never names.

After a restart in the middle of visits nobody knows whose turn it was: the screen asks whoever is there
to show the card again, until somebody does or ``RESUMED_MS`` are over (after a night nobody is there).

A mark says nothing of the card: it is the next number from 1 to 9 for whoever comes next, and is in no
entry. Numbers that tell the residents who stand at the bins at one time apart are enough; so few can be
read from there.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from kiosk.core.visits import Visit

MARKS = 9
GREETED_MS = 3_000
"""So long a card's greeting stands, whatever else is shown."""
MAX_GREETED = 6
"""More greetings at a time would not be read."""
RESUMED_MS = 60_000


@dataclass(slots=True)
class Turns:
    """The marks given since the start, and the cards greeted a moment ago."""

    given: int = 0
    greeted: list[tuple[int, int]] = field(default_factory=list)
    """Marks, and when each was greeted (boottime); oldest first."""
    resumed: bool = False
    """Visits were open when the last start ended."""
    _resumed_ms: int | None = None

    def greet(self, visit: Visit, t_ms: int) -> None:
        """A card was seen; the same card is greeted once at a time."""
        self.resumed = False
        if visit.mark is None:
            visit.mark = 1 + self.given % MARKS
            self.given += 1
        others = [one for one in self.greeted if one[0] != visit.mark]
        self.greeted = [*others, (visit.mark, t_ms)][-MAX_GREETED:]

    def pass_time(self, t_ms: int) -> None:
        if self.resumed:
            self._resumed_ms = t_ms if self._resumed_ms is None else self._resumed_ms
            self.resumed = t_ms - self._resumed_ms < RESUMED_MS
        if self.greeted:
            self.greeted = [one for one in self.greeted if t_ms - one[1] < GREETED_MS]
