"""Lamps, lid switches, fill sensors and the buzzer, on gpiozero's pins.

A pin that is not in the settings is a feature that is off. Lamps and tones are for people: they
never hold up a weighing, so tones run in gpiozero's own background thread.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Literal

from drivers.clock import boottime_ms
from drivers.worker import REST_SLICE_S, Worker
from kiosk.core.effects import Beep, Lamp
from kiosk.core.errors import DeviceError
from kiosk.core.events import Event, FillMoved, LidMoved

if TYPE_CHECKING:
    from gpiozero import LED, Button, Buzzer, DigitalOutputDevice

BLINK_S = 0.5
RESET_S = 0.02
"""A chip's reset input held down, and its start waited for (PN532: 100 ns, and 2 ms at most)."""
STILL_S = 0.03
LOOKS = 20
"""So often the contacts may bounce before a step ends."""
TONES: Mapping[str, tuple[float, float, int]] = {
    "seen": (0.08, 0.05, 1),
    "recorded": (0.08, 0.08, 2),
    "refused": (0.4, 0.1, 1),
    "trouble": (0.2, 0.2, 3),
    "here": (0.5, 0.5, 5),
}
"""On and off seconds, and how often: tones that differ in length and number, not in pitch."""
FLASHES: Mapping[str, tuple[float, float, int]] = {"seen": (1.2, 0.05, 1), "refused": (0.2, 0.2, 3)}
"""The same of the lamp at the readers, which speaks of cards alone: who hears little sees it at once."""


def _pins_missing(what: str, error: Exception) -> DeviceError:
    return DeviceError(
        "gpio_missing",
        f"{what} cannot be used ({error}).",
        "Check the pin in the settings, and that the station may use the GPIO pins.",
    )


class Signals:
    """Lamps by bin, the buzzer, and the lamp at the readers. ``trouble`` says why where the pins could
    not be had."""

    def __init__(
        self,
        lamp_pins: Mapping[str, int],
        buzzer_pin: int | None,
        reader_lamp_pin: int | None = None,
    ) -> None:
        self._lamps: dict[str, LED] = {}
        self._buzzer: Buzzer | None = None
        self._reader_lamp: LED | None = None
        self.trouble: DeviceError | None = None
        if not lamp_pins and buzzer_pin is None and reader_lamp_pin is None:
            return
        from gpiozero import LED, Buzzer
        from gpiozero.exc import GPIOZeroError

        try:
            for bin_id, pin in lamp_pins.items():
                self._lamps[bin_id] = LED(pin)
            if buzzer_pin is not None:
                self._buzzer = Buzzer(buzzer_pin)
            if reader_lamp_pin is not None:
                self._reader_lamp = LED(reader_lamp_pin)
        except (GPIOZeroError, OSError, ImportError, RuntimeError) as error:
            self.trouble = _pins_missing("A lamp or the buzzer", error)

    def beep(self, effect: Beep) -> None:
        """Sound a tone (unless it is a silent one), and show it at the readers; a new one ends the one
        before."""
        flash = FLASHES.get(effect.tone)
        if self._reader_lamp is not None and flash is not None:
            self._reader_lamp.blink(*flash)
        if self._buzzer is not None and not effect.silent:
            self._buzzer.off()
            on_s, off_s, times = TONES[effect.tone]
            self._buzzer.beep(on_s, off_s, times)

    def lamp(self, effect: Lamp) -> None:
        """Light a bin's lamp."""
        led = self._lamps.get(effect.bin)
        if led is None:
            return
        if effect.mode == "blink":
            led.blink(BLINK_S, BLINK_S)
        elif effect.mode == "on":
            led.on()
        else:
            led.off()

    def stop(self) -> None:
        """Everything dark and silent. Harmless a second time."""
        for device in (*self._lamps.values(), self._buzzer, self._reader_lamp):
            if device is not None:
                device.close()
        self._lamps.clear()
        self._buzzer = self._reader_lamp = None


class Reset:
    """The line to a chip's reset input (low resets). Held high as long as the driver has it: on some
    boards nothing else does. Raises DeviceError."""

    def __init__(self, pin: int, what: str) -> None:
        from gpiozero import DigitalOutputDevice
        from gpiozero.exc import GPIOZeroError

        try:
            self._line: DigitalOutputDevice = DigitalOutputDevice(pin, initial_value=False)
        except (GPIOZeroError, OSError, ImportError, RuntimeError) as error:
            raise _pins_missing(what, error) from error
        time.sleep(RESET_S)
        self._line.on()
        time.sleep(RESET_S)

    def close(self) -> None:
        """Let go of the line."""
        self._line.close()


class Contact(Worker):
    """A line that is one of two things. ``said`` makes the event of one that is ``active`` (drawn away
    from where its resistor holds it) or not; at a start only where ``begins_told``.

    Contacts bounce for some milliseconds, and a callback may read the level of a bounce. So an edge
    only wakes the thread, which waits until the level has stayed for ``STILL_S``; between edges
    it looks each ``REST_SLICE_S``, which mends an edge that nobody told.
    """

    def __init__(
        self,
        name: str,
        pin: int,
        what: str,
        said: Callable[[bool], Event],
        *,
        pull_up: bool = True,
        begins_told: bool = True,
    ) -> None:
        super().__init__(name)
        self._pin, self._what, self._pull_up = pin, what, pull_up
        self._said, self._begins_told = said, begins_told
        self._button: Button | None = None
        self._edge = threading.Event()
        self._active: bool | None = None

    def open(self) -> None:
        from gpiozero import Button
        from gpiozero.exc import GPIOZeroError

        try:
            self._button = Button(self._pin, pull_up=self._pull_up)
        except (GPIOZeroError, OSError, ImportError, RuntimeError) as error:
            raise _pins_missing(self._what, error) from error
        self._button.when_released = self._button.when_pressed = self._edge.set
        self._active = None
        self._edge.set()  # look at once

    def step(self) -> None:
        self._edge.wait(REST_SLICE_S)
        active = self._settled()
        if active is None:
            return
        before, self._active = self._active, active
        if before == active or (before is None and not self._begins_told):
            self.deliver()
        else:
            self.deliver(self._said(active))

    def close(self) -> None:
        if self._button is not None:
            self._button.close()
            self._button = None

    def _settled(self) -> bool | None:
        """What the line is; None while the contacts go on bouncing (the next step looks)."""
        assert self._button is not None
        level = self._button.is_pressed
        for _ in range(LOOKS):
            self._edge.clear()
            if not self._edge.wait(STILL_S) and self._button.is_pressed == level:
                return bool(level)
            level = self._button.is_pressed
        return None


def lid(bin_id: str, pin: int) -> Contact:
    """A lid switch (closed circuit to ground: the lid is shut). How it stands at a start is no news."""

    def said(active: bool) -> LidMoved:
        return LidMoved(bin_id, boottime_ms(), not active)

    what = f"The lid switch of {bin_id}"
    return Contact(f"lid:{bin_id}", pin, what, said, begins_told=False)


def fill_sensor(bin_id: str, pin: int, level: Literal["low", "high"]) -> Contact:
    """A light barrier, proximity switch or the like that draws its line to ``level`` while something lies
    before it. A resistor holds the line at the other one, so a cable that is off says that nothing does:
    the bin goes on."""

    def said(active: bool) -> FillMoved:
        return FillMoved(bin_id, boottime_ms(), active)

    what = f"The fill sensor of {bin_id}"
    return Contact(f"fill:{bin_id}", pin, what, said, pull_up=level == "low")
