"""One presentation of a card before a camera, frame by frame, in one of the conditions of the field.

Everything is drawn from the seed: the room, the card, the hand. A frame is rendered in linear light for
the exposure it was taken with: the card's path during the exposure is its motion blur, rows read later
see it further on, the lens blurs it, and the sensor (``sensor``) makes levels of it.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from hw_sim import cardprint, sensor
from hw_sim.conditions import (
    CONDITIONS,
    PAPER,
    PHONE_CODE_MM,
    PHONE_MM,
    SWIPES_MM_S,
    face,
    look,
    path,
    room,
)
from hw_sim.hands import Swipe, Vector
from hw_sim.sensor import FOCAL_PX, HEIGHT_PX, READOUT_S, WIDTH_PX, Exposure, Gray, Lamp, Light

FPS = 30
LENS_MM2 = 8.0
"""Aperture times focal length of a webcam's lens (2 mm, 4 mm)."""
PIXEL_MM = 4.0 / FOCAL_PX
CODE_MM = (5.0, 7.0, 45.0, 47.0)
"""The code on the card with its quiet zone: left, top, right, bottom."""
AE_S = 0.3
"""How fast auto-exposure follows."""
STILL_PX = 0.1
"""Whoever moves less between the first row and the last stands still."""
FINE = 2
"""The card is drawn so many times finer than the picture, and averaged."""


