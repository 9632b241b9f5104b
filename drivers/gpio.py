"""Lamps, lid switches and the buzzer, on gpiozero's pins.

A pin that is not in the settings is a feature that is off. Lamps and tones are for people: they
never hold up a weighing, so tones run in gpiozero's own background thread.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from drivers.clock import boottime_ms
from drivers.worker import Post
from kiosk.core.effects import Beep, Lamp
from kiosk.core.errors import DeviceError
from kiosk.core.events import DeviceLost, LidMoved

if TYPE_CHECKING:
    from gpiozero import LED, Button, Buzzer

BLINK_S = 0.5
LID_BOUNCE_S = 0.05
TONES: Mapping[str, tuple[float, float, int]] = {
    "seen": (0.08, 0.05, 1),
    "recorded": (0.08, 0.08, 2),
    "refused": (0.4, 0.1, 1),
    "trouble": (0.2, 0.2, 3),
}
"""On and off seconds, and how often: four tones that differ in length and number, not in pitch."""


def _pins_missing(what: str, error: Exception) -> DeviceError:
    return DeviceError(
        "gpio_missing",
        f"{what} cannot be used ({error}).",
        "Check the pin in the settings, and that the station may use the GPIO pins.",
    )


class Signals:
    """Lamps by bin, and the buzzer. ``trouble`` says why where the pins could not be had."""

    def __init__(self, lamp_pins: Mapping[str, int], buzzer_pin: int | None) -> None:
        self._lamps: dict[str, LED] = {}
        self._buzzer: Buzzer | None = None
        self.trouble: DeviceError | None = None
        if not lamp_pins and buzzer_pin is None:
            return
        from gpiozero import LED, Buzzer
        from gpiozero.exc import GPIOZeroError

        try:
            for bin_id, pin in lamp_pins.items():
                self._lamps[bin_id] = LED(pin)
            if buzzer_pin is not None:
                self._buzzer = Buzzer(buzzer_pin)
        except (GPIOZeroError, OSError, ImportError, RuntimeError) as error:
            self.trouble = _pins_missing("A lamp or the buzzer", error)

    def beep(self, effect: Beep) -> None:
        """Sound a tone; a new one ends the one before."""
        if self._buzzer is not None:
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
        for device in (*self._lamps.values(), self._buzzer):
            if device is not None:
                device.close()
        self._lamps.clear()
        self._buzzer = None


class Lid:
    """A lid switch (closed circuit: the lid is shut), as a device of its own."""

    def __init__(self, bin_id: str, pin: int) -> None:
        self.name = f"lid:{bin_id}"
        self._bin = bin_id
        self._pin = pin
        self._button: Button | None = None

    def start(self, post: Post) -> None:
        from gpiozero import Button
        from gpiozero.exc import GPIOZeroError

        try:
            self._button = Button(self._pin, pull_up=True, bounce_time=LID_BOUNCE_S)
        except (GPIOZeroError, OSError, ImportError, RuntimeError) as error:
            trouble = _pins_missing(f"The lid switch of {self._bin}", error)
            post(DeviceLost(self.name, boottime_ms(), trouble.code, str(trouble)))
            return
        self._button.when_released = self._told(post, is_open=True)
        self._button.when_pressed = self._told(post, is_open=False)

    def _told(self, post: Post, *, is_open: bool) -> Callable[[], None]:
        return lambda: post(LidMoved(self._bin, boottime_ms(), is_open))

    def stop(self) -> None:
        if self._button is not None:
            self._button.close()
            self._button = None

    def beat_ms(self) -> int:
        """A switch has no thread of ours that could hang."""
        return boottime_ms()
