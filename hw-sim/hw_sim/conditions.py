"""The conditions of the field: where a card is held, what is wrong with it, and what stands behind it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from hw_sim import cardprint
from hw_sim.hands import OUTSIDE_MM, Path, Swipe, Tremor
from hw_sim.sensor import FOCAL_PX, HEIGHT_PX, WIDTH_PX, Light

SWIPES_MM_S = (150.0, 300.0, 467.0)
CONDITIONS = (
    "ideal", "tilted", "unsharp", "far", "glare", "low light", "worn", "phone", "tremble", "swipe"
)  # fmt: skip
DISTANCES_MM = {"far": (270.0, 370.0), "unsharp": (100.0, 150.0)}
INK, PAPER = 0.05, 0.85
PHONE_MM = (70.0, 70.0)
PHONE_CODE_MM = (15.0, 15.0, 55.0, 55.0)


@dataclass(frozen=True, slots=True)
class Look:
    """What is wrong with it."""

    lux: float = 500.0
    focus_mm: float | None = None
    glare: tuple[float, float, float, float] | None = None
    """Of the code's middle, px: x, y, and how fast it wanders, px/s; its radius."""
    phone: tuple[float, float, float] | None = None
    """Brightness against paper; moire's period in px and direction."""


def room(dice: np.random.Generator) -> Light:
    """A hall out of focus behind the card: shelves, posters, a window."""
    coarse = dice.uniform(0.08, 0.5, (9, 12)).astype(np.float32)
    scene = cv2.resize(coarse, (WIDTH_PX, HEIGHT_PX), interpolation=cv2.INTER_CUBIC)
    for _ in range(14):
        x, y = dice.integers(0, (WIDTH_PX, HEIGHT_PX)).tolist()
        w, h = dice.integers(20, 160, 2).tolist()
        cv2.rectangle(scene, (x, y), (x + w, y + h), float(dice.uniform(0.03, 0.8)), -1)
    return np.asarray(np.clip(cv2.GaussianBlur(scene, (0, 0), 3.0), 0.01, 1.2), np.float32)


def path(condition: str, speed: float, dice: np.random.Generator) -> Path | Swipe:
    near, far = DISTANCES_MM.get(condition, (130, 190))
    z_mm = dice.uniform(near, far)
    tilt = 40.0 if condition == "tilted" else 10.0
    angles = [dice.uniform(-25, 25), dice.uniform(-tilt, tilt), dice.uniform(-tilt, tilt)]
    if condition == "tilted":  # towards one side at least by 25 degrees
        axis = int(dice.integers(1, 3))
        angles[axis] = float(np.copysign(dice.uniform(25, 45), angles[axis]))
    half_mm = np.array((WIDTH_PX, HEIGHT_PX)) / 2 / FOCAL_PX * z_mm
    # The code's middle, which is left of the card's, comes near the axis.
    held = np.array([18.0 + dice.normal(0, 8), dice.normal(0, 6), z_mm, *angles])
    if condition == "swipe":
        side = float(dice.choice((-1, 1)))
        span = half_mm[0] + OUTSIDE_MM
        height_mm, rise = dice.normal(0, 6), dice.normal(0, 8)
        start = np.array([-side * span, height_mm - rise, z_mm, *angles])
        end = np.array([side * span, height_mm + rise, z_mm, *angles])
        return Swipe(start, end, speed, Tremor.draw(dice, 0.3, 0.0))
    tremor_mm = dice.uniform(2.0, 4.0) if condition == "tremble" else dice.uniform(0.2, 0.6)
    start = held.copy()
    edge = int(dice.choice(4, p=(0.55, 0.05, 0.2, 0.2)))  # below, above, left, right
    axis, side = (1, 1 - 2 * edge) if edge < 2 else (0, 2 * edge - 5)
    start[axis] = side * (half_mm[axis] + OUTSIDE_MM)
    return Path(
        start,
        held,
        come_s=dice.uniform(0.4, 0.7),
        hold_s=dice.uniform(1.2, 2.5),
        go_s=dice.uniform(0.3, 0.5),
        tremor=Tremor.draw(dice, tremor_mm, dice.uniform(1.0, 3.0)),
    )


def look(condition: str, dice: np.random.Generator) -> Look:
    if condition == "low light":
        return Look(lux=dice.uniform(6, 30))
    if condition == "unsharp":
        return Look(focus_mm=dice.uniform(300, 900))
    if condition == "glare":
        side, up = dice.normal(0, 45, 2)
        return Look(glare=(side, up, dice.uniform(-60, 60), dice.uniform(15, 40)))
    if condition == "phone":
        return Look(phone=(dice.uniform(1.0, 2.5), dice.uniform(3, 12), dice.uniform(0, 3.14)))
    return Look(lux=dice.uniform(300, 700))


def face(
    text: str, condition: str, dice: np.random.Generator, printed: cardprint.Gray | None = None
) -> Light:
    """How much light each place of the card sends back; ``printed`` the card as a printer laid it down
    (``PX_PER_MM`` fine, code at the left edge), else one is drawn. A phone shows the code of either."""
    if condition == "phone":
        side = round(PHONE_MM[0] * cardprint.PX_PER_MM)
        card = np.full((side, side), 0.9, np.float32)
        size = round(40 * cardprint.PX_PER_MM)
        shown = cardprint.modules(text) if printed is None else printed[:, : len(printed)]
        code = cv2.resize(shown, (size, size), interpolation=cv2.INTER_NEAREST)
        at = (side - size) // 2
        card[at : at + size, at : at + size] = np.where(code > 127, 0.9, 0.004)
        return card
    inked = np.clip(cardprint.face(text) if printed is None else printed, 25, 235)
    paper = np.asarray(INK + (PAPER - INK) * (inked.astype(np.float32) - 25) / 210, np.float32)
    if condition == "worn":
        paper = _worn(paper, dice)
    return np.asarray(np.clip(paper, 0.02, 0.9), np.float32)


def _worn(card: Light, dice: np.random.Generator) -> Light:
    """Ink rubbed off in patches, scratches, and dirt."""
    height, width = card.shape
    blotches = cv2.resize(
        dice.uniform(0, 1, (10, 16)), (width, height), interpolation=cv2.INTER_CUBIC
    )
    grain = cv2.resize(
        dice.uniform(0, 1, (height // 4, width // 4)),
        (width, height),
        interpolation=cv2.INTER_LINEAR,
    )
    gone = np.clip((blotches - dice.uniform(0.45, 0.65)) * 2.5, 0, 0.8) * (grain > 0.35)
    card = card + (PAPER - card) * gone.astype(np.float32)
    for _ in range(int(dice.integers(4, 12))):
        (x0, y0), (x1, y1) = dice.integers(0, (width, height), (2, 2)).tolist()
        shade, thick = float(dice.choice((0.7, 0.8, 0.3))), int(dice.integers(2, 5))
        cv2.line(card, (x0, y0), (x1, y1), shade, thick, cv2.LINE_AA)
    dirt = cv2.resize(dice.uniform(0, 1, (6, 9)), (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray(card * (1 - 0.4 * np.clip(dirt, 0, 1)), np.float32)
