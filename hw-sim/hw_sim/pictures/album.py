"""The set of pictures: number ``n`` of a seed is always the same photograph."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hw_sim.pictures.kinds import KINDS
from hw_sim.pictures.payloads import Payload
from hw_sim.pictures.plan import take


@dataclass(frozen=True, slots=True)
class Photograph:
    """``picture`` grey or blue, green, red; ``payloads`` what stands in its codes."""

    kind: str
    picture: NDArray[np.uint8]
    payloads: tuple[Payload, ...]


def photograph(seed: int, number: int, kinds: tuple[str, ...] = tuple(KINDS)) -> Photograph:
    """Photograph ``number`` of the set ``seed``; the kinds take turns."""
    kind = kinds[number % len(kinds)]
    dice = np.random.default_rng((seed, list(KINDS).index(kind), number // len(kinds)))
    shot = take(KINDS[kind](dice), dice)
    return Photograph(kind, shot.picture, shot.payloads)


def clean(payload: Payload, module_px: int = 4) -> NDArray[np.uint8]:
    """The payload's code as a printer's program draws it."""
    large = np.repeat(np.repeat(payload.modules, module_px, 0), module_px, 1)
    return np.pad(large, 4 * module_px, constant_values=255)
