"""A bin's platform as the load cell feels it: continuous time, in grams.

Invariant: once hands are off and the ringing has died, the force is the true load plus what no
scale can know (creep, drift, a swaying floor), each bounded as stated at its field.

Theory: the plate on its cell is a lightly damped mass and spring, so its reading follows the
force laid on it through ``y'' = -2 z w y' - w^2 (y - F)``. A load slows the mode down
(``f0 / sqrt(1 + load / 40 kg)``). A step of ``STEP_S`` is advanced by the exact solution for a
constant force, so that no step width makes it ring longer than it should. The hand that lays an
item down trembles on it (Ornstein-Uhlenbeck noise) until it lets go. The ranges are those of
``docs/demo.md``: Max 60 kg, d = 20 g.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from random import Random

STEP_S = 0.005
"""200 steps a second: 14 steps to the fastest mode's period (14 Hz)."""

HAND_TAU_S = 0.12
HAND_LEAST_G = 200.0
HAND_SHARE = 0.03
HAND_OFF_S = 0.03
SLOWING_LOAD_G = 40_000.0
MAX_JUMP_S = 2.0
"""A world that was stopped for longer goes on from where it is; nothing rings for 2 s."""
MAX_TOUCHES = 64
"""Loads, hands and knocks that may be under way at once on one platform."""


@dataclass(frozen=True, slots=True)
class Build:
    """What differs from platform to platform; lengths in seconds, amplitudes in grams."""

    mode_hz: float
    damping: float
    floor_g: float
    floor_hz: float
    creep_share: float = 2e-4
    creep_s: float = 180.0
    drift_g: float = 3.0
    """Standard deviation of the slow drift; about 2 g in a quarter of an hour."""
    drift_s: float = 1200.0

    @classmethod
    def drawn(cls, rng: Random, division_g: int) -> Build:
        """A platform of the field's range: 5 to 14 Hz, damping 0.03 to 0.15, three floors."""
        return cls(
            mode_hz=rng.uniform(5.0, 14.0),
            damping=rng.uniform(0.03, 0.15),
            floor_g=rng.choice((0.0, 0.1, 0.3)) * division_g,
            floor_hz=rng.uniform(1.2, 3.0),
        )


@dataclass(slots=True)
class _Ramp:
    """A load coming on (or off) evenly from ``begin_s`` to ``end_s``."""

    begin_s: float
    end_s: float
    grams: float

    def at(self, t_s: float) -> float:
        if t_s >= self.end_s:
            return self.grams
        if t_s <= self.begin_s:
            return 0.0
        return self.grams * (t_s - self.begin_s) / (self.end_s - self.begin_s)


@dataclass(slots=True)
class _Hand:
    """A hand's tremble; ``sigma_g`` its standard deviation, gone ``HAND_OFF_S`` after off."""

    begin_s: float
    off_s: float
    sigma_g: float
    force_g: float = 0.0


@dataclass(slots=True)
class _Knock:
    """One half sine of force: a knee, a trolley, a slammed lid."""

    begin_s: float
    length_s: float
    peak_g: float

    def at(self, t_s: float) -> float:
        share = (t_s - self.begin_s) / self.length_s
        return self.peak_g * math.sin(math.pi * share) if 0.0 < share < 1.0 else 0.0


