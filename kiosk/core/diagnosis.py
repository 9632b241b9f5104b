"""Ten seconds of a scale left alone, and what they say of its wires, its place and its settings.

Each check looks at one thing and says ``ok`` or what is wrong, with its figures; the words stand in the
command line's catalogues. Figures are in grams by the line in force, since "40 counts" helps nobody.

Theory. A load cell on an HX711 that stands still shows noise of 20 to 60 counts and nothing else.
Everything else has a shape of its own: a swing (floor, mains), a slope (warming up, creep, a leak), jumps
that return (a bad frame), jumps that stay (a loose wire), bits that never change, a value at the end of
the range, a rate that is not the chip's.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean, median
from typing import Literal

from kiosk.core.spectrum import Swing, swing
from kiosk.core.still import FAR, ROBUST

SECONDS = 10
LEAST_SAMPLES = 32
FULL_RANGE = 1 << 23
"""24 bits, two's complement."""
NEAR_END = 0.98
RATE_SPREAD = 0.25
"""HX711 boards run up to a fifth off their nominal rate."""
MANY_REFUSED = 0.05
MANY_SPIKES = 0.01
LOUD_D, VERY_LOUD_D = 0.25, 1.0
"""Of one sample, one standard deviation: averaged over a second it has to stay well below d."""
LOUD_ROUNDED_D = 0.6
"""An indicator rounds to a division, which by itself looks like 0.3 d."""
SWING_D = 0.15
DRIFT_D_PER_MIN = 1.0
MOVED_D = 2.0
JUMPS = 2
"""Steps that stay, while nobody touched it."""
COARSE_SIGMAS = 2.0
"""A division has at least so many standard deviations of the noise."""
REVERSED_SHARE = 0.02
OVERLOAD_D = 9
MAINS_HZ = (50.0, 60.0)
NEAR_HZ = 0.8
FAST_SPS = 40
SWAY_HZ = 4.0

Check = Literal[
    "signal",
    "wires",
    "range",
    "rate",
    "refused",
    "bits",
    "spikes",
    "still",
    "noise",
    "swing",
    "drift",
]
Level = Literal["OK", "WARN", "ERR"]
Value = float | int | str


@dataclass(frozen=True, slots=True)
class Finding:
    """One check's verdict. ``values`` are numbers for the sentence."""

    check: Check
    level: Level
    case: str
    values: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Watched:
    """What came in ``SECONDS``. ``counts`` raw, or an indicator's milligrams (``counts_per_gram``
    1,000, ``zero_counts`` 0, ``raw`` false); ``refused`` frames that were not believed, ``gaps`` blocks
    that were lost, ``moving`` telegrams said to be in motion, ``lost`` the code of every loss."""

    t_ms: Sequence[int]
    counts: Sequence[int]
    counts_per_gram: float
    zero_counts: int
    max_g: int
    division_g: int
    rate_sps: float
    raw: bool = True
    refused: int = 0
    gaps: int = 0
    moving: int = 0
    lost: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured, for programs; None where too little came."""

    samples: int
    rate_sps: float | None = None
    gross_g: float | None = None
    noise_counts: float | None = None
    noise_g: float | None = None
    drift_g_per_min: float | None = None
    spikes: int = 0
    swing_hz: float | None = None
    swing_g: float | None = None


def diagnose(seen: Watched) -> tuple[Figures, tuple[Finding, ...]]:
    """The figures and every check's verdict, in the order in which to mend things."""
    signal = _signal(seen)
    if signal.level == "ERR":
        return Figures(len(seen.counts)), (signal,)
    shape = _Shape(seen)
    wires, still = _wires(seen, shape), _still(seen, shape)
    findings = [signal, wires, _rate(seen, shape), _refused(seen), _bits(seen, shape)]
    # A weight that jumps or moves has neither a noise nor a drift of its own.
    if wires.case != "loose":
        findings += [_spikes(seen, shape), still]
        if still.level == "OK":
            judges = (_range, _noise, _swing, _drift)
            findings += [judge(seen, shape) for judge in judges]
    figures = Figures(
        samples=len(seen.counts),
        rate_sps=shape.rate_sps,
        gross_g=shape.gross_g,
        noise_counts=shape.noise if seen.raw else None,
        noise_g=shape.grams(shape.noise),
        drift_g_per_min=shape.drift_g_per_min,
        spikes=shape.spikes,
        swing_hz=shape.swing.hz if shape.swing else None,
        swing_g=shape.grams(shape.swing.amplitude) if shape.swing else None,
    )
    return figures, tuple(findings)


