"""The station's settings: one TOML file, checked once at the door, frozen after that.

``load`` is the way in; every refusal is a ``FileProblem`` (an ``OperatorError``) that names the
file, the place in it, what is wrong and what to do.
"""

from kiosk.settings.hall import Heat, Screen, Sound, Thermometer
from kiosk.settings.load import load, problems
from kiosk.settings.readers import (
    AnyReader,
    CameraReader,
    KeyboardReader,
    PcscReader,
    Pn532Reader,
    Rcs380Reader,
    ScannerReader,
)
from kiosk.settings.scales import (
    AnyScale,
    CountsScale,
    Hx711IioScale,
    Hx711Scale,
    Hx711SpiScale,
    IndicatorScale,
)
from kiosk.settings.shape import Bin, City, Contact, Mqtt, Paths, Points, Settings, Station

__all__ = [
    "AnyReader",
    "AnyScale",
    "Bin",
    "CameraReader",
    "City",
    "Contact",
    "CountsScale",
    "Heat",
    "Hx711IioScale",
    "Hx711Scale",
    "Hx711SpiScale",
    "IndicatorScale",
    "KeyboardReader",
    "Mqtt",
    "Paths",
    "PcscReader",
    "Pn532Reader",
    "Points",
    "Rcs380Reader",
    "ScannerReader",
    "Screen",
    "Settings",
    "Sound",
    "Station",
    "Thermometer",
    "load",
    "problems",
]
