"""Two models of one chip, written apart: the same levels, and the same verdicts of our driver."""

from __future__ import annotations

import importlib
import os
import sys
import threading
from random import Random
from types import ModuleType
from typing import Any

import pytest
from driver_site import LONG_S
from hw_sim.bench import Hx711Wiring
from hw_sim.hx711_chip import Hx711Chip
from hw_sim.hx711_sheet import SheetChip
from hw_sim.virtual_pins import VirtualClock, VirtualPins, plain_slot
from hypothesis import given, settings
from hypothesis import strategies as st

SIZE = int(os.environ.get("KIOSK_SEARCH_SIZE", "1"))
PERIOD_US = 2_000
HIGH_US = st.sampled_from([1, 2, 5, 30, 59, 60, 61, 62, 100, 900])
PULSES = st.tuples(
    st.just("pulses"), st.sampled_from([1, 3, 11, 23, 24, 25, 26, 27, 28, 40]), HIGH_US
)
WAITS = st.tuples(
    st.just("wait"), st.sampled_from([1, 20, 300, 1_990, 2_000, 2_010, 8_000]), st.just(0)
)
TRAINS = st.lists(st.one_of(PULSES, WAITS), max_size=30)


def value(number: int, gain: int) -> int:
    """24 bits that tell every conversion and gain apart."""
    return (number * 0x9E3779B1 ^ gain * 0x85EBCA6B) >> 3 & 0xFFFFFF


class KnownValues(Hx711Chip):
    """The bench's chip with these values instead of its analogue side."""

    def _value(self, end_ns: int) -> int:
        return value(int(self._slot.conversions), int(self._slot.gain))


class Both:
    """The two chips on the same pins."""

    def __init__(self, keeps: bool, reloads: bool) -> None:
        self.now_us = 0
        wiring = Hx711Wiring(5, 6, 1e6 / PERIOD_US, reset_keeps_gain=keeps, reloads=reloads)
        self.bench = KnownValues(plain_slot(wiring, 0), lambda: self.now_us * 1_000)
        self.sheet = SheetChip(PERIOD_US, value, keeps_gain=keeps, reloads=reloads)

    def wait(self, microseconds: int) -> None:
        for _ in range(microseconds):
            self.sheet.tick()
        self.now_us += microseconds

    def level(self, level: int) -> None:
        self.bench.sck(level)
        self.sheet.sck(level)

    def look(self) -> tuple[int | None, int]:
        return self.bench.dout(), self.sheet.dout()


@settings(max_examples=60 * SIZE, deadline=None)
@given(TRAINS, st.booleans(), st.booleans(), st.booleans())
def test_any_pulses_show_the_same_levels(
    train: list[tuple[str, int, int]], keeps: bool, reloads: bool, watched: bool
) -> None:
    both = Both(keeps, reloads)
    both.wait(4 * PERIOD_US + 3)
    for kind, count, high_us in train:
        if kind == "wait":
            both.wait(count)
        for _ in range(count if kind == "pulses" else 0):
            both.level(1)
            both.wait(high_us)
            both.level(0)
            both.wait(1)
            if watched:
                one, other = both.look()
                assert one == other
        one, other = both.look()
        assert one == other


class Ticking:
    """The data sheet's chip on virtual pins."""

    def __init__(self, clock: VirtualClock, chip: SheetChip) -> None:
        self._clock, self._chip, self._now = clock, chip, clock.now

    def sck(self, level: int) -> None:
        self._catch_up()
        self._chip.sck(level)

    def dout(self) -> int:
        self._catch_up()
        return self._chip.dout()

    def _catch_up(self) -> None:
        for _ in range((self._clock.now - self._now) // 1_000):
            self._chip.tick()
        self._now = self._clock.now


def resting(number: int, gain: int) -> int:
    """A resting load, with noise that tells conversions apart."""
    return 700_000 * gain // 128 + number * 37 % 101


def delivered(monkeypatch: pytest.MonkeyPatch, sheet: bool, seed: int, samples: int) -> list[int]:
    """What our scale's thread delivers on a busy machine, on one chip or the other."""

    class Resting(Hx711Chip):
        def _value(self, end_ns: int) -> int:
            return resting(int(self._slot.conversions), int(self._slot.gain))

    clock = VirtualClock()
    keeps, reloads = bool(seed % 2), bool(seed % 4 < 2)
    wiring = Hx711Wiring(5, 6, 80.0, reset_keeps_gain=keeps, reloads=reloads)
    chip: Any = Resting(plain_slot(wiring, clock.now), lambda: clock.now)
    if sheet:
        chip = Ticking(clock, SheetChip(12_500, resting, keeps_gain=keeps, reloads=reloads))
    pins: Any = VirtualPins(clock, [(5, 6, chip)], preempted=2e-3, flipped=1e-4, seed=seed)
    package: Any = ModuleType("RPi")
    package.GPIO = pins
    monkeypatch.setitem(sys.modules, "RPi", package)
    monkeypatch.setitem(sys.modules, "RPi.GPIO", pins)
    for name in [name for name in sys.modules if name == "hx711" or name == "drivers.hx711_safe"]:
        monkeypatch.delitem(sys.modules, name)
    from driver_site import gpio_scale

    for name in ("clock", "hx711_looking", "hx711_safe", "hx711_gpio"):
        monkeypatch.setattr(importlib.import_module(f"drivers.{name}"), "time", clock)
    found: list[int] = []
    enough = threading.Event()

    def post(event: Any) -> None:
        found.extend(getattr(event, "counts", ()))
        if len(found) >= samples:
            enough.set()

    scale = gpio_scale(gain=128 if seed % 3 else 64)
    scale.start(post)
    assert enough.wait(LONG_S)
    scale.stop()
    sys.modules.pop("hx711", None)
    sys.modules.pop("drivers.hx711_safe", None)
    return found[:samples]


@pytest.mark.parametrize("seed", range(4 * SIZE))
def test_our_driver_delivers_the_same_from_either(
    monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    assert delivered(monkeypatch, False, seed, 100) == delivered(monkeypatch, True, seed, 100)


def test_what_is_compared_is_not_all_the_same() -> None:
    rng = Random(1)
    assert len({value(rng.randrange(1_000), 128) for _ in range(100)}) > 90