@dataclass(slots=True)
class Platform:
    """One platform, advanced by whoever owns the clock."""

    build: Build
    rng: Random
    now_s: float
    force_g: float = 0.0
    """What the cell feels now."""
    load_g: float = 0.0
    """The true load that has come to lie, ramps under way not counted."""
    _deflection_g: float = 0.0
    _speed_g: float = 0.0
    _creep_g: float = 0.0
    _drift_g: float = 0.0
    _ramps: list[_Ramp] = field(default_factory=list)
    _hands: list[_Hand] = field(default_factory=list)
    _knocks: list[_Knock] = field(default_factory=list)

    def lay(self, grams: float, over_s: float, hand_s: float) -> None:
        """Lay ``grams`` (negative: take up) within ``over_s``; the hand stays ``hand_s`` more."""
        self._room(self._ramps)
        end_s = self.now_s + over_s
        self._ramps.append(_Ramp(self.now_s, end_s, grams))
        sigma_g = max(HAND_LEAST_G, HAND_SHARE * abs(grams))
        self._hands.append(_Hand(self.now_s, end_s + hand_s, sigma_g))

    def shift(self, grams: float) -> None:
        """Change the load at once with no hand on it: how a rig is set up."""
        self.load_g += grams
        self._deflection_g += grams

    def knock(self, peak_g: float, length_s: float) -> None:
        """Knock against it: force that comes and goes, no load."""
        self._room(self._knocks)
        self._knocks.append(_Knock(self.now_s, length_s, peak_g))

    def advance(self, to_s: float) -> None:
        """Go on to ``to_s`` in steps of ``STEP_S``."""
        if to_s - self.now_s > MAX_JUMP_S:
            self.now_s = to_s - MAX_JUMP_S
        while self.now_s + STEP_S <= to_s:
            self._step()

    def _room(self, touches: list[_Ramp] | list[_Knock]) -> None:
        if len(touches) >= MAX_TOUCHES:
            raise OverflowError(f"more than {MAX_TOUCHES} touches at once on one platform")

    def _step(self) -> None:
        self.now_s += STEP_S
        t_s = self.now_s
        pressed_g = self._load_at(t_s) + self._hands_at(t_s) + self._knocks_at(t_s)
        self._ring(pressed_g)
        build = self.build
        self._creep_g += (build.creep_share * self.load_g - self._creep_g) * STEP_S / build.creep_s
        self._drift_g += -self._drift_g * STEP_S / build.drift_s + self.rng.gauss(
            0.0, build.drift_g * math.sqrt(2.0 * STEP_S / build.drift_s)
        )
        floor_g = build.floor_g * math.sin(2.0 * math.pi * build.floor_hz * t_s)
        self.force_g = self._deflection_g + self._creep_g + self._drift_g + floor_g

    def _load_at(self, t_s: float) -> float:
        under_way_g = 0.0
        for ramp in self._ramps:
            under_way_g += ramp.at(t_s)
        lying = [ramp for ramp in self._ramps if t_s >= ramp.end_s]
        for ramp in lying:
            self._ramps.remove(ramp)
            self.load_g += ramp.grams
            under_way_g -= ramp.grams
        return self.load_g + under_way_g

    def _hands_at(self, t_s: float) -> float:
        if not self._hands:
            return 0.0
        self._hands = [hand for hand in self._hands if t_s < hand.off_s + HAND_OFF_S]
        total_g = 0.0
        for hand in self._hands:
            hand.force_g += -hand.force_g * STEP_S / HAND_TAU_S + self.rng.gauss(
                0.0, hand.sigma_g * math.sqrt(2.0 * STEP_S / HAND_TAU_S)
            )
            fading = min(1.0, (hand.off_s + HAND_OFF_S - t_s) / HAND_OFF_S)
            total_g += hand.force_g * fading
        return total_g

    def _knocks_at(self, t_s: float) -> float:
        if not self._knocks:
            return 0.0
        self._knocks = [knock for knock in self._knocks if t_s < knock.begin_s + knock.length_s]
        return sum(knock.at(t_s) for knock in self._knocks)

    def _ring(self, pressed_g: float) -> None:
        """The exact step of the damped mode under a force that is constant over it."""
        slowed = math.sqrt(1.0 + max(0.0, self.load_g) / SLOWING_LOAD_G)
        omega = 2.0 * math.pi * self.build.mode_hz / slowed
        z = self.build.damping
        free = omega * math.sqrt(1.0 - z * z)
        decay = math.exp(-z * omega * STEP_S)
        cosine, sine = math.cos(free * STEP_S), math.sin(free * STEP_S)
        away_g, speed = self._deflection_g - pressed_g, self._speed_g
        lag = z * omega / free
        self._deflection_g = pressed_g + decay * (
            away_g * (cosine + lag * sine) + speed / free * sine
        )
        self._speed_g = decay * (
            speed * (cosine - lag * sine) - away_g * omega * omega / free * sine
        )
