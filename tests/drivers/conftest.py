"""A bench in the test's own process: its pins are this process's ``RPi.GPIO``."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from driver_site import Inbox, MakeBench
from hw_sim.bench import Bench, Hx711Wiring, station_environment


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
def make_bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MakeBench]:
    """Makes the bench and puts its ``RPi`` where ``import RPi`` finds it."""

    def make(wiring: Sequence[Hx711Wiring]) -> Bench:
        bench = Bench.create(tmp_path / "bench.mem", wiring)
        environment = station_environment(tmp_path / "bench.mem")
        site = environment.pop("PYTHONPATH").split(":")[0]
        monkeypatch.syspath_prepend(site)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        _forget_pins()
        return bench

    yield make
    _forget_pins()


def _forget_pins() -> None:
    """As in a fresh process: no module holds on to another bench's pins."""
    gpiozero = sys.modules.get("gpiozero")
    if gpiozero is not None and gpiozero.Device.pin_factory is not None:
        gpiozero.Device.pin_factory.close()
        gpiozero.Device.pin_factory = None
    for name in list(sys.modules):
        if name.split(".")[0] in {"RPi", "hx711", "bench_pins", "spidev"} or name in {
            "drivers.hx711_safe",
            "gpiozero.pins.rpigpio",
        }:
            del sys.modules[name]
