"""Visits: who is here, and who was a moment ago."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from kiosk.core.config import Crowd, Tariff
from kiosk.core.entries import CloseReason

MAX_OPEN_VISITS = 32


@dataclass(slots=True)
class Visit:
    """One visit. ``pseudonym`` None while nobody has shown a card; ``ended_ms`` when its turn ended
    (its entry ``visit_close`` follows when its last change has settled); ``closed`` with that entry.
    ``formerly`` the card's name under the pseudonym key before."""

    visit: str
    opened_ms: int
    pseudonym: bytes | None
    active_ms: int
    tariff: Tariff
    """It counts by this one to its end."""
    formerly: bytes | None = None
    net_g: dict[str, int] = field(default_factory=dict)
    put_in_g: dict[str, int] = field(default_factory=dict)
    """Net grams by bin, since the bin's last bag: what may be taken out again."""
    owes_g: dict[str, int] = field(default_factory=dict)
    """By bin: what was taken out between this card's visits, and may be put back (``putback``)."""
    pieces: int = 0
    points: int = 0
    """Earned by it, and by the visit that it goes on with."""
    mark: int | None = None
    """Its turn's, for the screen; None while nobody has shown a card."""
    ended_ms: int | None = None
    why: CloseReason = "idle"
    closed: bool = False

    @property
    def names(self) -> tuple[bytes, ...]:
        """Every pseudonym of its card."""
        return tuple(name for name in (self.pseudonym, self.formerly) if name is not None)

    def brought_g(self) -> int:
        return sum(self.net_g.values())

    def end(self, t_ms: int, why: CloseReason) -> None:
        """Nothing begun from here on is this visit's; the first end counts."""
        if self.ended_ms is None:
            self.ended_ms, self.why = t_ms, why

    def touch(self, t_ms: int) -> None:
        """The visit goes on: its idle time begins anew."""
        self.active_ms = max(self.active_ms, t_ms)


class Visits:
    """Open visits, and ended ones while a movement of their time may still settle; oldest first."""

    def __init__(self) -> None:
        self._visits: list[Visit] = []

    def __iter__(self) -> Iterator[Visit]:
        return iter(self._visits)

    def __len__(self) -> int:
        return len(self._visits)

    def add(self, visit: Visit) -> None:
        self._visits.append(visit)

    def bound(self, t_ms: int) -> None:
        """Ends the oldest open visits that are too many."""
        for visit in self.open()[:-MAX_OPEN_VISITS]:
            visit.end(t_ms, "limit")

    def forget(self, before_ms: int) -> None:
        """Drops closed visits that ended before ``before_ms``."""
        self._visits = [
            v for v in self._visits if not v.closed or v.ended_ms is None or v.ended_ms >= before_ms
        ]

    def get(self, visit_id: str | None) -> Visit | None:
        return next((v for v in self._visits if v.visit == visit_id), None)

    def open(self) -> list[Visit]:
        return [v for v in self._visits if v.ended_ms is None]

    def current(self) -> Visit | None:
        """The open visit that began last."""
        return max(self.open(), key=lambda v: v.opened_ms, default=None)

    def open_of(self, names: Iterable[bytes]) -> Visit | None:
        """The open visit of a card with one of these names."""
        return next((v for v in self.open() if not set(v.names).isdisjoint(names)), None)

    def somebody_is_at_a_bin(self, t_ms: int, crowd: Crowd) -> None:
        """The visit that it can only be goes on."""
        visits = self.open()
        if crowd == "one_by_one" or len(visits) == 1:
            for visit in visits:
                visit.touch(t_ms)
