"""Laying a code's grid over a bent, folded or badly cornered picture of it.

Theory. A decoder finds where a symbol stands and how many modules it has, and still reads nothing when
the sheet is bent: between the corners the grid runs beside the modules. The right grid makes itself
known. It finds dark and light where the standard fixes them (finders, timing, alignment patterns:
ISO/IEC 18004:2015, 6.3), and at each module's middle grey that is far from its neighbourhood's mean: at the
edges it would be in between. Both are summed into a score, and the grid's few coefficients (a
homography's corner, and polynomials for bends, curls and a shutter that rolled) climb it one by one.

Nothing is read here: the modules are given to a decoder, which has the Reed-Solomon check.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from drivers.qr_modes import function_patterns
from drivers.qr_prepare import refocused
from drivers.vision import Gray, load_cv2

Floats = NDArray[np.float32]

MODULE_PX = 6
"""A module's width in the straightened picture."""
EDGE = 3
"""Modules of margin around it: a corner may be wrong by so much."""
ROUNDS = 6
ROUGH_M, FINE_M, DENT_M = (2.0, 1.0, 0.5), (0.6, 0.3, 0.15), (0.3, 0.15)
"""How far a round moves the grid to see whether that is better, in modules."""
CORNER_M = (0.0, -1.5, 1.5, -3.0, 3.0)
"""How far off the corner without a finder may be, in modules."""
BLURS_M = (0.0, 0.5, 0.8, 1.1)
"""Radii of a blur that is taken back before the modules are read, in modules."""
DENTS = 5
"""So many hills along each side."""
_LINEAR, _REPLICATE = 1, 1
"""``cv2.INTER_LINEAR`` and ``cv2.BORDER_REPLICATE``."""
LEAST_MET = 0.7
"""Of what the standard fixes a rough grid meets so much, or there is no code: by chance it is half, and
somewhat more for having been fitted."""
_QUIET_WEIGHT = 0.1
"""Little: print may stand where the quiet zone ought to be."""
_DARKER = 0.3
"""Dark counts for that much more than light: a grid that runs out into the margin finds only light."""
_FIXED_WEIGHT = 3.0
"""A fixed module says more than a module that is merely dark or light."""


@dataclass(frozen=True, slots=True)
class Sight:
    """Where a decoder believes a symbol to be: its corners from the upper left clockwise (pixels,
    in the order of the symbol, not of the picture), and its version."""

    corners: tuple[tuple[float, float], ...]
    version: int

    def scaled(self, factor: float) -> Sight:
        """The same in a picture ``factor`` times as large."""
        return Sight(tuple((x * factor, y * factor) for x, y in self.corners), self.version)

    def moved(self, pixels: float) -> Sight:
        """The same in a picture with ``pixels`` more at the left and the top."""
        return Sight(tuple((x + pixels, y + pixels) for x, y in self.corners), self.version)

    def is_about(self, other: Sight, share: float) -> bool:
        """Whether the version is the same and no corner farther off than ``share`` of the width."""
        mine, others = np.array(self.corners), np.array(other.corners)
        width = float(np.ptp(mine, axis=0).max())
        return self.version == other.version and float(abs(mine - others).max()) < share * width


def readings(gray: Gray, sight: Sight) -> Iterator[Gray]:
    """The symbol's modules, a pixel each, 0 black, along the grid that fits best: as they look,
    then with the blur between neighbours taken back, by more and more."""
    width = 17 + 4 * sight.version
    flat = _straight(gray, sight)
    grid = _Grid(_contrast(flat), width)
    bent = grid.climbed()
    if bent is None:
        return
    for blur_m in BLURS_M:
        clear = refocused(flat, blur_m * MODULE_PX) if blur_m else flat
        contrast = _contrast(clear)
        inner = grid.sampled(contrast, bent)[1:-1, 1:-1]
        yield np.where(inner < 0, 0, 255).astype(np.uint8)


