"""Where a face is held before the camera, and how it bends there.

Backwards, as a camera looks: from each pixel of the picture through the rolling shutter, the
perspective and the paper's bend to the place of the face that it sees.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from hw_sim.pictures.faces import Face, Levels

Place = NDArray[np.float64]
"""A homography from the face's pixels to the picture's, 3×3."""


@dataclass(frozen=True, slots=True)
class Held:
    """``x_px``, ``y_px`` the middle of the code in the picture, ``module_px`` how large a module appears
    when seen flat, angles in degrees.

    ``curl`` the arc (degrees) that the code covers on a cylinder, 0 flat, about an axis turned by
    ``curl_axis``; ``wave`` the height of a wavy sheet in modules. ``shear_px`` how far the last row has
    moved against the first one while the shutter rolled, ``wobble_px`` its hand's tremble: at 10 times a
    second half a period in a slow shutter's 50 ms.
    """

    x_px: float
    y_px: float
    module_px: float
    roll: float = 0.0
    pitch: float = 0.0
    yaw: float = 0.0
    curl: float = 0.0
    curl_axis: float = 0.0
    wave: float = 0.0
    shear_px: float = 0.0
    wobble_px: float = 0.0
    mirrored: bool = False


@dataclass(frozen=True, slots=True)
class Seen:
    """The face as a window of the picture shows it, and how much of each pixel it covers; ``rows`` and
    ``columns`` say which window. ``x`` and ``y`` the places of the flat face that are seen there."""

    levels: Levels
    cover: Levels
    rows: slice
    columns: slice
    x: Place
    y: Place


def seen(face: Face, held: Held, shape: tuple[int, int]) -> Seen:
    """The face in a picture of ``shape`` (height, width)."""
    shrink = max(1.0, face.module_px / max(0.5, 2 * held.module_px))
    levels = face.levels
    if shrink > 1.01:
        size = (max(2, round(levels.shape[1] / shrink)), max(2, round(levels.shape[0] / shrink)))
        levels = np.asarray(cv2.resize(levels, size, interpolation=cv2.INTER_AREA), np.float32)
    rows, columns = _window(face, held, shape)
    u, v = _looked(held, shape, rows, columns)
    h = np.linalg.inv(placed(face, held))
    depth = h[2, 0] * u + h[2, 1] * v + h[2, 2]
    x = (h[0, 0] * u + h[0, 1] * v + h[0, 2]) / depth
    y = (h[1, 0] * u + h[1, 1] * v + h[1, 2]) / depth
    x, y = _unbent(x, y, face, held)
    height, width = levels.shape
    map_x = ((x + 0.5) * (width / face.levels.shape[1]) - 0.5).astype(np.float32)
    map_y = ((y + 0.5) * (height / face.levels.shape[0]) - 0.5).astype(np.float32)
    behind = depth <= 0
    map_x[behind] = map_y[behind] = -1e4
    shown = cv2.remap(levels, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    inside = np.minimum(np.minimum(map_x, width - 1 - map_x), np.minimum(map_y, height - 1 - map_y))
    cover = np.clip(inside + 0.5, 0, 1).astype(np.float32)
    return Seen(np.asarray(shown, np.float32), cover, rows, columns, x, y)


def _window(face: Face, held: Held, shape: tuple[int, int]) -> tuple[slice, slice]:
    """Rows and columns that the face can reach."""
    height, width = face.levels.shape
    edges = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    around = cv2.perspectiveTransform(edges[None], placed(face, held))[0]
    room = 0.25 * np.ptp(around, axis=0) + abs(held.shear_px) + abs(held.wobble_px) + 2
    low = np.clip(around.min(0) - room, 0, (shape[1] - 1, shape[0] - 1)).astype(int)
    high = np.clip(around.max(0) + room, low + 1, (shape[1], shape[0])).astype(int)
    return slice(int(low[1]), int(high[1])), slice(int(low[0]), int(high[0]))


def placed(face: Face, held: Held) -> Place:
    """From the flat face to the picture: a pinhole camera three code sides away."""
    middle = face.corners.mean(0)
    side = float(np.ptp(face.corners[:, 0]))
    corners = (face.corners - middle) / side
    roll, pitch, yaw = np.radians((held.roll, held.pitch, held.yaw))
    about_z = [[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]]
    about_x = [[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]]
    about_y = [[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]]
    flat = np.pad(corners, ((0, 0), (0, 1)))
    turned = flat @ np.array(about_x).T @ np.array(about_y).T @ np.array(about_z).T
    far = 3.0
    px = held.module_px * side / face.module_px
    flat_px = turned[:, :2] * (far / (far + turned[:, 2:])) * px * (-1 if held.mirrored else 1, 1)
    flat_px += (held.x_px, held.y_px)
    place = cv2.getPerspectiveTransform(face.corners, flat_px.astype(np.float32))
    return np.asarray(place, np.float64)


def _looked(held: Held, shape: tuple[int, int], rows: slice, columns: slice) -> tuple[Place, Place]:
    """Each pixel's place as if the shutter had not rolled."""
    height = shape[0]
    v, u = np.mgrid[rows, columns].astype(np.float64)
    if held.shear_px or held.wobble_px:
        row = v / height
        u = u - held.shear_px * (row - held.y_px / height)
        u = u - held.wobble_px * np.sin(np.pi * (row - 0.3))
    return u, v


def _unbent(x: Place, y: Place, face: Face, held: Held) -> tuple[Place, Place]:
    """Places on the sheet of what is seen at places of the plane that it would lie in."""
    if not (held.curl or held.wave):
        return x, y
    middle, side = face.corners.mean(0), float(np.ptp(face.corners[:, 0]))
    turn = np.radians(held.curl_axis)
    along = (x - middle[0]) * np.cos(turn) + (y - middle[1]) * np.sin(turn)
    across = -(x - middle[0]) * np.sin(turn) + (y - middle[1]) * np.cos(turn)
    if held.curl:
        radius = side / np.radians(held.curl)
        depth = radius - np.sqrt(np.maximum(radius**2 - along**2, 0))
        along = radius * np.arcsin(np.clip(along / radius, -0.999, 0.999))
        # What lies deeper is farther away, so smaller, and moves up where the camera looks from below.
        across = across * (1 + depth / (3 * side)) + depth * np.sin(np.radians(held.pitch))
    if held.wave:
        wave = held.wave * face.module_px
        across = across + wave * np.sin(2 * np.pi * along / side * 1.3 + 0.7)
    x = middle[0] + along * np.cos(turn) - across * np.sin(turn)
    y = middle[1] + along * np.sin(turn) + across * np.cos(turn)
    return x, y
