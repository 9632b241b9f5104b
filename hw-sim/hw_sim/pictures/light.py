"""The light on a scene: dim, uneven, shadows with edges, glare, bright spots."""

from __future__ import annotations

import cv2
import numpy as np

from hw_sim.pictures.faces import Levels
from hw_sim.pictures.payloads import Dice
from hw_sim.pictures.wear import cloud


def uneven(levels: Levels, depth: float, dice: Dice) -> Levels:
    """Darker towards one side by ``depth`` (0 to 1), and a little cloudy."""
    height, width = levels.shape
    turn = dice.uniform(0, 2 * np.pi)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    across = (x / width - 0.5) * np.cos(turn) + (y / height - 0.5) * np.sin(turn) + 0.5
    gain = 1 - depth * np.clip(across, 0, 1) * (0.8 + 0.2 * cloud(levels.shape, 4, dice))
    return np.asarray(levels * gain, np.float32)


def shadowed(levels: Levels, dice: Dice, about: tuple[float, float], reach_px: float) -> Levels:
    """Shadows of a hand, of leaves or of bars, with soft or hard edges, across ``about``."""
    shade = np.zeros_like(levels)
    height, width = levels.shape
    for _ in range(int(dice.integers(1, 6))):
        middle = np.array(about) + dice.normal(0, 0.5 * reach_px, 2)
        if dice.random() < 0.5:
            turn = dice.uniform(0, np.pi)
            ahead = np.array((np.cos(turn), np.sin(turn)))
            ends = middle + np.outer((-2.0, 2.0), ahead) * (width + height)
            a, b = ends.astype(int).tolist()
            cv2.line(shade, a, b, 1.0, max(1, int(reach_px * dice.uniform(0.05, 0.5))))
        else:
            size = [max(1, int(reach_px * dice.uniform(0.1, 0.8))) for _ in range(2)]
            at = (int(middle[0]), int(middle[1]))
            cv2.ellipse(shade, at, size, dice.uniform(0, 180), 0, 360, 1.0, -1)
    soft = max(0.5, reach_px * dice.uniform(0.003, 0.08))
    shade = np.asarray(cv2.GaussianBlur(shade, (0, 0), soft), np.float32)
    return (levels * (1 - shade * dice.uniform(0.4, 0.85))).astype(np.float32)


def glared(
    levels: Levels, dice: Dice, about: tuple[float, float], reach_px: float, strength: float
) -> Levels:
    """A lamp's reflection on a glossy face: round, long or a window's rectangle, added light."""
    light = np.zeros_like(levels)
    x, y = np.array(about) + dice.normal(0, 0.3 * reach_px, 2)
    size = [max(1, int(reach_px * dice.uniform(0.08, 0.4))) for _ in range(2)]
    if dice.random() < 0.7:
        cv2.ellipse(light, (int(x), int(y)), size, dice.uniform(0, 180), 0, 360, 1.0, -1)
    else:
        corner = (int(x - size[0]), int(y - size[1])), (int(x + size[0]), int(y + size[1]))
        cv2.rectangle(light, *corner, 1.0, -1)
    soft = reach_px * dice.uniform(0.02, 0.15)
    light = np.asarray(cv2.GaussianBlur(light, (0, 0), max(0.5, soft)), np.float32)
    veil = np.asarray(cv2.GaussianBlur(light, (0, 0), max(1.0, reach_px * 0.3)), np.float32)
    return np.asarray(levels + light * strength + veil * strength * 0.3, np.float32)


def spotted(levels: Levels, dice: Dice, about: tuple[float, float], reach_px: float) -> Levels:
    """Sun through leaves: small bright places, the rest dim."""
    levels = levels * np.float32(dice.uniform(0.25, 0.6))
    for _ in range(int(dice.integers(3, 10))):
        at = np.array(about) + dice.normal(0, 0.5 * reach_px, 2)
        levels = _sunny(levels, dice, (int(at[0]), int(at[1])), reach_px)
    return levels


def _sunny(levels: Levels, dice: Dice, at: tuple[int, int], reach_px: float) -> Levels:
    patch = np.zeros_like(levels)
    size = [max(1, int(reach_px * dice.uniform(0.03, 0.25))) for _ in range(2)]
    cv2.ellipse(patch, at, size, dice.uniform(0, 180), 0, 360, 1.0, -1)
    patch = np.asarray(cv2.GaussianBlur(patch, (0, 0), max(0.5, reach_px * 0.015)), np.float32)
    return (levels * (1 + patch * dice.uniform(1.0, 4.0))).astype(np.float32)
