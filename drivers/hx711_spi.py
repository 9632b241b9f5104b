"""SPI as the HX711's clock: MOSI to PD_SCK, MISO from DOUT; the bus's own clock and select stay free.

Invariant: a pulse's length is the hardware's, never the scheduler's; and one transfer holds the whole
evidence, so nothing can come between a look and a pulse.

Theory: each pulse is two bits on MOSI, high then low. MISO is sampled in the middle of every bit, so
each of the chip's bits is seen twice, once in either half of its pulse. The transfer is::

    00          eight looks while MOSI is low: all must be 0 (ready)
    aa × 6      24 pulses, every bit seen twice
    80/a0/a8    1, 2 or 3 pulses for the next gain: all looks 1 from pulse 25 on
    00          eight looks after the frame: all 1

Every byte ends low, so a pause between two bytes cannot lengthen a pulse, and MOSI rests low. At
500 kHz a pulse is 2 us (0.2 to 50 us are allowed) and the frame 144 us.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from drivers.hx711_port import BITS, PULSES_AFTER, Flaw, Reading, counted
from kiosk.core.errors import DeviceError

SPEED_HZ = 500_000
LOOK = bytes(1)
TAILS = {1: 0x80, 2: 0xA0, 3: 0xA8}
RESET_BITS = 100
"""MOSI high for so long, 200 us: three times what powers the chip down."""


class SpiPins:
    """One chip at ``/dev/spidevBUS.DEVICE``."""

    size = 1

    def __init__(self, bus: int, device: int, gain: int) -> None:
        self._bus, self._device = bus, device
        self._frame = LOOK + bytes([0xAA] * (BITS // 4)) + bytes([TAILS[PULSES_AFTER[gain]]]) + LOOK
        self._spi: Any = None

    def open(self) -> None:
        try:
            import spidev

            spi = spidev.SpiDev()
            spi.open(self._bus, self._device)
            spi.mode = 0
            spi.max_speed_hz = SPEED_HZ
            spi.xfer2(list(LOOK))  # whoever was killed may have left MOSI high: powered down
        except (ImportError, OSError, ValueError) as error:
            raise DeviceError(
                "scale_missing",
                f"The SPI port {self._bus}.{self._device} cannot be used: {error}.",
                "Switch SPI on (dtparam=spi=on), and check bus and device in the settings.",
            ) from error
        self._spi = spi

    def ready(self, chip: int) -> bool:  # noqa: ARG002
        return self._transfer(LOOK) == LOOK

    def read(self) -> Sequence[Reading]:
        return (self._judged(self._transfer(self._frame)),)

    def reset(self) -> None:
        self._transfer(bytes([0xFF] * (RESET_BITS // 8)) + LOOK)

    def close(self) -> None:
        if self._spi is not None:
            self._spi.close()
            self._spi = None

    def _judged(self, seen: bytes) -> Reading:
        if seen[0] != 0:
            return Flaw.NOT_READY
        looks = int.from_bytes(seen[1:-2], "big")
        value = 0
        for place in range(2 * BITS - 2, -1, -2):
            pair = looks >> place & 0b11
            if pair not in (0b00, 0b11):
                return Flaw.NOISY
            value = value << 1 | pair & 1
        if seen[-2] != 0xFF or seen[-1] != 0xFF:
            return Flaw.TAIL
        return counted(value)

    def _transfer(self, out: bytes) -> bytes:
        try:
            return bytes(self._spi.xfer2(list(out)))
        except OSError as error:
            raise DeviceError(
                "scale_missing",
                f"The SPI port {self._bus}.{self._device} has gone: {error}.",
                "Check that SPI is switched on.",
            ) from error
