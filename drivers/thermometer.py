"""A thermometer that the kernel reads: a file that holds thousandths of a degree.

Linux writes so for sensors of ``hwmon`` (``temp1_input``), of 1-Wire (DS18B20: ``temperature``), of thermal
zones (``temp``) and of IIO (``in_temp_input``). One number, nothing else.
"""

from __future__ import annotations

from pathlib import Path

from drivers.clock import boottime_ms
from drivers.worker import Worker
from kiosk.core.errors import DeviceError
from kiosk.core.events import Heated, Warmth

EVERY_S = 30.0
OWN_EVERY_S = 5.0
LEAST_MC, MOST_MC = -40_000, 84_999
"""What a hall can have; 85.000 is what a DS18B20 says before its first measurement."""
MOST_OWN_MC = 150_000
"""No machine that runs is hotter."""
MOST_BYTES = 64


class Thermometer(Worker):
    """Posts ``Warmth`` for the whole hall."""

    def __init__(self, path: Path) -> None:
        super().__init__("thermometer:hall")
        self._path = path

    def open(self) -> None:
        """Nothing is held: the file is opened for each reading."""

    def step(self) -> None:
        self.deliver(Warmth(boottime_ms(), read_mc(self._path)))
        self.rest(EVERY_S)

    def close(self) -> None:
        """Nothing is held."""


class OwnThermometer(Worker):
    """Posts ``Heated``: how hot the machine itself is."""

    def __init__(self, path: Path) -> None:
        super().__init__("thermometer:station")
        self._path = path

    def open(self) -> None:
        """Nothing is held: the file is opened for each reading."""

    def step(self) -> None:
        self.deliver(Heated(boottime_ms(), read_mc(self._path, MOST_OWN_MC)))
        self.rest(OWN_EVERY_S)

    def close(self) -> None:
        """Nothing is held."""


def read_mc(path: Path, most_mc: int = MOST_MC) -> int:
    """The temperature in 1/1000 °C. Raises DeviceError."""
    try:
        with path.open("rb") as file:
            text = file.read(MOST_BYTES).strip()
    except OSError as error:
        raise DeviceError(
            "thermometer_missing",
            f"The thermometer cannot be read ({error.strerror}).",
            "Check its wires and its path in the settings.",
        ) from error
    try:
        temperature_mc = int(text)
    except ValueError:
        temperature_mc = most_mc + 1
    if not LEAST_MC <= temperature_mc <= most_mc:
        raise DeviceError(
            "thermometer_garbled",
            "The thermometer says no temperature that can be.",
            "Check its wires.",
        )
    return temperature_mc
