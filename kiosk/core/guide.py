"""The guided weighing of known loads: empty, load, empty, load again; the scale itself sees each step done.

Invariant: a ``Load`` leaves only whole: every placement measured still, before, under and after the
load, and none of them refused. Nothing is kept on the way.

Theory. Whoever carries a bottle has no hand free for keys. So a step is over when the scale shows it:
the load has *arrived* when the counts have moved by a good share of what it must weigh, it is *off*
when they have come half the way back, and a step is *measured* once ``HOLD_MS`` of samples stand still
(``still``). What goes wrong is told at once, and only the step that it spoilt is done again; after
``MAX_REFUSALS`` of them, or when nothing happens for ``PATIENCE_MS``, the guide gives up.

The same steps adjust a scale and verify one. Samples are whole numbers: raw counts, or an indicator's
milligrams (then ``counts_per_gram`` is 1,000).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

from kiosk.core.adjustment import (
    REPEAT_D,
    SEEN_SHARE,
    Instrument,
    Load,
    NotRepeated,
    NotSeen,
    Placement,
    Reference,
    Refusal,
    unfit_placement,
)
from kiosk.core.still import LEAST_SAMPLES, Reading, reading

HOLD_MS = 3_000
GAP_MS = 1_500
"""A longer silence between two samples: stillness begins anew."""
STILL_D = 0.25
"""Within so many divisions the two halves of the window agree."""
LOUD_D, LOUD_COUNTS = 1.0, 120.0
"""Single samples that spread by more than both are no noise but a hand."""
LEAST_MOVE_D = 3.0
"""Less than this is nothing laid on."""
SLOW_HANDS_MS = 8_000
"""Something too light has lain still for so long: it is not on its way any more."""
PATIENCE_MS = 180_000
MAX_REFUSALS = 5

Step = Literal["empty", "load", "unload"]


@dataclass(frozen=True, slots=True)
class Ask:
    """What to do now; ``load`` and ``placement`` count from 1."""

    step: Step
    load: int
    placement: int
    reference: Reference


@dataclass(frozen=True, slots=True)
class Measured:
    """A step's still reading, in grams over the empty scale by the line so far."""

    step: Step
    load: int
    placement: int
    grams: float
    uncertainty_g: float


@dataclass(frozen=True, slots=True)
class Refused:
    """A step is done again, and why."""

    why: Refusal


@dataclass(frozen=True, slots=True)
class GaveUp:
    """The end without a result."""

    why: Literal["patience", "refusals"]


@dataclass(frozen=True, slots=True)
class Finished:
    """Every load was measured."""

    loads: tuple[Load, ...]


Sign = Ask | Measured | Refused | GaveUp | Finished


