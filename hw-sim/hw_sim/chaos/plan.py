"""Whom the kills fall on, and when: a seed's choice within what was promised.

Each of station, uplink, broker and receivers gets a fifth of the kills at the least; the rest falls at
random. The times between kills are exponential, with a longer calm now and then, so that some kills fall
on processes that are just coming up and others on a system in full flow.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

KINDS = ("station", "uplink", "broker", "receivers")
RECEIVERS = ("receiver-1", "receiver-2")
LEAST_SHARE = 5
"""One kill in so many, at least, for each kind."""
CALM_EACH = 12
CALM_S = (3.0, 6.0)


@dataclass(frozen=True, slots=True)
class Kill:
    """After ``wait_s`` more seconds, this process."""

    wait_s: float
    victim: str


def plan(kills: int, each_s: float, rng: Random) -> list[Kill]:
    """``kills`` of them, ``each_s`` apart in the mean when there is no calm."""
    sure = [kind for kind in KINDS for _ in range(-(-kills // LEAST_SHARE))][:kills]
    kinds = sure + rng.choices(KINDS, k=kills - len(sure))
    rng.shuffle(kinds)
    return [
        Kill(_wait_s(each_s, rng), rng.choice(RECEIVERS) if kind == "receivers" else kind)
        for kind in kinds
    ]


def _wait_s(each_s: float, rng: Random) -> float:
    if rng.randrange(CALM_EACH) == 0:
        return rng.uniform(*CALM_S) * each_s
    return rng.expovariate(1 / each_s)
