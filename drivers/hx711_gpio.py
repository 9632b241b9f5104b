"""HX711 on GPIO lines: one chip through the ``hx711`` package, or several on one clock line.

Imports of ``RPi.GPIO`` stand where the pins are opened: a station without such scales needs none.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from drivers.hx711_port import BITS, MAX_HIGH_NS, PULSES_AFTER, Flaw, Reading, counted
from kiosk.core.errors import DeviceError

if TYPE_CHECKING:
    from drivers.hx711_safe import SafeHX711

POWER_DOWN_S = 0.001


def unusable(error: Exception) -> DeviceError:
    """The pins are not there for us."""
    return DeviceError(
        "scale_missing",
        f"The scale's pins cannot be used: {error}.",
        "Check that RPi.GPIO (on a Pi 5 rpi-lgpio) is installed and the pins are free.",
    )


class PackagePins:
    """One chip on two lines, read by the ``hx711`` package's driver (``hx711_safe``)."""

    size = 1

    def __init__(self, dout_pin: int, sck_pin: int, gain: int) -> None:
        self._wiring = (dout_pin, sck_pin, gain)
        self._chip: SafeHX711 | None = None

    def open(self) -> None:
        try:
            from drivers.hx711_safe import SafeHX711

            self._chip = SafeHX711(*self._wiring)
        except (ImportError, RuntimeError, ValueError, OSError) as error:
            raise unusable(error) from error

    def ready(self, chip: int) -> bool:  # noqa: ARG002
        assert self._chip is not None
        return self._chip.ready()

    def read(self) -> Sequence[Reading]:
        assert self._chip is not None
        return (self._chip.read(),)

    def reset(self) -> None:
        assert self._chip is not None
        self._chip.power_down()
        self._chip.power_up()

    def close(self) -> None:
        self._chip = None


class SharedClockPins:
    """Several chips on one clock line, all at the same gain: one pulse train reads them all.

    What ``hx711_safe`` proves of one frame is proven here of each: the clock's high times are common
    to all, the two looks at each bit, pulse 25 and DOUT afterwards are each chip's own.
    """

    def __init__(self, dout_pins: Sequence[int], sck_pin: int, gain: int) -> None:
        self.size = len(dout_pins)
        self._douts = tuple(dout_pins)
        self._sck = sck_pin
        self._pulses_after = PULSES_AFTER[gain]
        self._gpio: Any = None

    def open(self) -> None:
        try:
            from RPi import GPIO

            GPIO.setwarnings(False)
            GPIO.setmode(GPIO.BCM)
            GPIO.setup(self._sck, GPIO.OUT)
            for dout in self._douts:
                GPIO.setup(dout, GPIO.IN, pull_up_down=GPIO.PUD_UP)
            GPIO.output(self._sck, False)
        except (ImportError, RuntimeError, ValueError, OSError) as error:
            raise unusable(error) from error
        self._gpio = GPIO

    def ready(self, chip: int) -> bool:
        level = self._gpio.input
        dout = self._douts[chip]
        return bool(level(dout) == 0 and level(dout) == 0)

    def read(self) -> Sequence[Reading]:
        gpio, douts = self._gpio, self._douts
        waiting = [self.ready(chip) for chip in range(self.size)]
        values = [0] * self.size
        noisy = [False] * self.size
        slow = False
        for _ in range(BITS + self._pulses_after):
            rise_ns = time.perf_counter_ns()
            gpio.output(self._sck, True)
            gpio.output(self._sck, False)
            slow = slow or time.perf_counter_ns() - rise_ns > MAX_HIGH_NS
            for chip, dout in enumerate(douts):
                bit = gpio.input(dout)
                noisy[chip] = noisy[chip] or gpio.input(dout) != bit
                values[chip] = values[chip] << 1 | bit
        after = [gpio.input(dout) == 1 for dout in douts]
        return [
            self._reading(*seen, slow=slow)
            for seen in zip(waiting, values, noisy, after, strict=True)
        ]

    def _reading(
        self, waiting: bool, value: int, noisy: bool, after: bool, *, slow: bool
    ) -> Reading:
        ones = (1 << self._pulses_after) - 1
        if not waiting:
            return Flaw.NOT_READY
        if slow:
            return Flaw.SLOW
        if noisy:
            return Flaw.NOISY
        if value & ones != ones or not after:
            return Flaw.TAIL
        return counted(value >> self._pulses_after)

    def reset(self) -> None:
        self._gpio.output(self._sck, True)
        time.sleep(POWER_DOWN_S)
        self._gpio.output(self._sck, False)

    def close(self) -> None:
        self._gpio = None
