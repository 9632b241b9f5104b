"""The station's settings: one TOML file, checked once at the door, frozen after that.

``load`` is the way in; every refusal is a ``FileProblem`` (an ``OperatorError``) that names the
file, the place in it, what is wrong and what to do.
"""

from kiosk.settings.load import load
from kiosk.settings.shape import (
    AnyReader,
    AnyScale,
    Bin,
    CameraReader,
    City,
    Contact,
    CountsScale,
    Hx711IioScale,
    Hx711Scale,
    Hx711SpiScale,
    IndicatorScale,
    Mqtt,
    Paths,
    Pn532Reader,
    Points,
    Screen,
    Settings,
    Station,
)

__all__ = [
    "AnyReader",
    "AnyScale",
    "Bin",
    "CameraReader",
    "City",
    "Contact",
    "CountsScale",
    "Hx711IioScale",
    "Hx711Scale",
    "Hx711SpiScale",
    "IndicatorScale",
    "Mqtt",
    "Paths",
    "Pn532Reader",
    "Points",
    "Screen",
    "Settings",
    "Station",
    "load",
]
