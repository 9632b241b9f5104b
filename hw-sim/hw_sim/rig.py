"""A bin on the bench: the platform's physics, what carries it to the station, and the true grams.

``BinOnBench.beat`` is called some hundred times a second; it moves the physics on and feeds what the
cell feels to the HX711 model's bridge or to the indicator peer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from hw_sim.physics import Platform
from hw_sim.scenario import BinRig

Feed = Callable[[float], None]
"""Takes the force in grams."""

BAG_G = 40
"""An empty bag: a bin without one stands below its empty weight by this."""
LIFT_S = 0.8


@dataclass(slots=True)
class BinOnBench:
    """One bin. ``true_g`` is what was really laid into it, whatever a scale may say."""

    rig: BinRig
    platform: Platform
    feed: Feed | None
    rng: Random
    true_g: int = 0

    @property
    def weighs(self) -> bool:
        return self.feed is not None

    def beat(self, now_s: float) -> None:
        if self.feed is not None:
            self.platform.advance(now_s)
            self.feed(self.platform.force_g)

    def lay(self, grams: int) -> None:
        """By hand: down within 0.15 to 0.6 s, and up to 0.8 s more until it lets go."""
        self.true_g += grams
        self.platform.lay(
            grams, over_s=self.rng.uniform(0.15, 0.6), hand_s=self.rng.uniform(0.0, 0.8)
        )

    def knock(self) -> None:
        self.platform.knock(
            peak_g=self.rng.choice((-1, 1)) * self.rng.uniform(500, 8_000),
            length_s=self.rng.uniform(0.03, 0.12),
        )

    def lift_bag(self) -> int:
        """Bag and all out; returns the grams taken from the bin's content (negative)."""
        gone_g, self.true_g = -self.true_g, 0
        self.platform.lay(gone_g - BAG_G, over_s=LIFT_S, hand_s=0.3)
        return gone_g

    def set_bag(self) -> None:
        """A new bag, a gram or two off the old one."""
        self.platform.lay(BAG_G + self.rng.uniform(-2, 2), over_s=0.5, hand_s=0.8)
