"""A code on a phone's or a computer's screen, photographed: its pixel grid against the sensor's.

The grid is taken at points, a sensor's pixel each; where the two periods are close they beat, as the real
ones do (moiré).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from hw_sim.pictures.bends import Seen
from hw_sim.pictures.faces import Face, Levels
from hw_sim.pictures.payloads import Dice


@dataclass(frozen=True, slots=True)
class Grid:
    """``dots`` of the screen to a module of the code; ``depth`` of the dark between the dots, 0 to 1."""

    dots: float
    depth: float


def lit(seen: Seen, face: Face, grid: Grid, dice: Dice) -> Levels:
    """What is seen of a face, as a screen of that grid shows it."""
    scale = grid.dots / face.module_px
    across = 1 - grid.depth * (0.5 + 0.5 * np.cos(2 * np.pi * seen.x * scale)) ** 2
    down = 1 - grid.depth * (0.5 + 0.5 * np.cos(2 * np.pi * seen.y * scale)) ** 2
    # The picture is built row by row: a short exposure sees a darker band.
    row = np.linspace(0, 1, len(seen.x))[:, None]
    band = 1 - dice.uniform(0, 0.5) * (np.sin(np.pi * row * dice.uniform(0.5, 3)) ** 8)
    # Black is never quite black on a screen.
    lifted = 12 + seen.levels * (1 - 12 / 255)
    return (lifted * across * down * band).astype(np.float32)


def bezel(face: Face, dice: Dice) -> Face:
    """The phone around it: a bright page, an even dark frame."""
    height, width = face.levels.shape
    page = int(height * dice.uniform(0.1, 0.5))
    white = np.pad(face.levels, ((page, page), (page // 4, page // 4)), constant_values=240.0)
    for _ in range(int(dice.integers(1, 4))):
        y = int(dice.integers(page // 4, max(page // 4 + 1, page - page // 3)))
        end = (int(white.shape[1] * dice.uniform(0.3, 0.9)), y + max(2, page // 12))
        cv2.rectangle(white, (page // 2, y), end, 90.0, -1)
    frame = max(4, int(width * 0.06))
    levels = np.pad(white, frame, constant_values=18.0).astype(np.float32)
    moved = face.corners + np.array((page // 4 + frame, page + frame), np.float32)
    return Face(levels, moved.astype(np.float32), face.module_px)
