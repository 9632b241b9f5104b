"""Which symbol on a card is read best: the tagged card beside the signed one, and each error level.

    python tests/benchmarks/card_symbols.py --frames 300

The same frames for every symbol: one card in one pose, 640 x 480, with the same seeds, and only what is
printed on it differs (all of them 40 mm wide with their quiet zone). Read by zxing-cpp, and where that
finds nothing by zbar, as facts about decoders alone; a text that is not the card's own counts as wrong. At
the end what judging one card costs the station. Prints one JSON object.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import cv2
import numpy as np
import qrcode  # type: ignore[import-untyped]
import zxingcpp
from hw_sim.cardprint import Gray, Pose, face, lay, modules
from pyzbar import pyzbar

from kiosk.cards.ciphers import LibraryCiphers
from kiosk.core.cards import CardBody, day_of, issue, signed, token
from sync.signing import Signer

SIZE_PX = (640, 480)
CARD_KEY = bytes(range(32))
SIGNER = Signer(bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"))
LEVELS = {
    "L": qrcode.constants.ERROR_CORRECT_L,
    "M": qrcode.constants.ERROR_CORRECT_M,
    "Q": qrcode.constants.ERROR_CORRECT_Q,
    "H": qrcode.constants.ERROR_CORRECT_H,
}
JUDGED = 2_000


@dataclass(frozen=True)
class Symbol:
    """One text at one level."""

    name: str
    text: str
    level: int

    @cached_property
    def card(self) -> Gray:
        return face(self.text, self.level)

    @property
    def version(self) -> int:
        return (len(modules(self.text, self.level)) - 8 - 17) // 4


def symbols(rng: random.Random) -> list[Symbol]:
    body = CardBody(1, day_of(2030, 3, 31), rng.randbytes(10))
    texts = {
        "tagged": issue(body, CARD_KEY).decode(),
        "signed": signed.issue(body, SIGNER.sign).decode(),
    }
    return [
        Symbol(f"{kind} {level}", text, number)
        for kind, text in texts.items()
        for level, number in LEVELS.items()
    ]


def pose(rng: random.Random, **other: Any) -> Pose:
    """How somebody holds a card who does not try hard."""
    return Pose(
        **{
            "x_px": rng.uniform(280, 360),
            "y_px": rng.uniform(210, 270),
            "width_px": rng.uniform(230, 330),
            "roll": rng.uniform(-25, 25),
            "pitch": rng.uniform(-15, 15),
            "yaw": rng.uniform(-15, 15),
            "defocus_px": rng.uniform(0.5, 1.2),
            **other,
        }
    )


Spoil = Callable[[Gray, random.Random], Gray]


def nothing(frame: Gray, rng: random.Random) -> Gray:
    return frame


def dark(frame: Gray, rng: random.Random) -> Gray:
    """A hall at night: little light, and the sensor's noise for it."""
    noise = np.random.default_rng(rng.getrandbits(32)).normal(0, 1.0, frame.shape)
    light = frame.astype(np.float32) / rng.uniform(4, 8)
    electrons = light + noise * np.sqrt(light + 4) * rng.uniform(0.3, 0.9)
    return np.clip(electrons * 3.0, 0, 255).astype(np.uint8)


def glare(frame: Gray, rng: random.Random) -> Gray:
    """A lamp mirrored in the card's film."""
    y, x = np.mgrid[: frame.shape[0], : frame.shape[1]]
    at_x, at_y = rng.uniform(250, 390), rng.uniform(180, 300)
    away = ((x - at_x) / rng.uniform(10, 24)) ** 2 + ((y - at_y) / rng.uniform(6, 18)) ** 2
    return np.clip(frame + 400 * np.exp(-away), 0, 255).astype(np.uint8)


def worn(card: Gray, rng: random.Random) -> Gray:
    """Two years in a purse: scratches, a rubbed patch, a crease."""
    made = card.copy()
    height, width = made.shape
    for _ in range(rng.randint(3, 8)):
        ends = [(rng.randrange(width), rng.randrange(height)) for _ in range(2)]
        cv2.line(made, *ends, rng.choice((40, 225)), rng.randint(1, 3))
    for _ in range(2):
        middle = (rng.randrange(30, 360), rng.randrange(30, height - 30))
        cv2.circle(made, middle, rng.randint(6, 16), rng.choice((130, 225)), -1)
    return made


