"""What stands around a code, or where none is: walls, tiles, print, leaves, fences, other symbols."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import zxingcpp

from hw_sim.pictures.faces import Levels
from hw_sim.pictures.payloads import Dice
from hw_sim.pictures.wear import cloud

Shape = tuple[int, int]


def any_(shape: Shape, dice: Dice) -> Levels:
    """Any of them."""
    return ALL[dice.integers(len(ALL))](shape, dice)


def wall(shape: Shape, dice: Dice) -> Levels:
    """Soft light on something plain with a grain."""
    low, high = np.sort(dice.uniform(30, 230, 2))
    base = low + (high - low) * cloud(shape, int(dice.integers(2, 12)), dice)
    grain = dice.normal(0, dice.uniform(1, 8), (shape[0] // 2 + 1, shape[1] // 2 + 1))
    fine = cv2.resize(grain.astype(np.float32), (shape[1], shape[0]))
    return np.asarray(base + fine, np.float32)


def leaves(shape: Shape, dice: Dice) -> Levels:
    """Many overlapping shapes of every size."""
    scene = wall(shape, dice)
    reach = min(shape)
    for _ in range(int(dice.integers(40, 160))):
        at = (int(dice.integers(shape[1])), int(dice.integers(shape[0])))
        size = [max(1, int(reach * dice.uniform(0.01, 0.12))) for _ in range(2)]
        tone = float(dice.uniform(10, 245))
        cv2.ellipse(scene, at, size, dice.uniform(0, 180), 0, 360, tone, -1, cv2.LINE_AA)
    return scene


def tiles(shape: Shape, dice: Dice) -> Levels:
    """Squares in rows, each dark or light by chance: much like a code, but none."""
    cell = int(max(3, min(shape) * dice.uniform(0.008, 0.08)))
    rows, columns = shape[0] // cell + 2, shape[1] // cell + 2
    dark, light = dice.uniform(10, 90), dice.uniform(140, 245)
    chance = dice.random((rows, columns)) < dice.uniform(0.2, 0.8)
    board = np.where(chance, dark, light).astype(np.float32)
    large = np.kron(board, np.ones((cell, cell), np.float32))
    y, x = dice.integers(cell, size=2)
    return large[y : y + shape[0], x : x + shape[1]].copy()


def checks(shape: Shape, dice: Dice) -> Levels:
    """A regular board, stripes or a fence."""
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    turn = dice.uniform(0, np.pi)
    period = float(min(shape) * dice.uniform(0.01, 0.12))
    a = np.sin(2 * np.pi * (x * np.cos(turn) + y * np.sin(turn)) / period)
    b = np.sin(2 * np.pi * (y * np.cos(turn) - x * np.sin(turn)) / period)
    wave = a * b if dice.random() < 0.5 else a
    return np.asarray(128 + 100 * np.tanh(4 * wave), np.float32)


def squares_in_squares(shape: Shape, dice: Dice) -> Levels:
    """Rings and finder patterns scattered about, no code among them."""
    scene = wall(shape, dice) * np.float32(0.2) + np.float32(190)
    for _ in range(int(dice.integers(5, 40))):
        unit = max(1, int(min(shape) * dice.uniform(0.003, 0.02)))
        x, y = int(dice.integers(shape[1])), int(dice.integers(shape[0]))
        round_ = dice.random() < 0.3
        for half, tone in ((3.5, 20.0), (2.5, 230.0), (1.5, 20.0)):
            size = int(half * unit)
            if round_:
                cv2.circle(scene, (x, y), size, tone, -1, cv2.LINE_AA)
            else:
                cv2.rectangle(scene, (x - size, y - size), (x + size, y + size), tone, -1)
    return scene.astype(np.float32)


def print_(shape: Shape, dice: Dice) -> Levels:
    """A page of letters."""
    scene = np.full(shape, dice.integers(190, 250), np.uint8)
    fonts = (cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_TRIPLEX, cv2.FONT_HERSHEY_SCRIPT_SIMPLEX)
    size = float(min(shape) / 480 * dice.uniform(0.3, 1.5))
    step = max(8, int(28 * size))
    for y in range(step, shape[0] + step, step):
        letters = "".join(chr(int(n)) for n in dice.integers(33, 127, 90))
        font = fonts[dice.integers(len(fonts))]
        thick = max(1, int(2 * size))
        cv2.putText(scene, letters, (5, y), font, size, float(dice.uniform(10, 90)), thick)
    return scene.astype(np.float32)


def other_symbols(shape: Shape, dice: Dice) -> Levels:
    """Bar codes, Data Matrix, Aztec and Micro QR codes: no QR code."""
    scene = np.full(shape, 235, np.float32)
    kinds = ("Code128", "DataMatrix", "Aztec", "MicroQRCode", "PDF417", "EAN13")
    for _ in range(int(dice.integers(2, 6))):
        kind = str(dice.choice(kinds))
        number = "".join(map(str, dice.integers(0, 10, 12)))
        code = zxingcpp.create_barcode(
            number[:8] if kind == "MicroQRCode" else number, getattr(zxingcpp.BarcodeFormat, kind)
        )
        scale = max(1, int(min(shape) * dice.uniform(0.004, 0.012)))
        image = np.array(code.to_image(scale=scale), np.float32)[: shape[0], : shape[1]]
        height, width = image.shape
        y = int(dice.integers(shape[0] - height + 1))
        x = int(dice.integers(shape[1] - width + 1))
        scene[y : y + height, x : x + width] = np.clip(image, 20, 235)
    return scene


def noise(shape: Shape, dice: Dice) -> Levels:
    """A sensor that sees nothing, or a screen's snow."""
    return dice.uniform(0, 255, shape).astype(np.float32)


ALL: tuple[Callable[[Shape, Dice], Levels], ...] = (
    wall,
    wall,
    leaves,
    leaves,
    tiles,
    checks,
    print_,
)
"""What a code is laid onto."""
ALONE = (*dict.fromkeys(ALL), squares_in_squares, other_symbols, noise)
"""What is looked at where there is no code."""
