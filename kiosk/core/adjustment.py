"""From readings under known loads to a scale's slope and zero, with their honest doubt.

Invariant: ``fit`` gives a ``Fit`` whose true slope lies within ``relative_uncertainty`` in 95 to 99 % of
cases, or the ``Refusal`` that says why there is none. It never gives a doubtful number.

Theory. A load cell is a straight line: counts = zero + slope x grams. Each load is laid on once or
several times (*placements*); the empty readings before and after one are averaged, so a drift that goes
on evenly drops out. Two points (empty, one load) give the slope by division, more by least squares
through the empty point; what is left over at each load is the linearity. What is not known:

* the counts' own noise, and how differently the same load weighs when it is laid down anew. The
  latter is estimated from few placements, so it is mixed with what platforms are like
  (``PLACED_D``, worth ``PLACED_WEIGHT`` placements);
* the reference: a bottle weighed on a household scale is right within that scale's tolerance, the
  same way for every bottle, so tolerances of several loads add up and do not average out.

OIML R 76-1:2006 asks of repeated weighings of one load that they differ by no more than the limit of
error (3.6.1); here a division.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from kiosk.core.coverage import half_width
from kiosk.core.still import Reading

LEAST_D = 20
"""A reference weighs at least so many divisions, and at least this share of Max:"""
LEAST_SHARE = 0.01
MOST_TOLERANCE = 0.02
"""A reference known no better than this share of itself adjusts nothing."""
SEEN_SHARE = 0.2
"""A reference that moves the scale by less than this share of what the old slope says was not laid on."""
REPEAT_D = 1.0
"""The same load laid on again shows the same within so many divisions."""
ZERO_D = 1.0
"""The empty scale comes back within so many divisions."""
LINEAR_D = 1.0
"""How far a load may lie from the line, beside what its reference and noise explain."""
ASK_CHANGE = 0.05
"""A slope that changes by more is asked about: another cell, or the wrong bottle."""
PLACED_D = 0.1
PLACED_WEIGHT = 4
MAX_LOADS = 20
MAX_PLACEMENTS = 20


@dataclass(frozen=True, slots=True)
class Reference:
    """What is laid on: its weight as known, and within what bound it is known (rectangular)."""

    mass_g: float
    tolerance_g: float


@dataclass(frozen=True, slots=True)
class Placement:
    """One laying-on: the scale before, under the load, and after it was taken off again."""

    before: Reading
    loaded: Reading
    after: Reading | None = None

    @property
    def rise_counts(self) -> float:
        empty = self.before.counts
        if self.after is not None:
            empty = (empty + self.after.counts) / 2
        return self.loaded.counts - empty

    @property
    def uncertainty_counts(self) -> float:
        if self.after is None:
            empty = self.before.uncertainty_counts
        else:
            empty = math.hypot(self.before.uncertainty_counts, self.after.uncertainty_counts) / 2
        return math.hypot(self.loaded.uncertainty_counts, empty)

    @property
    def zero_moved_counts(self) -> float:
        return 0.0 if self.after is None else self.after.counts - self.before.counts


@dataclass(frozen=True, slots=True)
class Load:
    """One reference and every time it was laid on."""

    reference: Reference
    placements: tuple[Placement, ...]

    @property
    def rise_counts(self) -> float:
        return sum(p.rise_counts for p in self.placements) / len(self.placements)

    @property
    def range_counts(self) -> float:
        rises = [p.rise_counts for p in self.placements]
        return max(rises) - min(rises)


@dataclass(frozen=True, slots=True)
class Instrument:
    """The scale as it was so far."""

    max_g: int
    division_g: int
    counts_per_gram: float


@dataclass(frozen=True, slots=True)
class LoadSmall:
    """The reference is too light to say anything about Max."""

    mass_g: float
    least_g: float


@dataclass(frozen=True, slots=True)
class LoadBig:
    """More than the scale may carry."""

    mass_g: float
    max_g: float


@dataclass(frozen=True, slots=True)
class LoadUnsure:
    """The reference is known too badly."""

    tolerance_g: float
    most_g: float


@dataclass(frozen=True, slots=True)
class WrongOrder:
    """The weight went the other way: loaded first and emptied then, or the cell's wires crossed."""

    change_g: float


