"""The real driver, over the bench's ``RPi.GPIO``, against the chip: whole samples or a clear word."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from driver_site import Inbox, MakeBench, gpio_scale
from hw_sim.bench import Bench, Hx711Wiring, station_environment

from kiosk.core.errors import DeviceError
from kiosk.core.events import CountsBlock, DeviceBack, DeviceLost

QUIET = Hx711Wiring(dout_pin=5, sck_pin=6, rate_sps=80.0, noise_counts=0.0)


class Site:
    """One scale of 80 samples a second without noise, so that every count is known."""

    def __init__(self, bench: Bench, inbox: Inbox, gain: int = 128) -> None:
        self.bench = bench
        self.slot = bench.chips[0]
        self.inbox = inbox
        self.scale = gpio_scale(gain=gain)

    def counts(self, least: int) -> list[int]:
        """The next samples, at least so many."""
        found: list[int] = []
        while len(found) < least:
            found += self.inbox.wait(CountsBlock).counts
        return found

    def lost(self) -> str:
        event = self.inbox.wait(DeviceLost)
        assert event.device == "scale:b1"
        return str(event.code)


@pytest.fixture
def site(make_bench: MakeBench, inbox: Inbox) -> Iterator[Site]:
    made = Site(make_bench([QUIET]), inbox)
    made.bench.load(0, 84_000)
    yield made
    made.scale.stop()


@pytest.mark.parametrize("counts", [0, -1, 84_000, -84_000, (1 << 23) - 2])
def test_every_genuine_value_arrives_zero_and_minus_one_too(site: Site, counts: int) -> None:
    site.bench.load(0, counts)
    site.scale.start(site.inbox.post)
    assert set(site.counts(20)) == {counts}


def test_samples_come_in_order_at_the_chips_own_pace(site: Site) -> None:
    site.scale.start(site.inbox.post)
    times: list[int] = []
    while len(times) < 60:
        block = site.inbox.wait(CountsBlock)
        assert 0 < len(block.counts) == len(block.t_ms) <= 64
        times += block.t_ms
    assert times == sorted(set(times))
    apart = sorted(b - a for a, b in itertools.pairwise(times))
    assert apart[len(apart) // 2] in (12, 13), "the median of 12.5 ms"


def test_a_loose_cable_is_told_once_and_its_return_once(site: Site) -> None:
    site.scale.start(site.inbox.post)
    site.counts(10)
    site.slot.connected = 0
    assert site.lost() == "scale_missing"
    site.slot.connected = 1
    site.inbox.wait(DeviceBack)
    assert set(site.counts(20)) == {84_000}
    assert not any(isinstance(event, DeviceLost) for event in site.inbox.drain())


def test_a_scale_that_was_never_there_is_missing_and_found_when_it_comes(site: Site) -> None:
    site.slot.connected = 0
    site.scale.start(site.inbox.post)
    assert site.lost() == "scale_missing"
    site.slot.connected = 1
    site.inbox.wait(DeviceBack)


def test_a_data_line_shorted_to_ground_is_stuck_and_no_zero_weight(site: Site) -> None:
    site.scale.start(site.inbox.post)
    site.counts(10)
    site.slot.stuck_low = 1
    event = site.inbox.wait(
        (DeviceLost, CountsBlock), lambda event: 0 in getattr(event, "counts", (0,))
    )
    assert isinstance(event, DeviceLost)
    assert event.code == "scale_stuck"


def test_a_load_beyond_the_range_is_no_weight(site: Site) -> None:
    site.scale.start(site.inbox.post)
    site.counts(10)
    site.bench.load(0, 1e7)
    event = site.inbox.wait(DeviceLost)
    assert event.code == "scale_saturated"
    site.bench.load(0, 84_000)
    site.inbox.wait(DeviceBack)


def test_noise_on_every_bit_is_garbled(site: Site) -> None:
    site.scale.start(site.inbox.post)
    site.counts(10)
    site.slot.flip_ppm = 300_000
    assert site.lost() in ("scale_garbled", "scale_stuck")
    site.slot.flip_ppm = 0
    site.inbox.wait(DeviceBack)


@pytest.mark.parametrize("last_level", [0, 1], ids=["clock-left-low", "clock-left-high"])
def test_a_reader_killed_in_mid_frame_leaves_no_wrong_value(
    site: Site, tmp_path: Path, last_level: int
) -> None:
    script = (
        "import time; from RPi import GPIO\n"
        "GPIO.setup(6, GPIO.OUT); GPIO.setup(5, GPIO.IN)\n"
        "while GPIO.input(5): time.sleep(0.001)\n"
        "for _ in range(11): GPIO.output(6, 1); GPIO.output(6, 0)\n"
        f"GPIO.output(6, {last_level}); print('there', flush=True); time.sleep(60)\n"
    )
    environment = {**os.environ, **station_environment(tmp_path / "bench.mem")}
    with subprocess.Popen(
        [sys.executable, "-c", script], env=environment, stdout=subprocess.PIPE
    ) as reader:
        assert reader.stdout is not None
        assert reader.stdout.readline() == b"there\n"
        os.kill(reader.pid, signal.SIGKILL)
    site.scale.start(site.inbox.post)
    assert set(site.counts(40)) == {84_000}


@pytest.mark.parametrize("keeps", [False, True], ids=["reset-to-128", "reset-keeps"])
def test_no_sample_at_a_wrong_gain_after_a_clock_that_hung(
    make_bench: MakeBench, inbox: Inbox, keeps: bool
) -> None:
    wiring = Hx711Wiring(5, 6, 80.0, noise_counts=0.0, reset_keeps_gain=keeps)
    site = Site(make_bench([wiring]), inbox, gain=64)
    site.bench.load(0, 84_000)
    site.scale.start(inbox.post)
    assert set(site.counts(10)) == {42_000}
    from RPi import GPIO  # the same pins that the driver holds

    for _ in range(3):
        GPIO.output(6, True)
        assert not site.scale.stopping
        inbox.wait(CountsBlock)
        GPIO.output(6, False)
        assert {counts for counts in site.counts(20) if abs(counts - 42_000) > 20} == set()
    site.scale.stop()


def test_a_full_inbox_loses_a_block_and_the_next_one_says_so(site: Site) -> None:
    from queue import Full

    refused = []

    def post(event: object) -> None:
        if len(refused) < 2:
            refused.append(event)
            raise Full
        site.inbox.queue.put(event)

    site.scale.start(post)
    assert site.inbox.wait(CountsBlock).gap
    assert not site.inbox.wait(CountsBlock).gap


def test_the_packages_own_readings_are_bounded_and_keep_zero(site: Site) -> None:
    from drivers.hx711_safe import SafeHX711

    site.bench.load(0, 0)
    chip = SafeHX711(5, 6)
    assert chip.get_raw_data(8)[-1] == 0
    assert chip.reset() is True
    site.slot.connected = 0
    with pytest.raises(DeviceError) as caught:
        chip.get_raw_data(2)
    assert caught.value.code == "scale_missing"


@pytest.mark.parametrize(("wired", "told"), [(10.0, 80.0), (80.0, 10.0)])
def test_a_chip_wired_to_another_rate_than_was_set_is_told_so(
    make_bench: MakeBench, inbox: Inbox, wired: float, told: float
) -> None:
    bench = make_bench([Hx711Wiring(dout_pin=5, sck_pin=6, rate_sps=wired)])
    bench.load(0, 84_000)
    scale = gpio_scale(rate_sps=told)
    scale.start(inbox.post)
    event = inbox.wait((DeviceLost, CountsBlock))
    scale.stop()
    assert isinstance(event, DeviceLost)
    assert event.code == "scale_rate"
