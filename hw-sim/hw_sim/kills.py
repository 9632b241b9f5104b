"""When which process is killed: fixed before the run, spread over it, nobody spared.

Invariant: of ``times`` kills each of the victims gets ``times // len(VICTIMS)`` or one more.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

VICTIMS = ("station", "uplink", "broker", "receiver")
FIRST_S = 8.0
"""Not before somebody has been served."""
LAST_S = 6.0
"""Before the end, so that what was killed is back when people finish."""
ENDLESS_EVERY_S = 15.0
"""A run that ends with Ctrl-C has one kill in so long."""


@dataclass(frozen=True, slots=True)
class Kill:
    """One kill, ``at_s`` seconds after the run's begin."""

    at_s: float
    victim: str


def plan(times: int, length_s: float | None, rng: Random) -> list[Kill]:
    """One kill in each of ``times`` equal parts of the run, at random within its part."""
    victims: list[str] = []
    while len(victims) < times:
        victims += rng.sample(VICTIMS, len(VICTIMS))
    end_s = FIRST_S + times * ENDLESS_EVERY_S if length_s is None else length_s - LAST_S
    part_s = max(0.0, end_s - FIRST_S) / max(1, times)
    return [
        Kill(FIRST_S + (number + rng.random()) * part_s, victim)
        for number, victim in enumerate(victims[:times])
    ]
