"""Ink on a face: a code printed on a card, a label or a poster, well or badly."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from hw_sim.pictures.payloads import Dice, Gray

Levels = NDArray[np.float32]
"""Grey levels, 0 black to 255 white."""

MOST_SIDE_PX = 1_600


@dataclass(frozen=True, slots=True)
class Ink:
    """How a code is printed. ``spread`` in modules: black grown (positive) or thinned; ``round_`` how
    round each module is, 0 to 1; ``gap`` the white between modules as dot printers leave it; ``logo`` the
    share of the side that a picture in the middle hides; ``quiet`` modules of margin."""

    black: float = 25.0
    white: float = 235.0
    spread: float = 0.0
    round_: float = 0.0
    gap: float = 0.0
    logo: float = 0.0
    quiet: int = 4
    inverted: bool = False


@dataclass(frozen=True, slots=True)
class Face:
    """A printed thing: ``levels``, and where in it the code's four corners stand (from its upper left,
    clockwise, in pixels)."""

    levels: Levels
    corners: NDArray[np.float32]
    module_px: float


def printed(modules: Gray, ink: Ink, dice: Dice, module_px: int = 12) -> Face:
    """The code alone with its quiet zone."""
    module_px = max(4, min(module_px, MOST_SIDE_PX // (len(modules) + 2 * ink.quiet)))
    side = len(modules) * module_px
    black = np.repeat(np.repeat(modules < 128, module_px, 0), module_px, 1)
    coverage = black.astype(np.float32)
    if ink.round_ or ink.gap:
        coverage = _dots(modules, module_px, ink)
    if ink.spread:
        size = max(1, round(abs(ink.spread) * module_px)) * 2 + 1
        grown = cv2.dilate if ink.spread > 0 else cv2.erode
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
        coverage = np.asarray(grown(coverage, kernel), np.float32)
    if ink.logo:
        _put_logo(coverage, ink.logo, dice)
    edge = ink.quiet * module_px
    coverage = np.pad(coverage, edge)
    if ink.inverted:
        coverage = 1 - coverage
    levels = ink.white + (ink.black - ink.white) * coverage
    corner = np.array([(0, 0), (side, 0), (side, side), (0, side)], np.float32) + edge
    return Face(levels.astype(np.float32), corner.astype(np.float32), module_px)


def _dots(modules: Gray, module_px: int, ink: Ink) -> Levels:
    y, x = np.mgrid[:module_px, :module_px].astype(np.float32)
    middle = (module_px - 1) / 2
    far, near = np.maximum(abs(x - middle), abs(y - middle)), np.hypot(x - middle, y - middle)
    reach = (1 - ink.round_) * far + ink.round_ * near
    dot = np.clip((1 - ink.gap) * module_px / 2 - reach + 0.5, 0, 1)
    coverage = np.kron(modules < 128, dot).astype(np.float32)
    # Finders are drawn as whole shapes by every program that rounds its modules.
    for top, left in ((0, 0), (0, -7), (-7, 0)):
        rows = slice(top * module_px, (top + 7) * module_px or None)
        columns = slice(left * module_px, (left + 7) * module_px or None)
        seven = (modules[top : top + 7 or None, left : left + 7 or None] < 128).astype(np.float32)
        coverage[rows, columns] = np.kron(seven, np.ones((module_px, module_px), np.float32))
    return coverage


def _put_logo(coverage: Levels, share: float, dice: Dice) -> None:
    side = len(coverage)
    half = int(side * share / 2)
    middle = side // 2
    cv2.circle(coverage, (middle, middle), half, 0.0, -1)
    cv2.circle(coverage, (middle, middle), int(half * 0.75), float(dice.uniform(0.3, 0.9)), -1)


def on_card(face: Face, dice: Dice) -> Face:
    """The code on a card or sheet that is larger than it, with print beside it."""
    height, width = face.levels.shape
    right, below = (int(side * dice.uniform(0.1, 0.9)) for side in (width, height))
    left, above = (int(side * dice.uniform(0.02, 0.15)) for side in (width, height))
    paper = float(np.clip(face.levels.max() + dice.uniform(-25, 10), 120, 250))
    card = np.full((height + above + below, width + left + right), paper, np.float32)
    card[above : above + height, left : left + width] = face.levels
    step = max(6, height // 14)
    for y in range(above + step, above + height, 2 * step):
        _line_of_print(card, left + width, y, int(right * dice.uniform(0.4, 0.9)), step, dice)
    for y in range(above + height + step // 2, card.shape[0] - step, 2 * step):
        _line_of_print(card, left, y, int(width * dice.uniform(0.4, 1.0)), step, dice)
    moved = face.corners + np.array((left, above), np.float32)
    return Face(card, moved.astype(np.float32), face.module_px)


def _line_of_print(card: Levels, x: int, y: int, length: int, height: int, dice: Dice) -> None:
    end = min(x + length, card.shape[1] - 2)
    ink = float(dice.uniform(20, 120))
    while x < end:
        letter = max(2, int(height * dice.uniform(0.2, 0.8)))
        if dice.random() < 0.85:
            kind = int(dice.integers(3))
            if kind == 0:
                cv2.rectangle(card, (x, y), (x + letter // 2, y + height), ink, -1)
            elif kind == 1:
                cv2.line(card, (x, y), (x + letter, y + height), ink, max(1, height // 6))
            else:
                cv2.rectangle(card, (x, y), (x + letter, y + height), ink, max(1, height // 8))
        x += letter + max(2, height // 5)