@dataclass(frozen=True, slots=True)
class NotSeen:
    """The scale hardly moved: nothing was laid on, or something holds the plate."""

    change_g: float
    expected_g: float


@dataclass(frozen=True, slots=True)
class NotRepeated:
    """The same load showed differently when it was laid on again."""

    difference_g: float
    limit_g: float


@dataclass(frozen=True, slots=True)
class ZeroMoved:
    """Taken off, the scale did not come back to where it was."""

    difference_g: float
    limit_g: float


@dataclass(frozen=True, slots=True)
class NotLinear:
    """The loads lie on no straight line; ``at_g`` the load that is furthest from it."""

    difference_g: float
    limit_g: float
    at_g: float


Refusal = (
    LoadSmall | LoadBig | LoadUnsure | WrongOrder | NotSeen | NotRepeated | ZeroMoved | NotLinear
)


@dataclass(frozen=True, slots=True)
class Fit:
    """The new line. ``zero_counts`` the newest empty reading; whether it is the zero, who asks knows.

    ``relative_uncertainty`` of the slope; ``residuals_g`` of each load to the line, in their order;
    ``repeat_g`` the largest range of one load's placements (None where each was laid on once);
    ``change`` of the slope against the old one, as a share of it.
    """

    counts_per_gram: float
    zero_counts: float
    relative_uncertainty: float
    residuals_g: tuple[float, ...]
    repeat_g: float | None
    change: float

    @property
    def asks(self) -> bool:
        """Whether somebody has to say that so large a change is meant."""
        return abs(self.change) > ASK_CHANGE


def unfit_reference(
    reference: Reference, scale: Instrument
) -> LoadSmall | LoadBig | LoadUnsure | None:
    """Why a reference cannot serve, before anybody carries it; None where it can."""
    least_g = max(LEAST_D * scale.division_g, LEAST_SHARE * scale.max_g)
    if reference.mass_g < least_g:
        return LoadSmall(reference.mass_g, least_g)
    if reference.mass_g > scale.max_g:
        return LoadBig(reference.mass_g, scale.max_g)
    most_g = MOST_TOLERANCE * reference.mass_g
    return LoadUnsure(reference.tolerance_g, most_g) if reference.tolerance_g > most_g else None


def unfit_placement(
    placement: Placement, reference: Reference, scale: Instrument
) -> Refusal | None:
    """Why one laying-on says nothing; None where it does."""
    change_g = placement.rise_counts / scale.counts_per_gram
    expected_g = reference.mass_g
    if change_g < -SEEN_SHARE * expected_g:
        return WrongOrder(change_g)
    if change_g < SEEN_SHARE * expected_g:
        return NotSeen(change_g, expected_g)
    moved_g = abs(placement.zero_moved_counts / scale.counts_per_gram)
    limit_g = ZERO_D * scale.division_g
    return ZeroMoved(moved_g, limit_g) if moved_g > limit_g else None


