"""One photograph's plan, and the taking of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from hw_sim.pictures import backgrounds, optics, payloads, screens
from hw_sim.pictures.bends import Held, placed, seen
from hw_sim.pictures.faces import Face, Ink, Levels, on_card, printed
from hw_sim.pictures.payloads import Dice, Payload

Wear = Callable[[Face, Dice], Face]
Light = Callable[[Levels, Dice, tuple[float, float], float], Levels]

PHOTO = (3_000, 4_000)
PLAIN_INK = Ink()


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be photographed, and how.

    Sizes ``…_m`` are in modules as the picture shows them; ``share`` the code's side as a share of the
    picture's shorter one, unless ``module_px`` says how large a module is. ``codes`` how many; ``cut_m``
    the quiet zone that a crop leaves, None for no crop; ``inside`` False where the code may reach over
    the edge. ``dark`` and ``light_colour`` the colours (blue, green, red) that black and white have, None
    for a grey picture.
    """

    shape: tuple[int, int] = (480, 640)
    share: float = 0.5
    module_px: float | None = None
    versions: tuple[int, int] = (1, 10)
    codes: int = 1
    ink: Ink = PLAIN_INK
    card: bool = True
    wear: tuple[Wear, ...] = ()
    roll: float = 0.0
    pitch: float = 0.0
    yaw: float = 0.0
    bend: Held | None = None
    light: tuple[Light, ...] = ()
    screen: float | None = None
    defocus_m: float = 0.15
    motion_m: float = 0.0
    exposure: float = 1.0
    noise: float = 3.0
    processed: bool = False
    jpeg: int | None = None
    mirrored: bool = False
    cut_m: float | None = None
    inside: bool = True
    dark: tuple[int, int, int] | None = None
    light_colour: tuple[int, int, int] = (255, 255, 255)


@dataclass(frozen=True, slots=True)
class Shot:
    """A picture (grey, or blue, green, red), and what stands in its codes."""

    picture: NDArray[np.uint8]
    payloads: tuple[Payload, ...]


def take(plan: Plan, dice: Dice) -> Shot:
    """The photograph."""
    shape = plan.shape
    behind = backgrounds.any_ if plan.codes else _without_code
    scene = np.ascontiguousarray(behind(shape, dice), np.float32)
    found: list[Payload] = []
    held = Held(0, 0, 1.0)
    for at, room_px in _places(plan, dice):
        payload = payloads.draw(dice, least_version=plan.versions[0], most_version=plan.versions[1])
        found.append(payload)
        face = _face(plan, payload, dice)
        held = _held(plan, payload, at, room_px, dice)
        if plan.inside:
            held = _moved_inside(held, face, shape)
        view = seen(face, held, shape)
        shown = view.levels
        if plan.screen is not None:
            grid = screens.Grid(plan.screen, float(dice.uniform(0.1, 0.5)))
            shown = screens.lit(view, face, grid, dice)
        window = scene[view.rows, view.columns]
        window += (shown - window) * view.cover
        reach_px = held.module_px * len(payload.modules)
        for shine in plan.light:
            scene = shine(scene, dice, (held.x_px, held.y_px), reach_px)
    picture = _photographed(plan, scene, held.module_px, dice)
    if plan.cut_m is not None and found:
        picture = _cut(picture, face, held, plan.cut_m)
    return Shot(_coloured(plan, picture), tuple(found))


def _without_code(shape: tuple[int, int], dice: Dice) -> Levels:
    return backgrounds.ALONE[dice.integers(len(backgrounds.ALONE))](shape, dice)


def _places(plan: Plan, dice: Dice) -> list[tuple[tuple[float, float], float]]:
    """The middle of each code and the room that it has, in pixels: a cell of a board each."""
    if plan.codes == 0:
        return []
    height, width = plan.shape
    columns = int(np.ceil(np.sqrt(plan.codes * width / height)))
    rows = int(np.ceil(plan.codes / columns))
    cell = (width / columns, height / rows)
    room = min(cell)
    slack = np.maximum(0, np.array(cell) - 1.1 * room * plan.share) / 2
    places = []
    for n in range(plan.codes):
        middle = np.array((n % columns + 0.5, n // columns + 0.5)) * cell
        x, y = middle + dice.uniform(-1, 1, 2) * slack * 0.7
        places.append(((float(x), float(y)), float(room)))
    return places


def _face(plan: Plan, payload: Payload, dice: Dice) -> Face:
    face = printed(payload.modules, plan.ink, dice)
    if plan.screen is not None:
        return screens.bezel(face, dice)
    # One that must leave room for others has no card about it.
    face = on_card(face, dice) if plan.card and plan.codes == 1 else face
    for use in plan.wear:
        face = use(face, dice)
    return face


def _held(
    plan: Plan, payload: Payload, at: tuple[float, float], room_px: float, dice: Dice
) -> Held:
    module_px = plan.module_px or max(1.6, plan.share * room_px / len(payload.modules))
    bend = plan.bend or Held(0, 0, 1)
    turned = 0.0 if plan.codes == 1 else dice.uniform(-20, 20)
    return replace(
        bend,
        x_px=at[0],
        y_px=at[1],
        module_px=module_px,
        roll=plan.roll + turned,
        pitch=plan.pitch,
        yaw=plan.yaw,
        mirrored=plan.mirrored,
        shear_px=bend.shear_px * module_px,
        wobble_px=bend.wobble_px * module_px,
    )


def _moved_inside(held: Held, face: Face, shape: tuple[int, int]) -> Held:
    """So that no corner of the code is cut off, where the code is not larger than the picture."""
    corners = cv2.perspectiveTransform(face.corners[None], placed(face, held))[0]
    edge = 2 * held.module_px
    size = np.array((shape[1], shape[0]))
    short = np.maximum(0, edge - corners.min(0)) - np.maximum(0, corners.max(0) + edge - size)
    return replace(held, x_px=held.x_px + float(short[0]), y_px=held.y_px + float(short[1]))


def _photographed(plan: Plan, scene: Levels, module_px: float, dice: Dice) -> NDArray[np.uint8]:
    scene = optics.defocused(scene, min(plan.defocus_m * module_px, 20))
    length_px = min(plan.motion_m * module_px, 60)
    scene = optics.moved(scene, length_px, dice.uniform(0, 180), dice.normal(0, 0.1) * length_px)
    picture = optics.sensed(scene, plan.exposure, plan.noise, dice)
    if plan.processed:
        picture = optics.processed(picture, dice)
    return picture if plan.jpeg is None else optics.compressed(picture, plan.jpeg)


def _cut(picture: Any, face: Face, held: Held, cut_m: float) -> NDArray[np.uint8]:
    corners = cv2.perspectiveTransform(face.corners[None], placed(face, held))[0]
    edge = cut_m * held.module_px
    left, top = np.maximum(np.floor(corners.min(0) - edge), 0).astype(int)
    right, bottom = np.ceil(corners.max(0) + edge).astype(int)
    return np.ascontiguousarray(picture[top:bottom, left:right])


def _coloured(plan: Plan, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    if plan.dark is None:
        return picture
    dark, light = np.array(plan.dark, np.float32), np.array(plan.light_colour, np.float32)
    table = dark + (light - dark) * (np.arange(256, dtype=np.float32)[:, None] / 255)
    return np.rint(table).astype(np.uint8)[picture]
