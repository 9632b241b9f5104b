"""What the drivers' tests share: an inbox to look into, and how long to wait for what must come."""

from __future__ import annotations

import queue
from collections.abc import Callable, Sequence
from typing import Any

from hw_sim.bench import Bench, Hx711Wiring

from drivers.hx711 import Hx711Bin, Hx711Scale
from drivers.hx711_gpio import PackagePins, SharedClockPins
from drivers.hx711_iio import IioWire
from drivers.hx711_looking import LookingWire
from drivers.hx711_spi import SpiPins
from kiosk.core.events import Event

LONG_S = 20.0
"""How long a test waits before it calls something absent that should have come."""

MakeBench = Callable[[Sequence[Hx711Wiring]], Bench]


class Inbox:
    """Where a device posts, and the test looks."""

    def __init__(self) -> None:
        self.queue: queue.Queue[Event] = queue.Queue()
        self.post = self.queue.put

    def wait(
        self, kind: type | tuple[type, ...], match: Callable[[Any], bool] | None = None
    ) -> Any:
        """The next event of that kind (that matches); others are passed over."""
        while True:
            event = self.queue.get(timeout=LONG_S)
            if isinstance(event, kind) and (match is None or match(event)):
                return event

    def drain(self) -> list[Event]:
        """Everything posted so far."""
        return [self.queue.get_nowait() for _ in range(self.queue.qsize())]


def gpio_scale(rate_sps: float = 80.0, gain: int = 128) -> Hx711Scale:
    """One chip at BCM 5 and 6, through the ``hx711`` package."""
    wire = LookingWire(PackagePins(5, 6, gain))
    return Hx711Scale([Hx711Bin("b1", rate_sps, gain)], wire)


def shared_scale(*douts: int, rate_sps: float = 80.0, gain: int = 128) -> Hx711Scale:
    """Bins b1, b2 ... on one clock line, BCM 6."""
    bins = [Hx711Bin(f"b{number}", rate_sps, gain) for number in range(1, len(douts) + 1)]
    return Hx711Scale(bins, LookingWire(SharedClockPins(douts, 6, gain)))


def spi_scale(rate_sps: float = 80.0, gain: int = 128) -> Hx711Scale:
    """One chip at SPI bus 0: BCM 10 its clock, 9 its data."""
    return Hx711Scale([Hx711Bin("b1", rate_sps, gain)], LookingWire(SpiPins(0, 0, gain)))


def iio_scale(folder: str, gain: int = 128) -> Hx711Scale:
    """One chip behind the kernel's driver, at 10 samples a second as always there."""
    return Hx711Scale([Hx711Bin("b1", 10.0, gain, must_see=True)], IioWire(folder, gain))
