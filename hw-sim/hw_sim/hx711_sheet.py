"""A second HX711, microsecond by microsecond, from the data sheet's sentences alone.

It shares nothing with ``hx711_chip`` and reckons nothing ahead: each tick is one microsecond in which
the clock pin has one level. So where the two agree over random pulses and whole drivers, neither has
a short cut that lies. It has no analogue side: a conversion's value comes from ``source``, told the
conversion's number and the gain that it was made with.

The sentences (AVIA Semiconductor, HX711, "Serial Interface", "Reset and Power-Down", timing table):

1. "When output data is not ready for retrieval, digital output pin DOUT is high."
2. "When DOUT goes to low, it indicates data is ready for retrieval."
3. "Each PD_SCK pulse shifts out one bit, starting with the MSB bit first, until all 24 bits are
   shifted out. The 25th pulse at PD_SCK input will pull DOUT pin back to high."
4. "Input and gain selection is controlled by the number of the input PD_SCK pulses": 25, 26, 27.
5. "When PD_SCK pin changes from low to high and stays at high for longer than 60 us, HX711 enters
   power down mode. When PD_SCK returns to low, chip will reset and enter normal operation mode."
6. After a reset "input selection is default to Channel A with a gain of 128", or, in another edition,
   stays as it was: ``keeps_gain``. Settling takes four conversions.

What a conversion does that ends within a frame, no sentence says: ``reloads`` has the two answers.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto

POWER_DOWN_US = 60
WORD_BITS = 24
SETTLING_CONVERSIONS = 4
SELECTS = {25: 128, 26: 32, 27: 64}

Source = Callable[[int, int], int]


class Mode(Enum):
    WAITING = auto()
    """A conversion runs, nothing is there to be read (sentence 1)."""
    READY = auto()
    """Data waits, no pulse has come (sentence 2)."""
    SHIFTING = auto()
    """Between the first pulse and the 25th (sentence 3)."""
    SELECTING = auto()
    """The 25th has been; two more may choose another gain (sentence 4)."""
    ASLEEP = auto()
    """Powered down (sentence 5)."""


class SheetChip:
    """The pins ``sck`` and ``dout``, and time by :meth:`tick`."""

    def __init__(
        self, period_us: int, source: Source, *, keeps_gain: bool = False, reloads: bool = False
    ) -> None:
        self._period_us = period_us
        self._source = source
        self._keeps_gain = keeps_gain
        self._reloads = reloads
        self._level = 0
        self._high_us = 0
        self._gain = 128
        self._pulses = 0
        self._word = 0
        self._number = 0
        self._bit = 1
        self._mode = Mode.WAITING
        self._left_us = SETTLING_CONVERSIONS * period_us

    def dout(self) -> int:
        """The level of the data pin."""
        return self._bit

    def sck(self, level: int) -> None:
        """The level of the clock pin from now on."""
        rising = level and not self._level
        falling = self._level and not level
        self._level = level
        if rising:
            self._high_us = 0
            self._pulse()
        elif falling and self._mode is Mode.ASLEEP:
            self._wake()

    def tick(self) -> None:
        """One microsecond passes."""
        if self._level:
            self._high_us += 1
            if self._high_us > POWER_DOWN_US:
                self._mode, self._bit = Mode.ASLEEP, 1
        if self._mode is Mode.ASLEEP:
            return
        self._left_us -= 1
        if self._left_us == 0:
            self._left_us = self._period_us
            self._finish()

    def _pulse(self) -> None:
        if self._mode is Mode.READY:
            self._mode, self._pulses = Mode.SHIFTING, 0
        if self._mode is Mode.SHIFTING:
            self._pulses += 1
            if self._pulses <= WORD_BITS:
                self._bit = self._word >> (WORD_BITS - self._pulses) & 1
            else:
                self._mode, self._bit = Mode.SELECTING, 1
                self._gain = SELECTS[self._pulses]
        elif self._mode is Mode.SELECTING and self._pulses + 1 in SELECTS:
            self._pulses += 1
            self._gain = SELECTS[self._pulses]

    def _finish(self) -> None:
        """A conversion has ended."""
        self._number += 1
        self._word = self._source(self._number, self._gain) & 0xFFFFFF
        if self._mode is Mode.SHIFTING and not self._reloads:
            return
        self._mode, self._bit = Mode.READY, 0

    def _wake(self) -> None:
        self._mode, self._bit = Mode.WAITING, 1
        self._left_us = SETTLING_CONVERSIONS * self._period_us
        if not self._keeps_gain:
            self._gain = 128
