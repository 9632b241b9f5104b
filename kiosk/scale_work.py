"""Work at a scale, wherever it is done from: what the station says of it, and what a guide makes of that.

The command line works over the control socket, the caretaker's corner inside the station; both hear the
same items (``kiosk.tapping``) and put the same line in force.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import msgspec

from kiosk.cli.texts import Words
from kiosk.core.adjusted import Adjusted, Point, slope_ncounts
from kiosk.core.adjustment import Fit, Instrument, Load, Refusal
from kiosk.core.errors import DeviceError

HOUSEHOLD_SHARE, HOUSEHOLD_LEAST_G = 0.0025, 5.0
"""What a digital household scale is trusted with where nobody says better: 0.25 %, at least 5 g."""
LIMIT_S = 1_800.0
"""No guided work is longer: the bin is out of use meanwhile."""
MG = 1_000
"""An indicator's samples are milligrams: so many to the gram."""


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """What the station knows of a bin's scale; fields of a newer station are passed over.

    ``scale`` the adjustment in force, None where the settings' line is the first one.
    ``temperature_mc`` of its thermometer in 1/1000 °C, ``warmth_gain`` the factor that it puts
    to the slope.
    """

    bin: str
    kind: str
    max_g: int
    division_g: int
    min_increment_g: int
    rate_sps: float
    counts_per_gram: float | None
    zero_counts: int | None
    adjustment: int
    scale: Adjusted | None = None
    gross_g: int | None = None
    empty_g: int = 0
    temperature_mc: int | None = None
    warmth_gain: float = 1.0
    lost: str | None = None

    @property
    def raw(self) -> bool:
        """Whether its samples are counts; else they are milligrams."""
        return self.counts_per_gram is not None

    @property
    def instrument(self) -> Instrument:
        return Instrument(self.max_g, self.division_g, self.counts_per_gram or MG)


@dataclass(frozen=True, slots=True)
class Sample:
    """Counts, or an indicator's stable milligrams."""

    t_ms: int
    counts: int


@dataclass(frozen=True, slots=True)
class Doubt:
    """Samples were lost, or said to be moving."""

    moving: bool


@dataclass(frozen=True, slots=True)
class Refusals:
    """So many frames were not believed."""

    frames: int


@dataclass(frozen=True, slots=True)
class Lost:
    """The scale went away."""

    code: str


@dataclass(frozen=True, slots=True)
class Idle:
    """Time passes, and nothing comes."""


Heard = Sample | Doubt | Refusals | Lost | Idle


def parts(item: dict[str, Any]) -> Iterator[Heard]:
    """One item of the stream, taken apart."""
    if "lost" in item:
        yield Doubt(moving=False) if item["lost"] is None else Lost(item["lost"])
    elif "counts" in item:
        if item["gap"]:
            yield Doubt(moving=False)
        if item["rejected"]:
            yield Refusals(item["rejected"])
        for t_ms, counts in zip(item["t_ms"], item["counts"], strict=True):
            yield Sample(t_ms, counts)
    elif "gross_mg" in item:
        if item["status"] == "stable" and item["gross_mg"] is not None:
            yield Sample(item["t_ms"], item["gross_mg"])
        else:
            yield Doubt(moving=True)
    else:
        yield Idle()


def scale_lost(code: str) -> DeviceError:
    return DeviceError(
        "scale_lost",
        f"The scale went out of order meanwhile ({code}).",
        "See kiosk doctor scale.",
    )


def household_tolerance_g(mass_g: float) -> float:
    return max(HOUSEHOLD_LEAST_G, HOUSEHOLD_SHARE * mass_g)


def gave_up(why: str) -> DeviceError:
    if why == "refusals":
        return DeviceError(
            "adjust_refusals",
            "It was tried too often without a result; nothing was kept.",
            "Run kiosk scale diagnose, and look whether something touches the plate.",
        )
    return DeviceError(
        "adjust_patience",
        "Nothing happened for three minutes; nothing was kept.",
        "Begin again when the bottle is at hand.",
    )


def refused(why: Refusal) -> dict[str, Any]:
    """A refusal as a JSON line, with its figures."""
    return {"kind": "refused", "reason": name_of(why), **rounded(why)}


def refusal_words(words: Words, why: Refusal) -> tuple[str, str]:
    """What is wrong and what to do."""
    values = {
        name: f"{value / 1000:.2f}" if abs(value) >= 1000 else f"{value:.0f}"
        for name, value in rounded(why).items()
    }
    units = {f"{name}_unit": "kg" if abs(v) >= 1000 else "g" for name, v in rounded(why).items()}
    key = f"refusal.{name_of(why)}"
    return words(f"{key}.what", **values, **units), words(f"{key}.todo", **values, **units)


def name_of(why: Refusal) -> str:
    """``LoadSmall`` is ``load_small``."""
    return re.sub(r"(?<!^)([A-Z])", r"_\1", type(why).__name__).lower()


def rounded(why: Refusal) -> dict[str, float]:
    return {name: round(value, 1) for name, value in asdict(why).items()}


def new_line(
    line: Line,
    found: Fit,
    loads: Sequence[Load],
    *,
    empty: bool,
    gravity_m_s2: float | None = None,
) -> Adjusted:
    """What is put in force; ``empty``: the bin was empty, so that the zero is known too."""
    return msgspec.structs.replace(
        line.scale or Adjusted(),
        slope_ncounts_per_g=slope_ncounts(found.counts_per_gram),
        zero_counts=round(found.zero_counts) if empty else line.zero_counts,
        span_ppm=math.ceil(found.relative_uncertainty * 1e6),
        linearity_mg=round(max(map(abs, found.residuals_g)) * 1000) if len(loads) > 1 else None,
        temperature_mc=line.temperature_mc,
        gravity_um_per_s2=None if gravity_m_s2 is None else round(gravity_m_s2 * 1e6),
        points=tuple(point(load, found.zero_counts) for load in loads),
    )


def method_of(loads: Sequence[Load]) -> str:
    """As the ledger names it."""
    return "two_points" if len(loads) == 1 else "points"


def point(load: Load, zero_counts: float) -> Point:
    return Point(
        load_mg=round(load.reference.mass_g * 1000),
        uncertainty_mg=round(load.reference.tolerance_g * 1000),
        counts=round(zero_counts + load.rise_counts),
    )
