"""From light to a picture file: lens, movement, sensor, the phone's own processing, JPEG."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from hw_sim.pictures.faces import Levels
from hw_sim.pictures.payloads import Dice, Gray


def defocused(levels: Levels, radius_px: float) -> Levels:
    """A lens out of focus spreads each point to a disc."""
    if radius_px < 0.3:
        return levels
    half = int(np.ceil(radius_px))
    y, x = np.mgrid[-half : half + 1, -half : half + 1].astype(np.float32)
    disc = np.clip(radius_px + 0.5 - np.hypot(x, y), 0, 1)
    kernel = (disc / disc.sum()).astype(np.float32)
    return np.asarray(cv2.filter2D(levels, -1, kernel, borderType=cv2.BORDER_REPLICATE), np.float32)


def moved(levels: Levels, length_px: float, angle: float, bow: float = 0.0) -> Levels:
    """The hand moved by ``length_px`` at ``angle`` (degrees) while the shutter was open, ``bow`` aside."""
    if length_px < 0.7:
        return levels
    half = int(np.ceil(length_px / 2 + abs(bow))) + 1
    kernel = np.zeros((2 * half + 1, 2 * half + 1), np.float32)
    turn = np.radians(angle)
    for along in np.linspace(-0.5, 0.5, 8 * half + 1):
        aside = bow * (4 * along**2 - 0.5)
        x = half + along * length_px * np.cos(turn) - aside * np.sin(turn)
        y = half + along * length_px * np.sin(turn) + aside * np.cos(turn)
        column, row = int(x), int(y)
        right, down = x - column, y - row
        kernel[row, column] += (1 - right) * (1 - down)
        kernel[row, column + 1] += right * (1 - down)
        kernel[row + 1, column] += (1 - right) * down
        kernel[row + 1, column + 1] += right * down
    kernel /= kernel.sum()
    return np.asarray(cv2.filter2D(levels, -1, kernel, borderType=cv2.BORDER_REPLICATE), np.float32)


def sensed(levels: Levels, exposure: float, noise: float, dice: Dice) -> Gray:
    """``exposure`` times the light, with noise that grows with it (shot) and some that does not (read),
    clipped to eight bits."""
    lit = levels * np.float32(exposure)
    sigma = noise * np.sqrt(0.3 + np.clip(lit, 0, 255) / 255)
    chance = dice.standard_normal(lit.shape, dtype=np.float32)
    return np.asarray(np.clip(np.rint(lit + chance * sigma), 0, 255), np.uint8)


def processed(gray: Gray, dice: Dice) -> Gray:
    """What phones do to their pictures: noise smeared away, edges with halos, more contrast."""
    if dice.random() < 0.4:
        gray = np.asarray(cv2.medianBlur(gray, 3), np.uint8)
    if dice.random() < 0.5:
        soft = cv2.GaussianBlur(gray, (0, 0), 1.2)
        strength = float(dice.uniform(0.3, 1.5))
        gray = np.asarray(cv2.addWeighted(gray, 1 + strength, soft, -strength, 0), np.uint8)
    return gray


def compressed(gray: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    """Through JPEG and back."""
    good, data = cv2.imencode(".jpg", gray, (cv2.IMWRITE_JPEG_QUALITY, quality))
    assert good
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_UNCHANGED), np.uint8)
