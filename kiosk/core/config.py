"""The part of the settings that the rules read, already checked, in whole units."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from kiosk.core.earned import Limits
from kiosk.core.heat_rules import HeatRules
from kiosk.core.quiet_hours import QuietHours

Crowd = Literal["one_by_one", "together"]
PointsMode = Literal["none", "visit", "item", "kg"]


@dataclass(frozen=True, slots=True)
class ScaleRules:
    """One scale. ``counts_per_gram`` None for an indicator that sends grams.

    ``rate_sps`` samples per second expected; ``zeroes_itself`` an indicator that zeroes at
    power-on; ``certified_until_day`` last local day (days since 1970-01-01, as in ``Moment.day``)
    on which its own stable telegrams make certified weights of at least ``certified_min_g``;
    None: never. ``adjustment`` the number of the line that stands here; ``learns_warmth`` whether what a
    thermometer does to it may be learned from still nights.
    """

    max_g: int
    division_g: int
    min_increment_g: int
    rate_sps: float
    counts_per_gram: float | None = None
    zero_counts: int = 0
    zeroes_itself: bool = False
    certified_until_day: int | None = None
    certified_min_g: int = 0
    adjustment: int = 0
    learns_warmth: bool = False


@dataclass(frozen=True, slots=True)
class BinRules:
    """One bin; ``scale`` None for a bin without one (a normal bin)."""

    bin: str
    item: str
    scale: ScaleRules | None
    bag_limit_g: int | None = None
    near_empty_g: int = 100
    """How near its empty weight a bin counts as emptied."""
    bag_min_g: int = 500
    """A fall of less than this is something taken out, not a bag changed."""
    full_hold_ms: int | None = None
    """So long what the fill sensor says has to hold; None without one."""


@dataclass(frozen=True, slots=True)
class Tariff:
    """Points rules. ``per_item`` points a counted piece, ``per_kg`` points a kilogram, by item."""

    number: int = 0
    mode: PointsMode = "none"
    per_visit: int = 0
    per_kg: dict[str, int] = field(default_factory=dict)
    per_item: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StationRules:
    """All that the rules need to know of one station."""

    bins: tuple[BinRules, ...]
    readers: tuple[str, ...] = ()
    """The card readers' names as devices (``reader:ID``)."""
    crowd: Crowd = "together"
    tariff: Tariff = field(default_factory=Tariff)
    limits: Limits = field(default_factory=Limits)
    """What a card may earn on one day, as far as the settings say."""
    catalogue: int = 0
    link_days: int = 0
    self_issue: bool = False
    """Whether residents may begin a spare card themselves."""
    balance: bool = False
    """Whether residents may ask the city for their balance."""
    visit_idle_ms: int = 30_000
    thanks_ms: int = 6_000
    reopen_ms: int = 600_000
    handover_ms: int = 2_000
    claim_ms: int = 15_000
    touch_ms: int = 30_000
    quiet: QuietHours | None = None
    heat: HeatRules = field(default_factory=HeatRules)

    @property
    def limits_a_day(self) -> Limits:
        """Of one card. With points by visit that is one visit, unless the settings say otherwise."""
        if self.tariff.mode == "visit" and self.limits.visits is None:
            return Limits(1, self.limits.points)
        return self.limits