class Presentation:
    """``text`` on a card in ``condition``; ``lamp`` what lights the room, ``printed`` the card's face where
    it is not to be drawn (``conditions.face``)."""

    def __init__(
        self,
        condition: str,
        seed: int,
        text: str,
        lamp: Lamp | None = None,
        *,
        printed: Gray | None = None,
    ) -> None:
        dice = np.random.default_rng((CONDITIONS.index(condition), seed))
        self._seed = int(dice.integers(1 << 30))
        self._lamp = lamp or Lamp()
        self.speed_mm_s = SWIPES_MM_S[seed % len(SWIPES_MM_S)]
        """Of a swipe."""
        self._room = room(dice)
        self._path = path(condition, self.speed_mm_s, dice)
        self._look = look(condition, dice)
        self._card = face(text, condition, dice, printed)
        self._size_mm = PHONE_MM if condition == "phone" else cardprint.CARD_MM
        self._usual = float(self._room.mean())

    @property
    def frames(self) -> int:
        """From the moment when the hand sets out until the card is gone."""
        return int(self._path.seconds * FPS)

    @property
    def whole(self) -> int | None:
        """The first frame in which the whole code is in the picture."""
        return next((k for k in range(self.frames) if self.code_box(k) is not None), None)

    def code_box(self, number: int) -> tuple[int, int, int, int] | None:
        """Left, top, right, bottom of the code in this frame; None when a part of it is outside."""
        at = self._code_corners(self._path.at(number / FPS))
        if (at < 0).any() or (at >= (WIDTH_PX, HEIGHT_PX)).any():
            return None
        (left, top), (right, bottom) = at.min(axis=0), at.max(axis=0)
        return int(left), int(top), int(right), int(bottom)

    def auto_exposure(self, number: int) -> Exposure:
        """What the camera chooses for this frame by itself."""
        bright = self._brightness(number / FPS)
        return sensor.auto_exposure(self._look.lux, bright)

    def frame(self, number: int, exposure: Exposure | None = None) -> Gray:
        """The picture begun at ``number`` / 30 s; the camera's own exposure where none is given."""
        taken = exposure or self.auto_exposure(number)
        dice = np.random.default_rng((self._seed, number))
        light = self._light(number / FPS, taken.ms / 1_000)
        rows = self._lamp.rows(number / FPS, taken.ms)
        return sensor.levels(light, taken, self._look.lux, rows, dice)

    # -- light ----------------------------------------------------------------------------------

    def _brightness(self, t_s: float) -> float:
        """The picture's brightness against the empty room's, as auto-exposure has noticed it."""
        path = self._path
        if isinstance(path, Swipe):
            return 1.0
        corners = self._project(path.held, self._corners_mm())
        area = cv2.contourArea(corners.astype(np.float32)) / (WIDTH_PX * HEIGHT_PX)
        paper = 0.75 * PAPER * (self._look.phone[0] if self._look.phone else 1.0)
        there = (1 - area) + area * paper / self._usual
        noticed = 1 - float(np.exp(-max(0.0, t_s - 0.7 * path.come_s) / AE_S))
        return float(there ** (0.7 * noticed))

    def _light(self, t_s: float, exposure_s: float) -> Light:
        middle_s = t_s + READOUT_S / 2 + exposure_s / 2
        pose = self._path.at(middle_s)
        corners = self._project(pose, self._corners_mm())
        speed = (self._centre(middle_s + 0.002) - self._centre(middle_s - 0.002)) / 0.004
        reach = 24 + np.abs(speed).max() * (exposure_s + READOUT_S / 2) + 2 * self._blur_px(pose)
        left, top = np.maximum(np.floor(corners.min(axis=0) - reach), 0).astype(int)
        right, bottom = np.ceil(corners.max(axis=0) + reach).astype(int)
        right, bottom = min(int(right), WIDTH_PX), min(int(bottom), HEIGHT_PX)
        if right - left < 8 or bottom - top < 8:
            return self._room.copy()
        box = (int(left), int(top), right, bottom)
        layers = self._drawn(corners, box)
        blurs = [self._smear(middle_s, exposure_s), _disc(self._blur_px(pose))]
        for blur in blurs:
            if blur is not None:
                layers = [np.asarray(cv2.filter2D(one, -1, blur), np.float32) for one in layers]
        seen, mask = (_rolled(one, speed, box) for one in layers)
        seen = self._shining(seen, mask, t_s, box)
        light = self._room.copy()
        part = light[top:bottom, left:right]
        light[top:bottom, left:right] = seen + part * (1 - mask)
        return light

    def _drawn(self, corners: NDArray[np.float64], box: tuple[int, int, int, int]) -> list[Light]:
        """The card in its place and where it is, within ``box``, averaged from finer."""
        left, top, right, bottom = box
        height, width = self._card.shape
        size = (FINE * (right - left), FINE * (bottom - top))
        target_px = max(8.0, float(np.linalg.norm(corners[1] - corners[0])) * FINE)
        scale = min(1.0, 1.2 * target_px / width)
        card = cv2.resize(self._card, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        height, width = card.shape
        from_ = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
        place: Any = cv2.getPerspectiveTransform(
            from_, ((corners - (left, top)) * FINE).astype(np.float32)
        )
        layers = (card, np.ones_like(card))
        drawn = [
            cv2.warpPerspective(layer, place, size, flags=cv2.INTER_LINEAR) for layer in layers
        ]
        small = (right - left, bottom - top)
        return [
            np.asarray(cv2.resize(one, small, interpolation=cv2.INTER_AREA), np.float32)
            for one in drawn
        ]

    def _shining(
        self, seen: Light, mask: Light, t_s: float, box: tuple[int, int, int, int]
    ) -> Light:
        left, top, right, bottom = box
        if self._look.glare is None and self._look.phone is None:
            return seen
        y, x = np.mgrid[top:bottom, left:right].astype(np.float32)
        if self._look.glare is not None:
            off_x, off_y, wander, radius = self._look.glare
            at = self._code_corners(self._path.at(t_s)).mean(axis=0)
            spot_x, spot_y = at[0] + off_x + wander * (t_s - 0.5), at[1] + off_y
            spot = np.exp(-((x - spot_x) ** 2 + 2 * (y - spot_y) ** 2) / (2 * radius**2))
            seen = seen + mask * (2.0 * spot).astype(np.float32)
        if self._look.phone is not None:
            bright, period_px, turn = self._look.phone
            along = (x * np.cos(turn) + y * np.sin(turn)) * (2 * np.pi / period_px)
            bands = 1 + 0.25 * np.sin(2 * np.pi * 240 * (t_s + y / HEIGHT_PX * READOUT_S)) * 0.4
            seen = seen * (bright * bands * (1 + 0.12 * np.sin(along))).astype(np.float32)
            seen = seen + 0.03 * mask  # the room in its glass
        return np.asarray(seen, np.float32)

    def _blur_px(self, pose: Vector) -> float:
        """Radius of the blur, by the thin lens; sharp where the condition says nothing."""
        if self._look.focus_mm is None:
            return 0.5
        z_mm = float(pose[2])
        return 0.5 * LENS_MM2 * abs(1 / z_mm - 1 / self._look.focus_mm) / PIXEL_MM

    def _smear(self, middle_s: float, exposure_s: float) -> NDArray[np.float32] | None:
        """Where the card's middle goes during the exposure."""
        times = middle_s + np.linspace(-0.5, 0.5, 33) * exposure_s
        offsets = np.array([self._centre(t) for t in times]) - self._centre(middle_s)
        reach = int(np.ceil(np.abs(offsets).max()))
        if np.abs(offsets).max() < 0.3:
            return None
        kernel = np.zeros((2 * reach + 3, 2 * reach + 3), np.float32)
        fine = np.linspace(0, 32, 32 * max(1, reach) + 1)
        for x, y in zip(
            np.interp(fine, np.arange(33), offsets[:, 0]),
            np.interp(fine, np.arange(33), offsets[:, 1]),
            strict=True,
        ):
            _dab(kernel, reach + 1 - x, reach + 1 - y)
        return np.asarray(kernel / kernel.sum(), np.float32)

    # -- places ---------------------------------------------------------------------------------

    def _centre(self, t_s: float) -> NDArray[np.float64]:
        return np.asarray(self._project(self._path.at(t_s), np.zeros((1, 2)))[0], np.float64)

    def _corners_mm(self) -> NDArray[np.float64]:
        width, height = self._size_mm
        return np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * (width / 2, height / 2)

    def _code_corners(self, pose: Vector) -> NDArray[np.float64]:
        left, top, right, bottom = PHONE_CODE_MM if self._look.phone else CODE_MM
        width, height = self._size_mm
        corners = np.array([(left, top), (right, top), (right, bottom), (left, bottom)])
        return self._project(pose, corners - (width / 2, height / 2))

    def _project(self, pose: Vector, points_mm: NDArray[np.float64]) -> NDArray[np.float64]:
        roll, pitch, yaw = np.radians(pose[3:])
        about_z = [[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]]
        about_x = [[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]]
        about_y = [[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]]
        flat = np.column_stack((points_mm, np.zeros(len(points_mm))))
        turned = flat @ np.array(about_z).T @ np.array(about_x).T @ np.array(about_y).T
        placed = turned + pose[:3]
        places = placed[:, :2] / placed[:, 2:] * FOCAL_PX + (WIDTH_PX / 2, HEIGHT_PX / 2)
        return np.asarray(places, np.float64)


def _disc(radius_px: float) -> NDArray[np.float32] | None:
    """A lens out of focus spreads each point over a disc."""
    if radius_px < 0.3:
        return None
    reach = int(np.ceil(radius_px + 0.5))
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    kernel = np.clip(radius_px + 0.5 - np.hypot(x, y), 0, 1)
    return np.asarray(kernel / kernel.sum(), np.float32)


def _dab(kernel: NDArray[np.float32], x: float, y: float) -> None:
    column, row = int(x), int(y)
    right, down = x - column, y - row
    kernel[row, column] += (1 - right) * (1 - down)
    kernel[row, column + 1] += right * (1 - down)
    kernel[row + 1, column] += (1 - right) * down
    kernel[row + 1, column + 1] += right * down


def _rolled(layer: Light, speed: NDArray[np.float64], box: tuple[int, int, int, int]) -> Light:
    """Rows read earlier or later than the middle one see the card before or behind."""
    left, top, right, bottom = box
    if np.abs(speed).max() * READOUT_S / 2 < STILL_PX:
        return layer
    y, x = np.mgrid[0 : bottom - top, 0 : right - left].astype(np.float32)
    late_s = ((y + top) / HEIGHT_PX - 0.5) * READOUT_S
    from_x = (x - late_s * speed[0]).astype(np.float32)
    from_y = (y - late_s * speed[1]).astype(np.float32)
    return np.asarray(cv2.remap(layer, from_x, from_y, cv2.INTER_LINEAR), np.float32)
