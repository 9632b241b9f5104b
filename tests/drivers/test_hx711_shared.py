"""Several chips on one clock line: one read for all bins, and one that fails is alone with it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
from driver_site import Inbox, MakeBench, shared_scale
from hw_sim.bench import Bench, Hx711Wiring

from drivers.hx711 import Hx711Scale
from kiosk.core.events import CountsBlock, DeviceBack, DeviceLost

DOUTS = (5, 13, 19)
RATES_SPS = (80.0, 84.0, 76.0)
"""Each chip has its own oscillator."""


class Site:
    """Three bins on one clock, each with a load of its own."""

    def __init__(self, bench: Bench, inbox: Inbox) -> None:
        self.bench = bench
        self.inbox = inbox
        self.scale: Hx711Scale = shared_scale(*DOUTS)
        for chip, load in enumerate((111_000, 222_000, 333_000)):
            bench.load(chip, load)

    def start(self) -> None:
        self.scale.start(self.inbox.post)

    def counts(self, bins: Sequence[str], least: int) -> dict[str, set[int]]:
        """Values of these bins until each has so many."""
        number = dict.fromkeys(bins, 0)
        seen: dict[str, set[int]] = {name: set() for name in bins}
        while min(number.values()) < least:
            block = self.inbox.wait(CountsBlock, lambda block: block.bin in number)
            number[block.bin] += len(block.counts)
            seen[block.bin] |= set(block.counts)
        return seen


@pytest.fixture
def site(make_bench: MakeBench, inbox: Inbox) -> Iterator[Site]:
    wiring = [
        Hx711Wiring(dout, 6, rate, noise_counts=0.0)
        for dout, rate in zip(DOUTS, RATES_SPS, strict=True)
    ]
    made = Site(make_bench(wiring), inbox)
    yield made
    made.scale.stop()


def test_one_read_fetches_all_bins_though_each_converts_by_its_own_clock(site: Site) -> None:
    site.start()
    assert site.counts(["b1", "b2", "b3"], 60) == {
        "b1": {111_000},
        "b2": {222_000},
        "b3": {333_000},
    }


def test_a_missing_chip_is_told_of_and_the_others_go_on(site: Site) -> None:
    site.bench.chips[1].connected = 0
    site.start()
    lost = site.inbox.wait(DeviceLost)
    assert (lost.device, lost.code) == ("scale:b2", "scale_missing")
    assert site.counts(["b1", "b3"], 40) == {"b1": {111_000}, "b3": {333_000}}
    site.bench.chips[1].connected = 1
    assert site.inbox.wait(DeviceBack).device == "scale:b2"
    assert site.counts(["b1", "b2", "b3"], 20)["b2"] == {222_000}


def test_a_stuck_chip_is_told_of_and_the_others_go_on(site: Site) -> None:
    site.start()
    site.counts(["b1", "b2", "b3"], 10)
    site.bench.chips[2].stuck_low = 1
    lost = site.inbox.wait(DeviceLost)
    assert (lost.device, lost.code) == ("scale:b3", "scale_stuck")
    assert site.counts(["b1", "b2"], 40) == {"b1": {111_000}, "b2": {222_000}}
    site.bench.chips[2].stuck_low = 0
    assert site.inbox.wait(DeviceBack).device == "scale:b3"
    assert site.counts(["b3"], 10) == {"b3": {333_000}}


def test_all_of_them_gone_is_told_of_each_and_each_comes_back(site: Site) -> None:
    site.start()
    site.counts(["b1", "b2", "b3"], 10)
    for slot in site.bench.chips:
        slot.connected = 0
    assert {site.inbox.wait(DeviceLost).device for _ in DOUTS} == {
        "scale:b1",
        "scale:b2",
        "scale:b3",
    }
    for slot in site.bench.chips:
        slot.connected = 1
    assert {site.inbox.wait(DeviceBack).device for _ in DOUTS} == {
        "scale:b1",
        "scale:b2",
        "scale:b3",
    }


def test_every_bin_is_a_device_of_its_own_with_the_one_threads_sign_of_life(site: Site) -> None:
    names = [site.scale.name, *(rider.name for rider in site.scale.riders())]
    assert names == ["scale:b1", "scale:b2", "scale:b3"]
    for rider in site.scale.riders():
        rider.start(site.inbox.post)
        assert rider.beat_ms() == site.scale.beat_ms()
        rider.stop()
