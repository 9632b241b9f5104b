"""The port behind which an HX711 is read, whatever stands between it and us.

A *wire* is one clock line with the chips on it: ``hx711_looking`` (GPIO pins, several chips on one
clock, SPI as the clock) or ``hx711_iio`` (the kernel's driver). It awaits and reads conversions and
says how each went; whether one can be believed is decided behind it (``hx711_witness``,
``hx711_gate``), the same for all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

BITS = 24
TOP, BOTTOM = 0x7FFFFF, 0x800000
"""Where the chip's range ends: a signal beyond it, not a weight."""
MAX_HIGH_NS = 50_000
"""Data sheet: the clock stays high for 0.2 to 50 us; above 60 us the chip powers down."""
PULSES_AFTER = {128: 1, 32: 2, 64: 3}
"""Gain to the pulses after the 24: channel A at 128, B at 32, A at 64, for the next conversion."""


class Flaw(Enum):
    """What was wrong with a frame."""

    NOT_READY = "not_ready"
    SLOW = "slow"
    """The clock stayed high for longer than may be: the chip may have powered down."""
    TAIL = "tail"
    """Pulse 25 did not pull DOUT high, or it did not stay so: not the frame that we sent."""
    NOISY = "noisy"
    """Two looks at one bit disagree."""
    SATURATED = "saturated"
    GAIN = "gain"
    """The chip works at another gain or channel than is set."""


Reading = int | Flaw
"""Counts, or why there are none."""


@dataclass(frozen=True, slots=True)
class Due:
    """What the reader knows of a chip's next conversion.

    ``wake_ns`` when the looks should begin (0: now), ``period_ns`` its rate; ``awaited`` whether a
    frame waits for this chip: one that is missing does not hold up the others on its clock.
    """

    wake_ns: int
    period_ns: float
    awaited: bool = True


@dataclass(frozen=True, slots=True)
class Conversion:
    """One conversion as read: the last look before it was ready, the first after, the frame's end.

    ``high_ns`` is 0 where nothing was seen before it was ready.
    """

    high_ns: int
    low_ns: int
    end_ns: int
    reading: Reading


class Wire(Protocol):
    """One clock line. ``DeviceError`` where the way to it fails; all times are boottime."""

    def open(self) -> None:
        """Take hold of it. The chips go on as they are."""
        ...

    def take(
        self, due: Sequence[Due], stopping: Callable[[], bool]
    ) -> Sequence[Conversion | None] | None:
        """Await the next conversions and read them in one frame, one ``Due`` a chip.

        None for a chip that was not ready; None for all when told to stop. Waits a bounded time.
        """
        ...

    def reset(self) -> None:
        """Bring the chips into a known state: power down and up, four conversions to settle."""
        ...

    def close(self) -> None:
        """Let go. Never raises."""
        ...


def counted(bits: int) -> Reading:
    """24 bits, two's complement, as counts; the two ends of the range are none.

    >>> counted(0xFFFFFF), counted(0x000000), counted(0x7FFFFF)
    (-1, 0, <Flaw.SATURATED: 'saturated'>)
    """
    if bits in (TOP, BOTTOM):
        return Flaw.SATURATED
    return bits - (1 << BITS) if bits & BOTTOM else bits
