"""An HX711 hung on its clock pin: whoever moves the pins meets the chip, bit by bit.

After the HX711 data sheet (AVIA Semiconductor):

* DOUT low says that a conversion waits. Rising edges of the clock shift out 24 bits, most
  significant first; the 25th pulls DOUT high and ends the frame. 25, 26 or 27 pulses choose channel
  and gain: A at 128, B at 32, A at 64. The choice tells on the analogue side at once, on the values
  only as the filter fills: over four conversions.
* A clock high for more than 60 us powers the chip down; its fall starts it anew, and DOUT goes low
  when four conversions have settled. Which gain it then has, two editions disagree:
  ``reset_keeps_gain``.
* A value beyond the range stays at 0x7FFFFF or 0x800000.

Where the data sheet is silent the model takes the harder case: a conversion that ends within a
transfer replaces the bits not yet sent, and a frame broken off goes on where it stopped. With
``reloads`` it begins the frame anew instead, so that DOUT is low again whatever was sent before.

The decimation filter is a fourth-order sinc (four moving averages of one period each), so a value
weighs the last four periods with a cubic B-spline. Loads are held from one history sample to the
next, so the weighted mean is exact with the spline's integral and has no sampling of its own.

All state is in the shared :class:`~hw_sim.bench.Hx711Slot`; conversions are reckoned when somebody
looks, from the clock alone, and so go on while nobody does.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from random import Random

from hw_sim.bench import HISTORY, Hx711Slot

POWER_DOWN_NS = 60_000
SETTLING = 4
"""Conversions until a value is settled after power-up."""
TOP = 0x7FFFFF
BOTTOM = -0x800000
GAIN_OF_PULSES = {25: 128, 26: 32, 27: 64}
LOOSE = 1 << 40
"""Sets a loose wire's luck apart from a conversion's own."""
SPIKE_COUNTS = (43e3, 43e5)
"""1 to 100 kg on a cell of 43 counts/g."""


class Hx711Chip:
    """The chip of one slot; ``now_ns`` is CLOCK_MONOTONIC unless a test has its own."""

    def __init__(self, slot: Hx711Slot, now_ns: Callable[[], int] = time.monotonic_ns) -> None:
        self._slot = slot
        self._now_ns = now_ns
        self._random = Random(slot.seed)

    def sck(self, level: int) -> None:
        """The clock line takes this level. Kept short: it is part of the pulse that it makes."""
        slot = self._slot
        if level == slot.clock or not slot.connected:
            return
        slot.clock = level
        now = self._now_ns()
        if level:
            if now >= slot.next_ns:
                self._convert(now)
            slot.rise_ns = now
            self._shift()
        elif now - slot.rise_ns > POWER_DOWN_NS:
            if slot.rise_ns + POWER_DOWN_NS >= slot.next_ns:
                self._convert(slot.rise_ns + POWER_DOWN_NS)
            self._power_up(now)

    def dout(self) -> int | None:
        """The level that the chip puts on DOUT; None where the cable is off."""
        slot = self._slot
        if slot.stuck_low:
            return 0
        if not slot.connected:
            return None
        now = self._now_ns()
        if slot.clock and now - slot.rise_ns > POWER_DOWN_NS:
            return 1
        if now >= slot.next_ns:
            self._convert(now)
        if slot.loose_ppm and self._loose(now):
            return None
        level = int(slot.dout)
        if slot.flip_ppm and self._random.random() * 1e6 < slot.flip_ppm:
            return 1 - level
        return level

    def _shift(self) -> None:
        slot = self._slot
        if slot.ready:
            slot.pulses += 1
            if slot.pulses <= 24:
                slot.dout = (slot.register >> (24 - slot.pulses)) & 1
                return
            slot.ready = 0
            slot.dout = 1
            slot.chosen_gain = GAIN_OF_PULSES[25]
        elif slot.pulses in (25, 26):
            slot.pulses += 1
            slot.chosen_gain = GAIN_OF_PULSES[slot.pulses]

    def _choose(self) -> None:
        """What the last frame's pulses chose holds from its last pulse on."""
        slot = self._slot
        if slot.chosen_gain != slot.gain:
            slot.gain_before, slot.gain = slot.gain, slot.chosen_gain
            slot.gain_ns = slot.rise_ns

    def _power_up(self, now: int) -> None:
        slot = self._slot
        slot.next_ns = now + SETTLING * slot.period_ns
        slot.ready = slot.pulses = 0
        slot.dout = 1
        if not slot.reset_keeps_gain:
            slot.chosen_gain = 128
        slot.gain = slot.gain_before = slot.chosen_gain

    def _convert(self, now: int) -> None:
        """Catch up with the conversions that ended; only the last one can still be read."""
        slot = self._slot
        ended = (now - slot.next_ns) // slot.period_ns + 1
        slot.conversions += ended
        slot.next_ns += ended * slot.period_ns
        self._choose()
        slot.register = self._value(slot.next_ns - slot.period_ns)
        if slot.reloads or not slot.ready:
            slot.ready, slot.pulses, slot.dout = 1, 0, 0

    def _value(self, end_ns: int) -> int:
        slot = self._slot
        luck = self._luck(slot.conversions)
        value = filtered(slot, end_ns) + luck.gauss(0.0, slot.noise_counts * slot.gain / 128)
        if slot.spike_ppm:
            for first in (slot.conversions, slot.conversions - 1):  # they come in pairs
                value = self._spiked(first, value)
        return max(BOTTOM, min(TOP, round(value)))

    def _spiked(self, conversion: int, value: float) -> float:
        luck = self._luck(~conversion)
        if luck.random() * 1e6 >= self._slot.spike_ppm:
            return value
        if luck.random() < 0.5:
            return float((1 << luck.randrange(10, 23)) - 1)
        return value + luck.choice((-1, 1)) * luck.uniform(*SPIKE_COUNTS)

    def _loose(self, now: int) -> bool:
        """Whether DOUT's wire hangs loose now: from some moment of a conversion on, for some time."""
        slot = self._slot
        luck = self._luck(slot.conversions ^ LOOSE)
        if luck.random() * 1e6 >= slot.loose_ppm:
            return False
        share = 1.0 - (slot.next_ns - now) / slot.period_ns
        begun = luck.random()
        return bool(begun <= share < begun + luck.random())

    def _luck(self, conversion: int) -> Random:
        """The same for the same seed and conversion, whoever looks and how often."""
        return Random((self._slot.seed << 64) + conversion % (1 << 64))


