"""A card as it is printed, and as it looks before a camera.

A QR code at level M in alphanumeric mode on a white card of ISO/IEC 7810 size ID-1, laid into a
scene in perspective, unsharp, moved, worn, in glare, and with the sensor's noise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import qrcode  # type: ignore[import-untyped]
from numpy.typing import NDArray

Gray = NDArray[np.uint8]

CARD_MM = (85.6, 54.0)
QR_MM = 40.0
PX_PER_MM = 8


@dataclass(frozen=True, slots=True)
class Pose:
    """Where a card is held: centre ``x_px``, ``y_px``; ``width_px`` of its long side when flat;
    ``roll``, ``pitch``, ``yaw`` in degrees; ``smear_px`` how far it moves during the exposure
    (x, y); ``defocus_px`` the blur's sigma."""

    x_px: float
    y_px: float
    width_px: float
    roll: float = 0.0
    pitch: float = 0.0
    yaw: float = 0.0
    smear_px: tuple[float, float] = (0.0, 0.0)
    defocus_px: float = 0.0


def modules(text: str, level: int = qrcode.constants.ERROR_CORRECT_M) -> Gray:
    """The code's modules with its quiet zone, one pixel each."""
    code = qrcode.QRCode(error_correction=level, border=4)
    code.add_data(text)
    code.make(fit=True)
    dark = np.array(code.get_matrix(), dtype=bool)
    return np.where(dark, 0, 255).astype(np.uint8)


def face(text: str, level: int = qrcode.constants.ERROR_CORRECT_M) -> Gray:
    """The printed card, ``PX_PER_MM`` fine."""
    width, height = (round(side * PX_PER_MM) for side in CARD_MM)
    card: Gray = np.full((height, width), 235, np.uint8)
    side = round(QR_MM * PX_PER_MM)
    code = cv2.resize(modules(text, level), (side, side), interpolation=cv2.INTER_NEAREST)
    top, left = (height - side) // 2, round(5 * PX_PER_MM)
    card[top : top + side, left : left + side] = np.clip(code, 25, 235)
    for line, length in enumerate((0.9, 0.7, 0.8, 0.5)):
        y = height // 4 + line * 6 * PX_PER_MM
        x = left + side + 3 * PX_PER_MM
        card[y : y + 2 * PX_PER_MM, x : x + round((width - x - 24) * length)] = 110
    return card


def lay(scene: Gray, card: Gray, pose: Pose) -> Gray:
    """The scene with the card held into it."""
    height, width = card.shape
    corners = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    place: Any = cv2.getPerspectiveTransform(corners, _projected(width, height, pose))
    size = (scene.shape[1], scene.shape[0])
    seen = cv2.warpPerspective(card, place, size, flags=cv2.INTER_AREA)
    mask = cv2.warpPerspective(np.full_like(card, 255), place, size, flags=cv2.INTER_LINEAR)
    for blur in (_smear(pose.smear_px), _defocus(pose.defocus_px)):
        if blur is not None:
            seen, mask = cv2.filter2D(seen, -1, blur), cv2.filter2D(mask, -1, blur)
    # `seen` is black, so already weighted, where the mask fades out.
    kept = cv2.multiply(scene, cv2.bitwise_not(mask), scale=1 / 255)
    laid: Gray = np.asarray(cv2.add(seen, kept), np.uint8)
    return laid


def _projected(width: int, height: int, pose: Pose) -> NDArray[np.float32]:
    """The card's four corners in the picture, seen by a pinhole camera two card widths away."""
    corners = np.array([(-0.5, -0.5, 0), (0.5, -0.5, 0), (0.5, 0.5, 0), (-0.5, 0.5, 0)]) * np.array(
        [1, height / width, 0]
    )
    roll, pitch, yaw = np.radians((pose.roll, pose.pitch, pose.yaw))
    about_z = [[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]]
    about_x = [[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]]
    about_y = [[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]]
    turned = corners @ np.array(about_z).T @ np.array(about_x).T @ np.array(about_y).T
    distance = 2.0
    flat = turned[:, :2] * (distance / (distance + turned[:, 2:])) * pose.width_px
    return np.asarray(np.add(flat, (pose.x_px, pose.y_px)), np.float32)


def _smear(smear_px: tuple[float, float]) -> NDArray[np.float32] | None:
    length = max(abs(smear_px[0]), abs(smear_px[1]))
    if length < 1:
        return None
    half = int(np.ceil(length / 2))
    kernel = np.zeros((2 * half + 1, 2 * half + 1), np.float32)
    for along in np.linspace(-0.5, 0.5, 4 * half + 1):
        kernel[round(half + along * smear_px[1]), round(half + along * smear_px[0])] += 1
    return np.asarray(kernel / kernel.sum(), np.float32)


def _defocus(sigma_px: float) -> NDArray[np.float32] | None:
    if sigma_px < 0.3:
        return None
    line = cv2.getGaussianKernel(2 * int(np.ceil(2 * sigma_px)) + 1, sigma_px)
    return np.asarray(line @ line.T, np.float32)
