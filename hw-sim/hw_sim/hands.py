"""How people hold a card before a camera: paths in millimetres, seeded.

A card comes in along a minimum-jerk path (Flash and Hogan 1985: the way hands move), is held with a
hand's tremor (4 to 6 Hz and 8 to 12 Hz) and sway, and goes; or it is swiped through at one speed.
Origin on the camera's axis, x to the right, y down, z away from the lens; angles in degrees.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
"""x, y, z in mm, then roll, pitch, yaw in degrees."""

TREMOR_HZ = ((4.0, 6.0), (8.0, 12.0))
SWAY_HZ = (0.3, 0.7)
OUTSIDE_MM = 60.0
"""How far beyond the picture's edge a card begins."""


@dataclass(frozen=True, slots=True)
class Tremor:
    """Six axes of sinusoids: ``size`` and ``phase`` have a row for each of the three ``hz``."""

    hz: Vector
    size: Vector
    phase: Vector

    @classmethod
    def draw(cls, dice: np.random.Generator, tremor_mm: float, sway_mm: float) -> Tremor:
        """Angles tremble by one degree for each millimetre."""
        hz = np.array([dice.uniform(*band) for band in (*TREMOR_HZ, SWAY_HZ)])
        axes = dice.uniform(0.4, 1.0, (3, 6))
        return cls(
            hz, axes * [[tremor_mm], [0.3 * tremor_mm], [sway_mm]], dice.uniform(0, 6.28, (3, 6))
        )

    def at(self, t_s: float) -> Vector:
        """How far the hand is from where it means to be."""
        waves = np.sin(2 * np.pi * self.hz[:, None] * t_s + self.phase)
        return np.asarray((self.size * waves).sum(axis=0), np.float64)


@dataclass(frozen=True, slots=True)
class Path:
    """From ``start`` to ``held`` in ``come_s``, there for ``hold_s``, and back in ``go_s``."""

    start: Vector
    held: Vector
    come_s: float
    hold_s: float
    go_s: float
    tremor: Tremor

    @property
    def seconds(self) -> float:
        return self.come_s + self.hold_s + self.go_s

    def at(self, t_s: float) -> Vector:
        """Where the card is at ``t_s`` after it set out."""
        come = _smooth(t_s / self.come_s)
        go = _smooth((self.seconds - t_s) / self.go_s)
        near = min(come, go)
        return self.start + (self.held - self.start) * near + self.tremor.at(t_s) * near


@dataclass(frozen=True, slots=True)
class Swipe:
    """Past the camera in a straight line, from ``start`` to ``end`` at one speed."""

    start: Vector
    end: Vector
    speed_mm_s: float
    tremor: Tremor

    @property
    def seconds(self) -> float:
        return float(np.linalg.norm(self.end[:3] - self.start[:3])) / self.speed_mm_s

    def at(self, t_s: float) -> Vector:
        """Where the card is at ``t_s`` after it set out."""
        return self.start + (self.end - self.start) * (t_s / self.seconds) + self.tremor.at(t_s)


def _smooth(along: float) -> float:
    """Minimum jerk from 0 to 1."""
    x = min(1.0, max(0.0, along))
    return x**3 * (10 - 15 * x + 6 * x**2)
