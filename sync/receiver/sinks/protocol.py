"""What a sink is given, and what it answers: the contract of ``docs/sinks.md``.

Invariant: nothing in here tells of a person. There is no field for a visit, a seal, a pseudonym, a card
or points, so no sink, ours or a town's, can let one out.

Delivery is at least once and in the order of ``seq`` within a ledger. ``Change.id`` is the same however
often a change comes, also where a new ledger records it anew (``recovered``): the other end can be
idempotent by it. Whatever is *now* (``BinNow``, ``DayTotal``, ``StationNow``) is the whole truth of the
moment it was read: the later word replaces the earlier.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from kiosk.core.errors import CityError

ChangeKind = Literal["weighing", "unattributed", "bag_swap", "item_count"]


@dataclass(frozen=True, slots=True)
class When:
    """An interval of UTC in milliseconds. ``exact``: tied to a clock, as wide as its uncertainty;
    ``bounded``: somewhere between what was known before and after, None where nothing was."""

    time: Literal["exact", "bounded"]
    from_utc_ms: int | None
    to_utc_ms: int | None

    @property
    def utc_ms(self) -> int | None:
        """The middle of an exact time; None for a bounded one, which has no best guess."""
        if self.time != "exact" or self.from_utc_ms is None or self.to_utc_ms is None:
            return None
        return (self.from_utc_ms + self.to_utc_ms) // 2


@dataclass(frozen=True, slots=True)
class Change:
    """One committed change at a bin. Grams are whole; None where no scale saw it.

    ``net_g`` is after - before (``bag_swap``: before - after). ``held_g``: what lay in the bin after it,
    None without a scale and where ``again``. ``again``: sent before, its time is known better now.
    """

    id: str
    city: str
    station: str
    ledger: str
    seq: int
    kind: ChangeKind
    bin: str | None
    item: str
    cause: str | None
    mode: str | None
    net_g: int | None
    gross_after_g: int | None
    uncertainty_g: int | None
    count: int | None
    ml: int | None
    when: When
    held_g: int | None
    again: bool


@dataclass(frozen=True, slots=True)
class BinNow:
    """A bin as the last committed entry left it; ``held_g`` None without a scale."""

    city: str
    station: str
    ledger: str
    bin: str
    item: str
    held_g: int | None
    uncertainty_g: int | None
    changed: When
    emptied: When | None


@dataclass(frozen=True, slots=True)
class DayTotal:
    """What certainly fell on one day (days since 1970-01-01 in the city's time) of one item; None where
    nothing of that kind was counted. What cannot be tied to one day is in no total."""

    city: str
    station: str
    ledger: str
    day: int
    item: str
    net_g: int | None
    weighings: int
    pieces: int | None
    ml: int | None


@dataclass(frozen=True, slots=True)
class StationNow:
    """How far a station's ledger is committed; ``undated``: its deposits whose day is not known."""

    city: str
    station: str
    ledger: str
    entries: int
    received_ms: int
    undated: int


@dataclass(frozen=True, slots=True)
class Batch:
    """What is delivered at once, read in one moment; it may be of several stations."""

    changes: tuple[Change, ...]
    bins: tuple[BinNow, ...]
    days: tuple[DayTotal, ...]
    stations: tuple[StationNow, ...]


@dataclass(frozen=True, slots=True)
class Aside:
    """What the other end will never take. It is kept and told, and the rest goes on.

    ``subject``: what it was (an entity's id); ``payload``: as it was offered.
    """

    subject: str
    ledger: str
    code: str
    words: str
    payload: bytes


class Away(CityError):
    """The other end does not take anything now: it is tried again, later and later, for ever."""

    def __init__(self, code: str, what: str, todo: str, *, retry_after_s: float = 0.0) -> None:
        super().__init__(code, what, todo)
        self.retry_after_s = retry_after_s


class Sink(Protocol):
    """The way to one platform. ``name`` is its place in the database: keep it."""

    @property
    def name(self) -> str: ...

    def deliver(self, batch: Batch) -> Sequence[Aside]:
        """Return once the other end *has* everything but what is returned.

        Raises ``Away`` when it does not: then the same comes again. Bound the time that it takes to
        well under ``LEASE_S``.
        """
        ...

    def close(self) -> None:
        """The follower ends; nothing is delivered any more."""
        ...