class _Shape:
    """The samples taken apart: spikes, steps, slope, swing, and the noise that is left."""

    def __init__(self, seen: Watched) -> None:
        self._per_count_g = 1 / abs(seen.counts_per_gram)
        span_ms = seen.t_ms[-1] - seen.t_ms[0]
        self.rate_sps = (len(seen.t_ms) - 1) * 1000 / span_ms if span_ms > 0 else 0.0
        # What is far from its neighbours' median is a spike; what stays is a step.
        around = [median(seen.counts[max(0, i - 3) : i + 4]) for i in range(len(seen.counts))]
        off = [one - middle for one, middle in zip(seen.counts, around, strict=True)]
        # An indicator's values are whole divisions: one of them is no spike.
        least = 1.0 if seen.raw else seen.division_g / self._per_count_g / 2
        spread = max(least, ROBUST * median(abs(one) for one in off))
        good = [
            (t, float(one))
            for t, one, distance in zip(seen.t_ms, seen.counts, off, strict=True)
            if abs(distance) <= FAR * spread
        ]
        self.spikes = len(off) - len(good)
        step = max(8 * spread, MOVED_D * seen.division_g / self._per_count_g)
        self.jumps = sum(abs(b - a) > step for a, b in zip(around, around[3:], strict=False)) // 3
        times = [t / 1000 for t, _ in good]
        values = [one for _, one in good]
        middle_s, mean = fmean(times), fmean(values)
        square = sum((t - middle_s) ** 2 for t in times)
        lean = sum((t - middle_s) * (v - mean) for t, v in zip(times, values, strict=True))
        slope = lean / square if square else 0.0
        rest = [v - mean - slope * (t - middle_s) for t, v in zip(times, values, strict=True)]
        self.swing: Swing | None = swing(rest, self.rate_sps) if seen.raw else None
        swings = self.swing.amplitude**2 / 2 if self.swing else 0.0
        self.noise = math.sqrt(max(0.0, sum(one * one for one in rest) / len(rest) - swings))
        self.values = [round(one) for one in values]
        self.gross_g = (mean - seen.zero_counts) / seen.counts_per_gram
        self.drift_g_per_min = slope * 60 / seen.counts_per_gram
        half = len(values) // 2
        self.moved_g = self.grams(abs(fmean(values[half:]) - fmean(values[:half])))

    def grams(self, counts: float) -> float:
        return counts * self._per_count_g


def _signal(seen: Watched) -> Finding:
    if seen.raw and any(abs(one) >= NEAR_END * FULL_RANGE for one in seen.counts):
        return Finding("signal", "ERR", "saturated")
    if seen.lost and len(seen.counts) < LEAST_SAMPLES:
        return Finding("signal", "ERR", "lost", {"cause": seen.lost[-1]})
    if len(seen.counts) < LEAST_SAMPLES:
        return Finding("signal", "ERR", "silent", {"samples": len(seen.counts)})
    if seen.raw and min(seen.counts) == max(seen.counts):
        return Finding("signal", "ERR", "frozen", {"samples": len(seen.counts)})
    return Finding("signal", "OK", "ok", {"samples": len(seen.counts)})


def _wires(seen: Watched, shape: _Shape) -> Finding:
    gross_g = round(shape.gross_g)
    if seen.lost or shape.jumps >= JUMPS:
        return Finding("wires", "ERR", "loose", {"times": len(seen.lost) + shape.jumps})
    if gross_g < -max(5 * seen.division_g, REVERSED_SHARE * seen.max_g):
        return Finding("wires", "ERR", "reversed", {"gross_g": gross_g})
    if gross_g > seen.max_g + OVERLOAD_D * seen.division_g:
        return Finding("wires", "ERR", "overload", {"gross_g": gross_g, "max_g": seen.max_g})
    return Finding("wires", "OK", "ok", {"gross_g": gross_g})


def _range(seen: Watched, shape: _Shape) -> Finding:
    """Whether Max fits into the converter, and a division stands clear of the noise."""
    if not seen.raw:
        return Finding("range", "OK", "indicator")
    at_max = seen.zero_counts + seen.counts_per_gram * seen.max_g
    used_pct = round(100 * abs(seen.counts_per_gram) * seen.max_g / FULL_RANGE, 1)
    if abs(at_max) >= NEAR_END * FULL_RANGE:
        ends = FULL_RANGE * math.copysign(NEAR_END, at_max)
        end_g = (ends - seen.zero_counts) / seen.counts_per_gram
        return Finding("range", "ERR", "short", {"end_g": round(end_g), "max_g": seen.max_g})
    division_counts = abs(seen.counts_per_gram) * seen.division_g
    if division_counts < COARSE_SIGMAS * shape.noise:
        values = {"used_pct": used_pct, "division_g": seen.division_g}
        return Finding("range", "WARN", "coarse", values)
    return Finding("range", "OK", "ok", {"used_pct": used_pct})