def filtered(slot: Hx711Slot, end_ns: int) -> float:
    """The load's mean over the four periods before ``end_ns``, in counts at the gain of its time."""
    head = int(slot.history_head)
    period = int(slot.period_ns)
    now_gained = spline_integral((end_ns - slot.gain_ns) / period)  # weight since the gain changed
    total = 0.0
    seen = 0.0  # weight so far, newest first
    for index in range(head - 1, max(-1, head - HISTORY), -1):
        since_ns = slot.history_ns[index % HISTORY]
        oldest = index in (0, head - HISTORY + 1)  # before it, as at it
        if since_ns >= end_ns and not oldest:
            continue
        share = 1.0 if oldest else spline_integral((end_ns - since_ns) / period)
        new = min(share, now_gained) - min(seen, now_gained)
        factor = new * _factor(slot.gain) + (share - seen - new) * _factor(slot.gain_before)
        total += slot.history_counts[index % HISTORY] * factor
        seen = share
        if share >= 1.0:
            break
    return total


def _factor(gain: int) -> float:
    """Against gain 128. The load is on channel A: nothing is wired to B (gain 32)."""
    return 0.0 if gain == 32 else gain / 128


def spline_integral(age: float) -> float:
    """Weight of the last ``age`` periods: Irwin-Hall distribution of four uniforms.

    >>> [round(spline_integral(age), 4) for age in (0, 1, 2, 3, 4, 9)]
    [0.0, 0.0417, 0.5, 0.9583, 1.0, 1.0]
    """
    if age >= 4:
        return 1.0
    if age > 2:
        return 1.0 - spline_integral(4 - age)
    ones = max(0.0, age - 1)
    return (age * age * age * age - 4 * ones * ones * ones * ones) / 24
