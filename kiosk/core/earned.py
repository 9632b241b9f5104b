"""What cards have earned today, and what more they may.

Invariant: points given on one day under one name, or under a name tied to it, are counted once, and are
never more than ``points_per_day`` in at most ``visits_per_day`` visits.

Theory. A card may be photographed and shown by many hands; nobody can see that. What it may do on a day is
bounded instead: it is weighed as ever, and earns nothing more. A household's cards share an account and so
its day. While the pseudonym key is being changed a card has two names, and what it earns is written
under both: whoever of the household comes next, and by whichever name, meets it.

A machine that was switched off for a night and does not know the time believes that it is still yesterday.
What was earned before it was switched on counts only where the clock is known (``unsure``): nobody is told
that today's points are given because of yesterday's. Once the clock is known it counts again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

MAX_NAMES = 4_096
"""Names remembered; the one that earned longest ago goes first."""


@dataclass(frozen=True, slots=True)
class Earned:
    """What one name earned on ``day`` (days since 1970-01-01): ``points`` in so many ``visits``."""

    day: int
    visits: int = 0
    points: int = 0


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one card and day, None without a limit. ``visits`` counts those that earned something."""

    visits: int | None = None
    points: int | None = None


class Earnings:
    """By name, of the day on which it last earned something."""

    def __init__(
        self, known: Mapping[bytes, Earned], earlier: Mapping[bytes, Earned] | None = None
    ) -> None:
        """``earlier`` what was known before the machine was switched on."""
        self._earned = dict(known)
        self._earlier = dict(earlier or {})
        self.unsure = False
        """Nobody knows which day it is."""

    def of(self, names: Iterable[bytes], day: int) -> Earned:
        """What a card of these names has earned on ``day``."""
        books = [self._earned] if self.unsure else [self._earned, self._earlier]
        known = [book.get(name) for book in books for name in names]
        found = [e for e in known if e is not None and e.day == day]
        return Earned(
            day,
            max((e.visits for e in found), default=0),
            max((e.points for e in found), default=0),
        )

    def add(self, names: tuple[bytes, ...], day: int, points: int, *, first: bool) -> None:
        """A visit earned ``points`` (taken back where negative); ``first`` where it had none yet. Names
        that come together here share from now on what each had."""
        before = self.of(names, day)
        after = Earned(day, before.visits + first, before.points + points)
        if after == Earned(day):
            return
        for name in names:
            self._earned.pop(name, None)
            self._earned[name] = after
        while len(self._earned) > MAX_NAMES:
            del self._earned[next(iter(self._earned))]

    def room(
        self, names: tuple[bytes, ...], day: int, limits: Limits, *, first: bool
    ) -> int | None:
        """How many points a visit may still earn, None for any number; ``first`` as above."""
        earned = self.of(names, day)
        if first and limits.visits is not None and earned.visits >= limits.visits:
            return 0
        return None if limits.points is None else max(0, limits.points - earned.points)

    def known(self) -> dict[bytes, Earned]:
        return {**self._earlier, **self._earned}
