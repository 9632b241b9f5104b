"""The shape of what residents see, hear and feel of a station: its page, its tones, its warmth."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta

from kiosk.settings.parts import Part, Pin, Port

TimeOfDay = Annotated[str, Meta(pattern=r"\A([01][0-9]|2[0-3]):[0-5][0-9]\Z")]
"""Local time, as ``21:00``."""
Celsius = Annotated[int, Meta(ge=30, le=110)]
CPU = Path("/sys/class/thermal/thermal_zone0/temp")


class Screen(Part, frozen=True, kw_only=True):
    """The residents' page; loopback only."""

    host: Literal["127.0.0.1", "::1", "localhost"] = "127.0.0.1"
    port: Port = 8080


class Sound(Part, frozen=True, kw_only=True):
    """Tones, at the buzzer and of the page. From ``quiet_from`` to ``quiet_to`` there are none (both or
    neither). ``page``: whether the page makes tones, ``auto`` where the station has no buzzer."""

    quiet_from: TimeOfDay | None = None
    quiet_to: TimeOfDay | None = None
    page: Literal["auto", "on", "off"] = "auto"


class Heat(Part, frozen=True, kw_only=True):
    """The station's own warmth, in a file of the kernel's in 1/1000 °C. At ``still_c`` nothing on the
    screen moves any more, at ``dim_c`` it is dark too; each ends when it is ``back_c`` cooler."""

    path: Path = CPU
    still_c: Celsius = 75
    dim_c: Celsius = 82
    back_c: Annotated[int, Meta(ge=1, le=20)] = 5


class Buzzer(Part, frozen=True, kw_only=True):
    """The tone that says "seen" and "recorded"."""

    pin: Pin


class ReaderLamp(Part, frozen=True, kw_only=True):
    """The lamp at the readers that says "seen"."""

    pin: Pin


class Thermometer(Part, frozen=True, kw_only=True):
    """A thermometer near the scales, as a file of the kernel's in 1/1000 °C; ``learn`` whether what warmth
    does to the scales is learned from undisturbed hours."""

    path: Path
    learn: bool = True