def fit(loads: Sequence[Load], scale: Instrument) -> Fit | Refusal:
    """The line through the empty scale and all loads, or why there is none."""
    if not 1 <= len(loads) <= MAX_LOADS:
        raise ValueError(f"{len(loads)} loads")
    for load in loads:
        if not 1 <= len(load.placements) <= MAX_PLACEMENTS:
            raise ValueError(f"{len(load.placements)} placements")
        refusal: Refusal | None = unfit_reference(load.reference, scale)
        for placement in load.placements:
            refusal = refusal or unfit_placement(placement, load.reference, scale)
        if refusal is not None:
            return refusal
    first = max(loads, key=lambda load: load.reference.mass_g)
    about = first.rise_counts / first.reference.mass_g
    uneven = _not_repeated(loads, scale, about)
    if uneven is not None:
        return uneven
    spread_counts = _placement_spread_counts(loads, abs(about) * scale.division_g)
    sigmas = [_sigma_counts(load, spread_counts) for load in loads]
    masses = [load.reference.mass_g for load in loads]
    weights = [1 / (s * s) for s in sigmas]
    # Least squares through the empty point: sum(w m rise) / sum(w m m).
    square = sum(w * m * m for w, m in zip(weights, masses, strict=True))
    shares = [w * m / square for w, m in zip(weights, masses, strict=True)]
    slope = sum(c * load.rise_counts for c, load in zip(shares, loads, strict=True))
    residuals_g = tuple(load.rise_counts / slope - m for load, m in zip(loads, masses, strict=True))
    bent = _not_linear(loads, residuals_g, sigmas, slope, scale)
    if bent is not None:
        return bent
    normal = math.sqrt(sum((c * s / slope) ** 2 for c, s in zip(shares, sigmas, strict=True)))
    box = sum(c * load.reference.tolerance_g for c, load in zip(shares, loads, strict=True))
    last = loads[-1].placements[-1]
    return Fit(
        counts_per_gram=slope,
        zero_counts=(last.after or last.before).counts,
        relative_uncertainty=half_width(normal, box),
        residuals_g=residuals_g,
        repeat_g=_range_g(loads, about),
        change=slope / scale.counts_per_gram - 1,
    )


def _range_g(loads: Sequence[Load], slope: float) -> float | None:
    ranges = [load.range_counts / abs(slope) for load in loads if len(load.placements) > 1]
    return max(ranges, default=None)


def _not_repeated(loads: Sequence[Load], scale: Instrument, slope: float) -> NotRepeated | None:
    difference_g, limit_g = _range_g(loads, slope), REPEAT_D * scale.division_g
    if difference_g is not None and difference_g > limit_g:
        return NotRepeated(difference_g, limit_g)
    return None


def _placement_spread_counts(loads: Sequence[Load], division_counts: float) -> float:
    """How differently a load weighs from placement to placement, one standard deviation.

    From what is seen: each load's placements around their mean, and the loads around their line as far
    as their tolerances do not explain it.
    """
    squares, freedom = PLACED_WEIGHT * (PLACED_D * division_counts) ** 2, PLACED_WEIGHT
    masses = [load.reference.mass_g for load in loads]
    about = sum(load.rise_counts * m for load, m in zip(loads, masses, strict=True))
    about /= sum(m * m for m in masses)
    for load, mass_g in zip(loads, masses, strict=True):
        mean, n = load.rise_counts, len(load.placements)
        squares += sum((p.rise_counts - mean) ** 2 for p in load.placements)
        explained = abs(about) * load.reference.tolerance_g
        squares += n * max(0.0, abs(mean - about * mass_g) - explained) ** 2
        freedom += n
    return math.sqrt(squares / (freedom - 1))


def _sigma_counts(load: Load, spread_counts: float) -> float:
    """The doubt of a load's mean rise. The spread holds the noise too: the larger one counts."""
    n = len(load.placements)
    noise = math.sqrt(sum(p.uncertainty_counts**2 for p in load.placements)) / n
    return max(spread_counts / math.sqrt(n), noise)


def _not_linear(
    loads: Sequence[Load],
    residuals_g: Sequence[float],
    sigmas: Sequence[float],
    slope: float,
    scale: Instrument,
) -> NotLinear | None:
    for load, residual_g, sigma in zip(loads, residuals_g, sigmas, strict=True):
        explained_g = load.reference.tolerance_g + 3 * sigma / abs(slope)
        limit_g = LINEAR_D * scale.division_g + explained_g
        if abs(residual_g) > limit_g:
            return NotLinear(residual_g, limit_g, load.reference.mass_g)
    return None
