"""A thermometer in a file, as the kernel shows it."""

from __future__ import annotations

import queue
from pathlib import Path

import pytest

from drivers.thermometer import MOST_MC, of_hall, of_machine, read_mc
from kiosk.core.errors import DeviceError
from kiosk.core.events import DeviceBack, DeviceLost, Event, Heated, Warmth


def test_a_hall_is_eleven_degrees(tmp_path: Path) -> None:
    file = tmp_path / "temp1_input"
    file.write_text("11250\n")
    assert read_mc(file, MOST_MC) == 11_250
    file.write_text("-3062\n")
    assert read_mc(file, MOST_MC) == -3_062


@pytest.mark.parametrize("text", ["", "85000\n", "nan", "12.5", "99999999", "\0\0", "-40001"])
def test_what_no_hall_can_have_is_no_temperature(tmp_path: Path, text: str) -> None:
    file = tmp_path / "temp1_input"
    file.write_text(text)
    with pytest.raises(DeviceError) as failed:
        read_mc(file, MOST_MC)
    assert failed.value.code == "thermometer_garbled"


def test_a_thermometer_that_is_plugged_in_later_is_told_of_once(tmp_path: Path) -> None:
    file, inbox = tmp_path / "temperature", queue.Queue[Event]()
    thermometer = of_hall(file)
    thermometer.start(inbox.put)
    lost = inbox.get(timeout=10)
    assert isinstance(lost, DeviceLost)
    assert (lost.device, lost.code) == ("thermometer:hall", "thermometer_missing")
    file.write_text("20500")
    assert isinstance(inbox.get(timeout=20), DeviceBack)
    reading = inbox.get(timeout=10)
    assert isinstance(reading, Warmth) and reading.temperature_mc == 20_500
    thermometer.stop()


def test_a_machine_may_be_hotter_than_a_hall(tmp_path: Path) -> None:
    file, inbox = tmp_path / "temp", queue.Queue[Event]()
    file.write_text("85000\n")
    own = of_machine(file)
    own.start(inbox.put)
    reading = inbox.get(timeout=10)
    assert isinstance(reading, Heated) and reading.temperature_mc == 85_000
    file.write_text("150001\n")
    lost = inbox.get(timeout=20)
    assert isinstance(lost, DeviceLost)
    assert (lost.device, lost.code) == ("thermometer:station", "thermometer_garbled")
    own.stop()