class Guide:
    """``over`` once it has finished or given up; samples after that are ignored."""

    def __init__(
        self,
        references: Sequence[Reference],
        placements: int,
        scale: Instrument,
        rate_sps: float,
    ) -> None:
        self._references = tuple(references)
        self._placements = placements
        self._scale = scale
        self._per_count_g = 1 / scale.counts_per_gram
        self._division_counts = abs(scale.counts_per_gram) * scale.division_g
        self._window: deque[int] = deque(
            maxlen=max(LEAST_SAMPLES, round(HOLD_MS * rate_sps / 1000))
        )
        self._recent = max(3, round(0.3 * rate_sps))
        self._step: Step = "empty"
        self._begun_ms: int | None = None
        self._last_ms: int | None = None
        self._moved_ms = 0
        self._before: Reading | None = None
        self._loaded: Reading | None = None
        self._laid: list[Placement] = []
        self._loads: list[Load] = []
        self._refusals = 0
        self.over = False

    @property
    def live_g(self) -> float | None:
        """The weight over the empty scale, by the line so far; None before the empty reading."""
        if self._before is None or not self._window:
            return None
        return (self._now_counts() - self._before.counts) * self._per_count_g

    @property
    def still(self) -> bool:
        """Whether the window stands still just now."""
        return self._reading() is not None

    def begin(self) -> list[Sign]:
        """The first thing to ask."""
        return [self._ask("empty")]

    def doubt(self) -> None:
        """Samples were lost, or said to be moving: stillness begins anew."""
        self._window.clear()

    def feed(self, t_ms: int, counts: int) -> list[Sign]:
        """One sample in; what it brings about out."""
        if self.over:
            return []
        if self._last_ms is not None and t_ms - self._last_ms > GAP_MS:
            self.doubt()
        self._last_ms = t_ms
        if self._begun_ms is None:
            self._begun_ms = t_ms
        if t_ms - self._begun_ms > PATIENCE_MS:
            return self._end(GaveUp("patience"))
        self._window.append(counts)
        found = self._reading()
        if found is None:
            self._moved_ms = t_ms
            return []
        signs = self._look(found, t_ms)
        if signs:
            self._begun_ms = t_ms
        return signs

    # -- steps ----------------------------------------------------------------------------------

    def _look(self, found: Reading, t_ms: int) -> list[Sign]:
        if self._step == "empty":
            self._before = found
            return [self._measured(found), self._ask("load")]
        assert self._before is not None
        moved = found.counts - self._before.counts
        expected = self._reference.mass_g * abs(self._scale.counts_per_gram)
        if self._step == "load":
            if abs(moved) >= SEEN_SHARE * expected:
                return self._arrived(found)
            return self._too_light(moved, t_ms)
        loaded = self._loaded.counts if self._loaded is not None else self._before.counts
        rise = loaded - self._before.counts
        off = max(abs(rise) / 2, LEAST_MOVE_D * self._division_counts)
        if self._loaded is None:
            off = LEAST_MOVE_D * self._division_counts
        return self._taken_off(found) if abs(moved) <= off else []

    def _arrived(self, found: Reading) -> list[Sign]:
        assert self._before is not None
        why = unfit_placement(Placement(self._before, found), self._reference, self._scale)
        if why is not None:
            # It went the wrong way: what was taken for the empty scale was not.
            return self._refuse(why, "empty")
        measured = self._measured(found)
        self._loaded = found
        return [measured, self._ask("unload")]

    def _too_light(self, moved: float, t_ms: int) -> list[Sign]:
        light = abs(moved) > LEAST_MOVE_D * self._division_counts
        if not light or t_ms - self._moved_ms < SLOW_HANDS_MS:
            return []
        why = NotSeen(moved * self._per_count_g, self._reference.mass_g)
        self._loaded = None
        return self._refuse(why, "unload")

    def _taken_off(self, found: Reading) -> list[Sign]:
        assert self._before is not None
        if self._loaded is None:  # it was too light, and is off again
            return [self._ask("load")]
        placement = Placement(self._before, self._loaded, found)
        measured = self._measured(found)
        self._before, self._loaded = found, None
        why = unfit_placement(placement, self._reference, self._scale)
        if why is not None:
            return [measured, *self._refuse(why, "load")]
        self._laid.append(placement)
        load = Load(self._reference, tuple(self._laid))
        range_g = load.range_counts * abs(self._per_count_g)
        if range_g > REPEAT_D * self._scale.division_g:
            self._laid.clear()
            uneven = NotRepeated(range_g, REPEAT_D * self._scale.division_g)
            return [measured, *self._refuse(uneven, "load")]
        if len(self._laid) == self._placements:
            self._loads.append(load)
            self._laid.clear()
        if len(self._loads) == len(self._references):
            return [measured, *self._end(Finished(tuple(self._loads)))]
        return [measured, self._ask("load")]

    def _refuse(self, why: Refusal, again: Step) -> list[Sign]:
        self._refusals += 1
        if self._refusals >= MAX_REFUSALS:
            return [Refused(why), *self._end(GaveUp("refusals"))]
        return [Refused(why), self._ask(again)]

    def _end(self, sign: GaveUp | Finished) -> list[Sign]:
        self.over = True
        return [sign]

    # -- small things ---------------------------------------------------------------------------

    @property
    def _reference(self) -> Reference:
        return self._references[len(self._loads)]

    def _ask(self, step: Step) -> Ask:
        self._step = step
        self._moved_ms = self._last_ms or 0
        # What was measured for the step before says nothing of this one.
        self._window.clear()
        return Ask(step, len(self._loads) + 1, len(self._laid) + 1, self._reference)

    def _measured(self, found: Reading) -> Measured:
        assert self._before is not None
        return Measured(
            step=self._step,
            load=len(self._loads) + 1,
            placement=len(self._laid) + 1,
            grams=(found.counts - self._before.counts) * self._per_count_g,
            uncertainty_g=2 * found.uncertainty_counts * abs(self._per_count_g),
        )

    def _now_counts(self) -> float:
        return median(list(self._window)[-self._recent :])

    def _reading(self) -> Reading | None:
        if len(self._window) < (self._window.maxlen or 0):
            return None
        found = reading(tuple(self._window), STILL_D * self._division_counts)
        loud = max(LOUD_D * self._division_counts, LOUD_COUNTS)
        return found if found is not None and found.noise_counts <= loud else None
