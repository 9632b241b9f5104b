"""One contract for every way to an HX711: the same samples, the same verdicts, whatever lies between."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from driver_site import Inbox, MakeBench, gpio_scale, iio_scale, shared_scale, spi_scale
from hw_sim.bench import Bench, Hx711Wiring
from hw_sim.iio_driver import IioFolder

from drivers.hx711 import Hx711Scale
from kiosk.core.events import CountsBlock, DeviceBack, DeviceLost

WAYS = ["gpio", "shared clock", "spi", "kernel"]
PINS = {"gpio": (5, 6), "shared clock": (5, 6), "spi": (9, 10), "kernel": (5, 6)}


@dataclass
class Way:
    """A scale reached one way, its bench and what it posts."""

    name: str
    bench: Bench
    inbox: Inbox
    make: Callable[[int], Hx711Scale]
    scale: Hx711Scale | None = None

    def start(self, gain: int = 128) -> None:
        self.scale = self.make(gain)
        self.scale.start(self.inbox.post)

    def counts(self, least: int) -> list[int]:
        found: list[int] = []
        while len(found) < least:
            found += self.inbox.wait(CountsBlock).counts
        return found

    def lost(self) -> str:
        """The code of the loss; no sample may come in between."""
        return str(self.inbox.wait(DeviceLost).code)


@pytest.fixture(params=WAYS)
def way(
    request: pytest.FixtureRequest, make_bench: MakeBench, inbox: Inbox, tmp_path: Path
) -> Iterator[Way]:
    name = str(request.param)
    dout, sck = PINS[name]
    rate_sps = 10.0 if name == "kernel" else 80.0
    bench = make_bench([Hx711Wiring(dout, sck, rate_sps, noise_counts=0.0)])
    bench.load(0, 84_000)
    folder = IioFolder(tmp_path / "scale-b1", bench.chips[0]) if name == "kernel" else None
    make: dict[str, Callable[[int], Hx711Scale]] = {
        "gpio": lambda gain: gpio_scale(gain=gain),
        "shared clock": lambda gain: shared_scale(5, gain=gain),
        "spi": lambda gain: spi_scale(gain=gain),
        "kernel": lambda gain: iio_scale(str(tmp_path / "scale-b1"), gain=gain),
    }
    made = Way(name, bench, inbox, make[name])
    yield made
    if made.scale is not None:
        made.scale.stop()
    if folder is not None:
        folder.stop()


def test_every_genuine_value_arrives_zero_and_minus_one_too(way: Way) -> None:
    way.start()
    for counts in (0, -1, -84_000, (1 << 23) - 2):
        way.bench.load(0, counts)
        while counts not in way.counts(1):
            pass


def test_gain_64_halves_the_counts_and_nothing_of_128_comes_through(way: Way) -> None:
    way.start(gain=64)
    assert set(way.counts(5)) == {42_000}


def test_a_load_laid_on_comes_through(way: Way) -> None:
    way.start()
    way.counts(5)
    way.bench.load(0, 500_000)
    seen = way.counts(5)
    while seen[-1] != 500_000:
        seen += way.counts(1)
    assert seen == sorted(seen)


def test_a_cable_that_comes_off_is_missing_and_back_when_it_is_plugged_in(way: Way) -> None:
    way.start()
    way.counts(5)
    way.bench.chips[0].connected = 0
    assert way.lost() == "scale_missing"
    way.bench.chips[0].connected = 1
    way.inbox.wait(DeviceBack)
    assert set(way.counts(5)) == {84_000}


def test_a_data_line_shorted_to_ground_is_stuck_and_no_zero_weight(way: Way) -> None:
    way.start()
    way.counts(5)
    way.bench.chips[0].stuck_low = 1
    event = way.inbox.wait(
        (DeviceLost, CountsBlock), lambda event: 0 in getattr(event, "counts", (0,))
    )
    assert isinstance(event, DeviceLost)
    assert event.code == "scale_stuck"


def test_a_signal_beyond_the_range_is_no_weight(way: Way) -> None:
    way.start()
    way.counts(5)
    way.bench.load(0, 1e7)
    assert way.lost() == "scale_saturated"
    way.bench.load(0, 84_000)
    way.inbox.wait(DeviceBack)


def test_a_wire_that_comes_loose_now_and_then_gives_no_wrong_value(way: Way) -> None:
    way.bench.chips[0].loose_ppm = 200_000
    way.start()
    assert set(way.counts(10)) == {84_000}


def test_spikes_in_pairs_while_the_load_rests_do_not_come_through(way: Way) -> None:
    way.bench.chips[0].spike_ppm = 20_000
    way.start()
    assert set(way.counts(30)) <= {84_000}


def test_a_chip_that_starts_anew_again_and_again_is_told_so(way: Way) -> None:
    way.start()
    way.counts(5)
    slot = way.bench.chips[0]
    ending = threading.Event()

    def brown_out() -> None:
        while not ending.wait(slot.period_ns * 4.6e-9):
            slot.ready = slot.pulses = 0
            slot.dout = 1
            slot.next_ns = time.monotonic_ns() + 4 * slot.period_ns

    supply = threading.Thread(target=brown_out)
    supply.start()
    try:
        assert way.lost() == "scale_restarts"
    finally:
        ending.set()
        supply.join()
    way.inbox.wait(DeviceBack)
