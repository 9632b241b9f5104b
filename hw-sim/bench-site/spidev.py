"""Stands in for ``spidev`` on the bench: an SPI port whose MOSI and MISO are an HX711's wires.

Bus 0 has MOSI at BCM 10 and MISO at 9, bus 1 at 20 and 19, as on a Raspberry Pi. The hardware times
the bits: within a transfer the chip's time goes by the bus's clock, not by this program's.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path

from hw_sim.bench import ENVIRONMENT, Bench
from hw_sim.spi_bus import SpiBus

if ENVIRONMENT not in os.environ:
    raise ImportError("there is no SPI here")

_bench = Bench.attach(Path(os.environ[ENVIRONMENT]))


class SpiDev:
    """One port, with the calls of spidev 3.6 that the driver makes."""

    def __init__(self) -> None:
        self.mode = 0
        self.max_speed_hz = 500_000
        self._bus: SpiBus | None = None

    def open(self, bus: int, device: int) -> None:
        """``/dev/spidevBUS.DEVICE``; the select line is connected to nothing."""
        self._bus = SpiBus.found(_bench, bus, time.monotonic_ns)

    def xfer2(self, values: Sequence[int]) -> list[int]:
        """Send and receive at once, most significant bit first."""
        if self._bus is None:
            raise OSError(9, "Bad file descriptor")
        return self._bus.transfer(values, 1_000_000_000 // self.max_speed_hz)

    def close(self) -> None:
        self._bus = None
