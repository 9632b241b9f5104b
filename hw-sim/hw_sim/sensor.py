"""A webcam's sensor: light in, grey levels out.

Linear light becomes electrons, electrons have shot noise and read noise, gain makes levels of them, and
a gamma of 1/2.2 makes those the picture's. Auto-exposure, like most webcams', takes a longer exposure
before it takes more gain. Each row is exposed a little later than the one above it.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Light = NDArray[np.float32]
Gray = NDArray[np.uint8]

WIDTH_PX, HEIGHT_PX = 640, 480
FOCAL_PX = 554.0
"""A horizontal view of 60 degrees."""
FULL_MS, FULL_LUX = 8.0, 500.0
"""What makes white paper white at gain 1: a bright room and cards.md's long exposure."""
WHITE_ELECTRONS = 6_000.0
READ_ELECTRONS = 6.0
MAX_GAIN = 8.0
MIN_EXPOSURE_MS, MAX_EXPOSURE_MS = 0.1, 33.0
READOUT_S = 0.020
"""From the first row's exposure to the last row's."""
BLACK = 0.004
LEVEL_GAMMA = 1 / 2.2
JPEG_QUALITY = 85


@dataclass(frozen=True, slots=True)
class Exposure:
    """``ms`` how long a row looks, ``gain`` what is made of it."""

    ms: float
    gain: float


@dataclass(frozen=True, slots=True)
class Lamp:
    """Lamps on the mains: ``flicker_hz`` twice the mains', ``depth`` 0 steady, 1 dark in between."""

    flicker_hz: float = 100.0
    depth: float = 0.0

    def rows(self, t_s: float, exposure_ms: float) -> Light:
        """Light of each row of a frame begun at ``t_s``, averaged over its exposure."""
        row_s = t_s + np.linspace(0, READOUT_S, HEIGHT_PX)
        smoothing = np.sinc(self.flicker_hz * exposure_ms / 1_000)
        middle = 2 * np.pi * self.flicker_hz * (row_s + exposure_ms / 2_000)
        return np.asarray(1 + self.depth * smoothing * np.cos(middle), np.float32)


def auto_exposure(lux: float, brightness: float = 1.0) -> Exposure:
    """What a webcam chooses; ``brightness`` of its picture against a usual one."""
    want_ms = FULL_MS * FULL_LUX / lux / brightness
    ms = min(MAX_EXPOSURE_MS, max(MIN_EXPOSURE_MS, want_ms))
    return Exposure(ms, min(MAX_GAIN, max(1.0, want_ms / ms)))


def levels(
    light: Light, exposure: Exposure, lux: float, rows: Light, dice: np.random.Generator
) -> Gray:
    """The picture of ``light`` (white paper is 1 in a usual room) in a room of ``lux``."""
    share = lux / FULL_LUX * exposure.ms / FULL_MS
    electrons = light * (rows[:, None] * np.float32(share * WHITE_ELECTRONS))
    at = int(dice.integers(_NOISE.size - light.size))
    noise = _NOISE[at : at + light.size].reshape(light.shape)
    electrons += noise * np.sqrt(np.maximum(electrons, 0) + np.float32(READ_ELECTRONS**2))
    scale = exposure.gain / WHITE_ELECTRONS * _STEPS
    linear = electrons * np.float32(scale) + np.float32(BLACK * _STEPS)
    linear = np.minimum(np.maximum(linear, 0), np.float32(_STEPS))
    return np.asarray(_GAMMA[linear.astype(np.uint16)], np.uint8)


def jpeg(gray: Gray) -> bytes:
    """As a USB camera sends it."""
    done, coded = cv2.imencode(".jpg", gray, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    assert done
    return bytes(coded)


_STEPS = 4_095
_GAMMA = np.round(255 * (np.arange(_STEPS + 1) / _STEPS) ** LEVEL_GAMMA).astype(np.uint8)
_NOISE = np.random.default_rng(1).standard_normal(3 * WIDTH_PX * HEIGHT_PX, np.float32)
"""Each frame takes its noise from some place in here: drawing it anew would cost half of a frame."""
