"""``RPi.GPIO``'s calls in virtual time: chips, clock and scheduler in one thread, a million reads long.

Time passes by calls alone: each costs ``call_ns``, a sleep what it asks for and a wake-up. A
*preemption* comes by chance per call, 25 us to 3 ms long, before or after the call's effect. All of
them are whole microseconds, so that a chip that knows no less can be hung on the same pins. The chips
are the ones of the bench (``hx711_chip``), on slots of plain attributes.

``VirtualPins`` stands in for the module: ``sys.modules["RPi.GPIO"] = pins``. The clock stands in for
``time`` in the modules that read pins.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from random import Random
from types import SimpleNamespace
from typing import Protocol

from hw_sim.bench import HISTORY, Hx711Slot, Hx711Wiring, _power_on

PREEMPTION_NS = (25_000, 3_000_000)
NEVER = 1 << 62


class Chip(Protocol):
    """What hangs on the pins."""

    def sck(self, level: int) -> None: ...

    def dout(self) -> int | None: ...


class VirtualClock:
    """Stands in for the module ``time``: the calls that drivers and the peers' packages make."""

    CLOCK_BOOTTIME = 7

    def __init__(self, *, wake_ns: int = 80_000) -> None:
        self.now = 1_000_000_000
        self._wake_ns = wake_ns

    def sleep(self, seconds: float) -> None:
        if seconds > 0:
            self.now += round(seconds * 1e6) * 1_000 + self._wake_ns

    def clock_gettime_ns(self, clock: int) -> int:  # noqa: ARG002
        return self.now

    def monotonic_ns(self) -> int:
        return self.now

    perf_counter_ns = monotonic_ns

    def perf_counter(self) -> float:
        return self.now / 1e9

    def time(self) -> float:
        return self.now / 1e9


def plain_slot(wiring: Hx711Wiring, now_ns: int) -> Hx711Slot:
    """A bench's slot in plain attributes: several times quicker than shared memory."""
    slot = SimpleNamespace(**{name: 0 for name, *_ in Hx711Slot._fields_})
    slot.history_ns = [0] * HISTORY
    slot.history_counts = [0.0] * HISTORY
    _power_on(slot, wiring, now_ns)  # type: ignore[arg-type]
    return slot  # type: ignore[return-value]


class VirtualPins:
    """The pins: ``chips`` by (dout, sck); ``preempted`` and ``flipped`` chances a call and a look."""

    VERSION = "0.7.1"
    BCM, OUT, IN, LOW, HIGH = 11, 0, 1, 0, 1
    PUD_OFF, PUD_DOWN, PUD_UP = 20, 21, 22

    def __init__(
        self,
        clock: VirtualClock,
        chips: Sequence[tuple[int, int, Chip]],
        *,
        preempted: float = 0.0,
        flipped: float = 0.0,
        call_ns: int = 1_000,
        seed: int = 0,
    ) -> None:
        self.preemptions = self.flips = 0
        rng = Random(seed)
        data = {dout: chip.dout for dout, _, chip in chips}
        clocked = {sck: [chip.sck for _, s, chip in chips if s == sck] for _, sck, _ in chips}
        levels = dict.fromkeys(clocked, 0)
        until_preempted = _gap(rng, preempted)
        until_flipped = _gap(rng, flipped)
        least_ns, most_ns = PREEMPTION_NS

        def held_up() -> int:
            """A preemption; how much of it comes before the call's effect."""
            nonlocal until_preempted
            self.preemptions += 1
            until_preempted = _gap(rng, preempted)
            length_ns = rng.randrange(least_ns, most_ns, 1_000)
            if rng.random() < 0.5:
                clock.now += length_ns
                return 0
            return length_ns

        def output(pin: int, value: int) -> None:
            nonlocal until_preempted
            clock.now += call_ns
            until_preempted -= 1
            after_ns = 0 if until_preempted else held_up()
            level = 1 if value else 0
            if levels[pin] != level:
                levels[pin] = level
                for sck in clocked[pin]:
                    sck(level)
            clock.now += after_ns

        def read(pin: int) -> int:
            nonlocal until_preempted, until_flipped
            clock.now += call_ns
            until_preempted -= 1
            after_ns = 0 if until_preempted else held_up()
            level = data[pin]()
            if level is None:
                level = 1
            until_flipped -= 1
            if not until_flipped:
                until_flipped = _gap(rng, flipped)
                self.flips += 1
                level = 1 - level
            clock.now += after_ns
            return level

        self.output = output
        self.input = read

    def setmode(self, mode: int) -> None:
        """BCM alone."""

    def setwarnings(self, wanted: bool) -> None:
        """None are given."""

    def setup(self, *pins: object, **how: object) -> None:
        """All pins are set up already; inputs are pulled up."""

    def cleanup(self, *pins: object) -> None:
        """Nothing to let go of."""


def _gap(rng: Random, chance: float) -> int:
    """Calls until it happens next (geometric)."""
    if chance <= 0:
        return NEVER
    return 1 + int(math.log(1.0 - rng.random()) / math.log1p(-chance))