def smear(rng: random.Random) -> tuple[float, float]:
    """A swipe of 100 to 400 px a second at 8 to 15 ms."""
    length = rng.uniform(1.5, 5)
    angle = rng.uniform(0, 2 * np.pi)
    return (float(length * np.cos(angle)), float(length * np.sin(angle)))


def frame(condition: str, card: Gray, rng: random.Random) -> Gray:
    """One frame of ``card``; every draw of ``rng`` is the same whatever the card shows."""
    spoil: Spoil = {"dark": dark, "glare": glare}.get(condition, nothing)
    if condition == "worn":
        card = worn(card, rng)
    held = {
        "moving": lambda: pose(rng, smear_px=smear(rng)),
        "unsharp": lambda: pose(rng, defocus_px=rng.uniform(1.0, 2.2)),
        "far": lambda: pose(rng, width_px=rng.uniform(140, 220)),
        "tilted": lambda: pose(rng, pitch=rng.uniform(15, 40), yaw=rng.uniform(15, 40)),
    }.get(condition, lambda: pose(rng))()
    scene = np.full((SIZE_PX[1], SIZE_PX[0]), 95, np.uint8)
    seen = spoil(lay(scene, card, held), rng)
    noise = np.random.default_rng(rng.getrandbits(32)).normal(0, 4.0, seen.shape)
    return np.clip(seen + noise, 0, 255).astype(np.uint8)


CONDITIONS = ("easy", "moving", "unsharp", "far", "tilted", "dark", "glare", "worn")


def texts(gray: Gray, *, zbar: bool) -> set[bytes]:
    found = {
        code.bytes for code in zxingcpp.read_barcodes(gray, formats=zxingcpp.BarcodeFormat.QRCode)
    }
    if not found and zbar:
        found = {code.data for code in pyzbar.decode(gray, symbols=[pyzbar.ZBarSymbol.QRCODE])}
    return found


def measured(frames: int, seed: int) -> dict[str, Any]:
    shown = symbols(random.Random(seed))
    read: dict[str, dict[str, list[int]]] = {
        one.name: {condition: [0, 0] for condition in CONDITIONS} for one in shown
    }
    wrong = 0
    for condition in CONDITIONS:
        for number in range(frames):
            for one in shown:
                rng = random.Random(f"{seed} {condition} {number}")
                gray = frame(condition, one.card, rng)
                counts = read[one.name][condition]
                for place, zbar in enumerate((False, True)):
                    found = texts(gray, zbar=zbar)
                    counts[place] += one.text.encode() in found
                    wrong += bool(found - {one.text.encode()})
    return {
        "frames_each": frames,
        "wrong_texts": wrong,
        "symbols": {one.name: {"chars": len(one.text), "version": one.version} for one in shown},
        "read_pct_zxing_then_zbar": {
            name: {c: round(100 * n[1] / frames, 1) for c, n in found.items()}
            for name, found in read.items()
        },
        "read_pct_all_conditions": {
            name: {
                "zxing": round(sum(n[0] for n in found.values()) * 100 / frames / len(found), 1),
                "zxing_then_zbar": round(
                    sum(n[1] for n in found.values()) * 100 / frames / len(found), 1
                ),
            }
            for name, found in read.items()
        },
    }


def judging() -> dict[str, float]:
    """Microseconds for one card, good ones."""
    body, ciphers = CardBody(1, day_of(2030, 3, 31), bytes(10)), LibraryCiphers()
    tagged, whole = issue(body, CARD_KEY), signed.issue(body, SIGNER.sign)
    checks: dict[str, Callable[[], object]] = {
        "tagged": lambda: token.check(tagged, {1: CARD_KEY}),
        "signed": lambda: signed.check(whole, {1: SIGNER.public_key}, ciphers),
    }
    took = {}
    for name, check in checks.items():
        began = time.perf_counter()
        for _ in range(JUDGED):
            check()
        took[name] = round((time.perf_counter() - began) / JUDGED * 1e6, 1)
    return took


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    ask.add_argument("--frames", type=int, default=300, help="of each condition and symbol")
    ask.add_argument("--seed", type=int, default=1)
    asked = ask.parse_args()
    result = {**measured(asked.frames, asked.seed), "judging_us": judging()}
    sys.stdout.write(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
