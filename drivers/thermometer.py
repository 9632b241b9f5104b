"""A thermometer that the kernel reads: a file that holds thousandths of a degree.

Linux writes so for sensors of ``hwmon`` (``temp1_input``), of 1-Wire (DS18B20: ``temperature``), of thermal
zones (``temp``) and of IIO (``in_temp_input``). One number, nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from drivers.clock import boottime_ms
from drivers.worker import Worker
from kiosk.core.errors import DeviceError
from kiosk.core.events import Event, Heated, Warmth

EVERY_S = 30.0
OWN_EVERY_S = 5.0
LEAST_MC, MOST_MC = -40_000, 84_999
"""What a hall can have; 85.000 is what a DS18B20 says before its first measurement."""
MOST_OWN_MC = 150_000
"""No machine that runs is hotter."""
MOST_BYTES = 64


class Thermometer(Worker):
    """Posts what ``said`` makes of boottime (ms) and temperature (1/1000 °C), every ``every_s``."""

    def __init__(
        self,
        name: str,
        path: Path,
        said: Callable[[int, int], Event],
        *,
        every_s: float,
        most_mc: int,
    ) -> None:
        super().__init__(name)
        self._path, self._said = path, said
        self._every_s, self._most_mc = every_s, most_mc

    def open(self) -> None:
        """Nothing is held: the file is opened for each reading."""

    def step(self) -> None:
        self.deliver(self._said(boottime_ms(), read_mc(self._path, self._most_mc)))
        self.rest(self._every_s)

    def close(self) -> None:
        """Nothing is held."""


def of_hall(path: Path) -> Thermometer:
    """Posts ``Warmth`` for the whole hall."""
    return Thermometer("thermometer:hall", path, Warmth, every_s=EVERY_S, most_mc=MOST_MC)


def of_machine(path: Path) -> Thermometer:
    """Posts ``Heated``: how hot the machine itself is."""
    return Thermometer(
        "thermometer:station", path, Heated, every_s=OWN_EVERY_S, most_mc=MOST_OWN_MC
    )


def read_mc(path: Path, most_mc: int) -> int:
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
