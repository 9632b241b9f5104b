"""What is known of a class while it is here, and what happens to it (its rules: ``classroom``).

In memory only: a restart ends it.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ClassAsked:
    """A caretaker lets a class of so many ``teams`` in, or (0) out. Answered with ``Answered``, see
    ``classroom``."""

    t_ms: int
    request: str
    teams: int


@dataclass(frozen=True, slots=True)
class TeamChosen:
    """A touch on a team (from 0): it is its turn."""

    t_ms: int
    team: int


@dataclass(slots=True)
class Classroom:
    """``begun_ms`` boottime; ``grams`` of each team; ``team`` whose turn it is (from 0)."""

    begun_ms: int
    grams: list[int]
    team: int = 0
    by_visit: dict[str, dict[int, int]] = field(default_factory=dict)
    """Grams of each team by open visit: a card may still claim them."""

    def add(self, visit: str | None, net_g: int) -> None:
        self.grams[self.team] += net_g
        if visit is not None:
            of = self.by_visit.setdefault(visit, {})
            of[self.team] = of.get(self.team, 0) + net_g

    def give_back(self, visit: str) -> None:
        """What the visit brought was a resident's."""
        for team, net_g in self.by_visit.pop(visit, {}).items():
            self.grams[team] -= net_g
