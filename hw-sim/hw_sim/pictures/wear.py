"""What time does to a printed code: scratches, stains, folds, fading, a torn corner."""

from __future__ import annotations

import cv2
import numpy as np

from hw_sim.pictures.faces import Face, Levels
from hw_sim.pictures.payloads import Dice


def cloud(shape: tuple[int, int], cells: int, dice: Dice) -> Levels:
    """Smooth chance, 0 to 1; ``cells`` humps along each side."""
    coarse = dice.random((cells + 1, cells + 1)).astype(np.float32)
    fine = cv2.resize(coarse, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC)
    return np.clip(np.asarray(fine, np.float32), 0, 1)


def _spot(face: Face, dice: Dice) -> tuple[int, int]:
    low, high = face.corners.min(0), face.corners.max(0)
    x, y = dice.uniform(low, high)
    return int(x), int(y)


def scratched(face: Face, amount: float, dice: Dice) -> Face:
    """Lines of bare paper or of dirt across the code; ``amount`` 1 is a card of some years."""
    levels = face.levels.copy()
    for _ in range(max(1, round(amount * dice.uniform(3, 9)))):
        (x0, y0), (x1, y1) = _spot(face, dice), _spot(face, dice)
        level = float(dice.uniform(190, 250) if dice.random() < 0.8 else dice.uniform(20, 90))
        bow = dice.normal(0, face.module_px, 2)
        path = np.array([(x0, y0), ((x0 + x1) / 2 + bow[0], (y0 + y1) / 2 + bow[1]), (x1, y1)])
        width = max(1, round(face.module_px * dice.uniform(0.1, 0.55)))
        cv2.polylines(levels, [path.astype(np.int32)], False, level, width, cv2.LINE_AA)
    return Face(levels, face.corners, face.module_px)


def stained(face: Face, amount: float, dice: Dice) -> Face:
    """Blots, light or dark, half transparent."""
    levels = face.levels.copy()
    for _ in range(max(1, round(amount * dice.uniform(1, 4)))):
        blot = np.zeros_like(levels)
        size = [max(2, int(face.module_px * dice.uniform(0.5, 4) * amount**0.5)) for _ in range(2)]
        cv2.ellipse(blot, _spot(face, dice), size, dice.uniform(0, 180), 0, 360, 1.0, -1)
        blot = np.asarray(cv2.GaussianBlur(blot, (0, 0), face.module_px * 0.4), np.float32)
        level, depth = dice.uniform(20, 235), dice.uniform(0.4, 0.95)
        levels = levels + (level - levels) * blot * depth
    return Face(levels.astype(np.float32), face.corners, face.module_px)


def faded(face: Face, amount: float, dice: Dice) -> Face:
    """Ink that has gone in places, as on thermal paper."""
    gone = cloud(face.levels.shape, 6, dice) * amount
    paper = float(face.levels.max())
    levels = face.levels + (paper - face.levels) * np.clip(gone, 0, 0.9)
    grain = dice.random(face.levels.shape, dtype=np.float32) < 0.08 * amount * gone
    return Face(np.where(grain, paper, levels).astype(np.float32), face.corners, face.module_px)


def folded(face: Face, dice: Dice) -> Face:
    """One or two creases: broken ink along them, another light on each side, a small jump."""
    levels = face.levels
    height, width = levels.shape
    y, x = np.mgrid[:height, :width].astype(np.float32)
    for _ in range(int(dice.integers(1, 3))):
        at, angle = _spot(face, dice), dice.uniform(0, np.pi)
        across = (x - at[0]) * np.cos(angle) + (y - at[1]) * np.sin(angle)
        jump = dice.uniform(-0.5, 0.5) * face.module_px
        side = (across > 0).astype(np.float32)
        moved = cv2.remap(
            levels,
            x + side * np.float32(jump * -np.sin(angle)),
            y + side * np.float32(jump * np.cos(angle)),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        crease = np.exp(-((across / (face.module_px * dice.uniform(0.1, 0.4))) ** 2))
        shade = 1 - side * dice.uniform(0.05, 0.45)
        levels = np.asarray(moved, np.float32) * shade
        levels = levels + (dice.uniform(120, 240) - levels) * crease * dice.uniform(0.4, 1.0)
    return Face(levels.astype(np.float32), face.corners, face.module_px)


def torn(face: Face, dice: Dice) -> Face:
    """The corner of a code that has no finder pattern is gone, or a hole is in the middle."""
    levels = face.levels.copy()
    side = float(np.ptp(face.corners[:, 0]))
    corner = face.corners[2] if dice.random() < 0.7 else face.corners.mean(0)
    reach = side * dice.uniform(0.05, 0.2)
    ring = np.linspace(0, 2 * np.pi, 14)
    ragged = reach * dice.uniform(0.6, 1.1, 14)
    shape = corner + np.stack([np.cos(ring) * ragged, np.sin(ring) * ragged], 1)
    cv2.fillPoly(levels, [shape.astype(np.int32)], float(dice.uniform(30, 240)))
    return Face(levels, face.corners, face.module_px)