def _straight(gray: Gray, sight: Sight) -> Gray:
    """The symbol as if it lay flat and square, by its four corners alone."""
    cv2 = load_cv2()
    width = 17 + 4 * sight.version
    low, high = EDGE * MODULE_PX, (EDGE + width) * MODULE_PX
    square = np.array([(low, low), (high, low), (high, high), (low, high)], np.float32)
    corners = np.array(sight.corners, np.float32)
    size = (width + 2 * EDGE) * MODULE_PX
    place = cv2.getPerspectiveTransform(corners, square)
    flat: Gray = cv2.warpPerspective(
        gray, place, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return flat


def _contrast(flat: Gray) -> Floats:
    """Light against the neighbourhood, about -1 to 1: shadow and glare fall out."""
    cv2 = load_cv2()
    levels = cv2.GaussianBlur(flat, (0, 0), MODULE_PX / 5).astype(np.float32)
    around = 9 * MODULE_PX
    # Halfway between the darkest and the lightest of the neighbourhood, softly: a mean would lean
    # towards whichever there is more of.
    reach = np.ones((3 * MODULE_PX, 3 * MODULE_PX), np.uint8)
    low = cv2.blur(cv2.erode(levels, reach), (around, around))
    high = cv2.blur(cv2.dilate(levels, reach), (around, around))
    spread = np.maximum(high - low, 8.0)
    return np.asarray(np.clip((2 * levels - low - high) / spread, -1, 1), np.float32)


class _Grid:
    """The grids that can be laid over one straightened picture."""

    def __init__(self, contrast: Floats, width: int) -> None:
        self._contrast = contrast
        self._soft = load_cv2().GaussianBlur(contrast, (0, 0), MODULE_PX * 0.6)
        self._width = width
        # One module of the quiet zone belongs to it: it says where the bulging edges are.
        fixed = function_patterns((width - 17) // 4).astype(np.float32)
        self._fixed = np.pad(fixed, 1, constant_values=_QUIET_WEIGHT)
        self._free = (self._fixed == 0).astype(np.float32)
        middle = (np.arange(-1, width + 1, dtype=np.float32) + 0.5 + EDGE) * MODULE_PX - 0.5
        self._place = np.stack(np.meshgrid(middle, middle)).astype(np.float32)

    def climbed(self) -> Floats | None:
        """The best fitting grid's displacements in pixels, across and down; None where even that one
        does not meet what stands in every code."""
        bent = self._cornered()
        bends = _bends(self._width)
        bent = self._climbed(bent, bends, ROUGH_M, blind=True)
        if self._met(bent) < LEAST_MET:
            return None
        bent = self._climbed(bent, bends, FINE_M, blind=False)
        return self._climbed(bent, _dents(self._width), DENT_M, blind=False)

    def _met(self, bent: Floats) -> float:
        """The share of the fixed modules that are as they have to be."""
        right = self._fixed * self.sampled(self._soft, bent) > 0
        fixed = self._fixed[1:-1, 1:-1] != 0
        return float(right[1:-1, 1:-1][fixed].mean())

    def _cornered(self) -> Floats:
        """A start: of the four corners the one without a finder is the one that is guessed."""
        corner = _bends(self._width)[0] * MODULE_PX
        starts = [np.stack([corner * x, corner * y]) for x in CORNER_M for y in CORNER_M]
        return max(starts, key=lambda start: self._score(start, blind=True))

    def _climbed(
        self, bent: Floats, shapes: Floats, steps_m: tuple[float, ...], blind: bool
    ) -> Floats:
        """Displacements (pixels, across and down) that score better by ``shapes``."""
        score = self._score(bent, blind)
        for step_m in steps_m:
            for _ in range(ROUNDS):
                before = score
                for shape in shapes:
                    for axis in (0, 1):
                        for way in (step_m, -step_m):
                            tried = bent.copy()
                            tried[axis] += shape * (way * MODULE_PX)
                            if (new := self._score(tried, blind)) > score:
                                bent, score = tried, new
                                break
                if score == before:
                    break
        return bent

    def sampled(self, contrast: Floats, bent: Floats) -> Floats:
        """The contrast at each module's middle."""
        x, y = self._place + bent
        found: Floats = load_cv2().remap(contrast, x, y, _LINEAR, borderMode=_REPLICATE)
        return found

    def _score(self, bent: Floats, blind: bool) -> float:
        if blind:
            return float(np.vdot(self._fixed, self.sampled(self._soft, bent)))
        seen = self.sampled(self._contrast, bent)
        fixed = _FIXED_WEIGHT * np.vdot(self._fixed, seen)
        dark_or_light = np.abs(seen) - _DARKER * seen
        return float(fixed + np.vdot(self._free, dark_or_light))


@cache
def _bends(width: int) -> Floats:
    """The shapes of displacement over the modules, each at most about 1: a wrong corner, bent, curled,
    moved, and trembling."""
    middle = (np.arange(-1, width + 1, dtype=np.float32) + 0.5) / width * 2 - 1
    u, v = np.meshgrid(middle, middle)
    one = np.ones_like(u)
    bow, sag = 1 - u * u, 1 - v * v
    corner = (1 + u) * (1 + v) / 4
    shapes = [corner, bow, sag, bow * v, sag * u, one, u, v, 2 * bow * u, 2 * sag * v, bow * sag]
    shapes += [4 * bow * (u * u - 0.2), 4 * sag * (v * v - 0.2)]
    return np.stack(shapes).astype(np.float32)


@cache
def _dents(width: int) -> Floats:
    """Small hills side by side over the modules, for what no smooth bend explains."""
    middle = np.linspace(0, DENTS - 1, width + 2, dtype=np.float32)
    hills = np.maximum(0, 1 - np.abs(middle - np.arange(DENTS)[:, None])).astype(np.float32)
    return np.stack([np.outer(down, across) for down in hills for across in hills])
