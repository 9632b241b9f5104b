"""An SPI bus whose MOSI is an HX711's clock and whose MISO its data: bits in the hardware's time."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hw_sim.bench import Bench, Hx711Slot
from hw_sim.hx711_chip import Hx711Chip

WIRES = {0: (10, 9), 1: (20, 19)}
"""Bus to MOSI and MISO (BCM numbers) on a Raspberry Pi's header."""


class SpiBus:
    """One chip on one bus; ``now_ns`` is the machine's clock between transfers."""

    def __init__(self, slot: Hx711Slot, now_ns: Callable[[], int]) -> None:
        self._now_ns = now_ns
        self._bit_at_ns = 0
        self._chip = Hx711Chip(slot, lambda: self._bit_at_ns)

    @classmethod
    def found(cls, bench: Bench, bus: int, now_ns: Callable[[], int]) -> SpiBus:
        """The bus to which a chip of the bench is wired."""
        for slot in bench.chips:
            if (slot.sck_pin, slot.dout_pin) == WIRES.get(bus):
                return cls(slot, now_ns)
        raise FileNotFoundError(2, f"No such file or directory: /dev/spidev{bus}.0")

    def transfer(self, values: Sequence[int], bit_ns: int) -> list[int]:
        """Each bit begins with MOSI's level and is sampled in its middle; MISO is pulled up."""
        chip = self._chip
        begun_ns = max(self._now_ns(), self._bit_at_ns)
        received: list[int] = []
        for number, value in enumerate(values):
            seen = 0
            for bit in range(8):
                self._bit_at_ns = begun_ns + (8 * number + bit) * bit_ns
                chip.sck(value >> (7 - bit) & 1)
                self._bit_at_ns += bit_ns // 2
                level = chip.dout()
                seen = seen << 1 | (1 if level is None else level)
            received.append(seen)
        return received