def _rate(seen: Watched, shape: _Shape) -> Finding:
    values = {"rate_sps": round(shape.rate_sps, 1), "set_sps": round(seen.rate_sps, 1)}
    ratio = shape.rate_sps / seen.rate_sps
    if ratio < 1 - RATE_SPREAD:
        return Finding("rate", "WARN", "slow", values)
    return Finding("rate", "WARN" if ratio > 1 + RATE_SPREAD else "OK", _or(ratio), values)


def _or(ratio: float) -> str:
    return "fast" if ratio > 1 + RATE_SPREAD else "ok"


def _refused(seen: Watched) -> Finding:
    values = {"refused": seen.refused, "gaps": seen.gaps}
    if seen.refused > MANY_REFUSED * len(seen.counts):
        return Finding("refused", "WARN", "many", values)
    return Finding("refused", "WARN" if seen.gaps else "OK", "gaps" if seen.gaps else "ok", values)


def _bits(seen: Watched, shape: _Shape) -> Finding:
    """A low bit that never changes in noise much larger than it is held by something."""
    if seen.raw:
        ones, zeros = shape.values[0], ~shape.values[0]
        for one in shape.values:
            ones, zeros = ones & one, zeros & ~one
        clear = int(math.log2(shape.noise / 4)) if shape.noise >= 4 else -1
        stuck = [bit for bit in range(clear + 1) if (ones | zeros) >> bit & 1]
        if stuck:
            return Finding("bits", "WARN", "stuck", {"bits": ", ".join(map(str, stuck))})
    return Finding("bits", "OK", "ok")


def _spikes(seen: Watched, shape: _Shape) -> Finding:
    values = {"spikes": shape.spikes, "samples": len(seen.counts)}
    if shape.spikes > MANY_SPIKES * len(seen.counts) + 1:
        return Finding("spikes", "WARN", "many", values)
    return Finding("spikes", "OK", "some" if shape.spikes else "ok", values)


def _still(seen: Watched, shape: _Shape) -> Finding:
    values = {"moved_g": round(shape.moved_g, 1)}
    moved = shape.moved_g > MOVED_D * seen.division_g or 2 * seen.moving > len(seen.counts)
    return Finding("still", "WARN" if moved else "OK", "moved" if moved else "ok", values)


def _noise(seen: Watched, shape: _Shape) -> Finding:
    noise_g = shape.grams(shape.noise)
    values = {"noise_g": _short(noise_g), "division_g": seen.division_g}
    if noise_g > VERY_LOUD_D * seen.division_g:
        return Finding("noise", "ERR", "very_loud", values)
    loud = noise_g > (LOUD_D if seen.raw else LOUD_ROUNDED_D) * seen.division_g
    return Finding("noise", "WARN" if loud else "OK", "loud" if loud else "ok", values)


def _swing(seen: Watched, shape: _Shape) -> Finding:
    found = shape.swing
    if found is None or shape.grams(found.amplitude) < SWING_D * seen.division_g:
        return Finding("swing", "OK", "ok")
    values = {"hz": round(found.hz, 1), "swing_g": _short(shape.grams(found.amplitude))}
    if shape.rate_sps >= FAST_SPS:
        aliases = [abs(hz - round(hz / shape.rate_sps) * shape.rate_sps) for hz in MAINS_HZ]
        if any(abs(found.hz - alias) < NEAR_HZ for alias in aliases):
            return Finding("swing", "WARN", "mains", values)
    return Finding("swing", "WARN", "sway" if found.hz < SWAY_HZ else "shaking", values)


def _drift(seen: Watched, shape: _Shape) -> Finding:
    values = {"drift_g": round(shape.drift_g_per_min, 1)}
    # By so much the noise alone leans over the time.
    n = max(1, len(shape.values))
    leans_g = 3 * shape.grams(shape.noise) * math.sqrt(12 / n) / SECONDS * 60
    drifts = abs(shape.drift_g_per_min) > max(DRIFT_D_PER_MIN * seen.division_g, leans_g)
    return Finding("drift", "WARN" if drifts else "OK", "drifts" if drifts else "ok", values)


def _short(grams: float) -> float:
    """Two digits are enough for a noise."""
    return round(grams, 2 if grams < 1 else 1)
