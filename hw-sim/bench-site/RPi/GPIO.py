"""Stands in for ``RPi.GPIO`` on the bench: the same calls, on the bench's shared memory.

It has what the ``hx711`` package and gpiozero's ``rpigpio`` pin factory call, in BCM numbering, with
RPi.GPIO's own constants and exceptions (RPi.GPIO 0.7.1, ``source/py_gpio.c``). ``input`` and
``output`` are the inner loop of a bit-banged transfer whose pulses must stay below 50 us: no more
than a look-up stands between a call and the chip.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hw_sim.bench import ENVIRONMENT, FLOATING, FUNCTION_IN, FUNCTION_OUT, LEVEL, TONE, Bench
from hw_sim.hx711_chip import Hx711Chip

VERSION = "0.7.1"
RPI_INFO = {"P1_REVISION": 3, "REVISION": "c03114", "TYPE": "Pi 4 Model B"}

BOARD, BCM = 10, 11
OUT, IN = 0, 1
LOW, HIGH = 0, 1
SERIAL, SPI, I2C, HARD_PWM, UNKNOWN = 40, 41, 42, 43, -1
PUD_OFF, PUD_DOWN, PUD_UP = 20, 21, 22
RISING, FALLING, BOTH = 31, 32, 33

POLL_S = 0.01
"""How often inputs with an edge callback are looked at."""

if ENVIRONMENT not in os.environ:
    raise RuntimeError("This module can only be run on a Raspberry Pi!")  # as RPi.GPIO says it

_bench = Bench.attach(Path(os.environ[ENVIRONMENT]))
_layout = _bench.layout
_out = _layout.out
_function = _layout.function

_chips = [(slot, Hx711Chip(slot)) for slot in _bench.chips]
_data = {slot.dout_pin: chip for slot, chip in _chips}
_clocked = {
    pin: tuple(chip for slot, chip in _chips if slot.sck_pin == pin)  # several may share a clock
    for pin in {slot.sck_pin for slot, _ in _chips}
}


def setmode(mode: int) -> None:
    """Choose the numbering; the bench knows BCM alone."""
    if mode != BCM:
        raise ValueError("the bench numbers pins as BCM does")


def getmode() -> int:
    """The numbering."""
    return BCM


def setwarnings(wanted: bool) -> None:
    """The bench warns of nothing."""


def setup(
    channel: int | Sequence[int],
    direction: int,
    pull_up_down: int = PUD_OFF,
    initial: int | None = None,
) -> None:
    """Make pins inputs (with a pull) or outputs (with a level)."""
    for pin in _pins(channel):
        if direction == OUT:
            _function[pin] = FUNCTION_OUT
            if initial is not None:
                output(pin, initial)
        else:
            _layout.pull[pin] = pull_up_down == PUD_UP
            _function[pin] = FUNCTION_IN


def gpio_function(channel: int) -> int:
    """IN or OUT."""
    return OUT if _function[channel] == FUNCTION_OUT else IN


def output(channel: int | Sequence[int], value: int) -> None:
    """Put a level on an output."""
    if type(channel) is not int:
        for pin in _pins(channel):
            output(pin, value)
        return
    if not _function[channel]:
        raise RuntimeError("The GPIO channel has not been set up as an OUTPUT")
    level = 1 if value else 0
    chips = _clocked.get(channel)
    if chips is not None:
        _out[channel] = level
        for chip in chips:
            chip.sck(level)
    elif _out[channel] != level:
        _out[channel] = level
        _bench.tell(channel, LEVEL, level)


def input(channel: int) -> int:
    """The level on a pin: what drives it, else its pull."""
    chip = _data.get(channel)
    if chip is not None:
        level = chip.dout()
        if level is not None:
            return level
    if _function[channel]:
        return int(_out[channel])
    outside = int(_layout.outside[channel])
    return int(_layout.pull[channel]) if outside == FLOATING else outside


def cleanup(channel: int | Sequence[int] | None = None) -> None:
    """Let go of pins: inputs without a pull."""
    for pin in range(len(_function)) if channel is None else _pins(channel):
        remove_event_detect(pin)
        _silence(pin)
        _function[pin] = FUNCTION_IN
        _layout.pull[pin] = 0


class PWM:
    """A square wave on an output; the bench keeps its frequency as what is heard."""

    def __init__(self, channel: int, frequency: float) -> None:
        self._pin = channel
        self._hz = frequency
        self._duty = 0.0

    def start(self, duty_cycle: float) -> None:
        """Begin; ``duty_cycle`` in percent."""
        self.ChangeDutyCycle(duty_cycle)

    def ChangeDutyCycle(self, duty_cycle: float) -> None:
        """0 percent is silence."""
        if not 0 <= duty_cycle <= 100:
            raise ValueError("dutycycle must have a value from 0.0 to 100.0")
        self._duty = duty_cycle
        self._sound()

    def ChangeFrequency(self, frequency: float) -> None:
        """In Hz."""
        self._hz = frequency
        self._sound()

    def stop(self) -> None:
        """Silence."""
        self._duty = 0.0
        self._sound()

    def _sound(self) -> None:
        _sound(self._pin, round(self._hz) if 0 < self._duty < 100 else 0)


def _sound(pin: int, hertz: int) -> None:
    if _layout.tone_hz[pin] != hertz:
        _layout.tone_hz[pin] = hertz
        _bench.tell(pin, TONE, hertz)


def _silence(pin: int) -> None:
    _sound(pin, 0)


def _pins(channel: int | Sequence[int]) -> Sequence[int]:
    return (channel,) if isinstance(channel, int) else channel


# -- edges ------------------------------------------------------------------------------------


@dataclass
class _Watch:
    """An input whose edges somebody wants told."""

    edge: int
    level: int
    callbacks: list[Callable[[int], None]] = field(default_factory=list)

    def wants(self, level: int) -> bool:
        return self.edge == BOTH or (self.edge == RISING) == bool(level)


_watched: dict[int, _Watch] = {}
_watcher: list[threading.Thread] = []


def add_event_detect(
    channel: int,
    edge: int,
    callback: Callable[[int], None] | None = None,
    bouncetime: int = -666,
) -> None:
    """Watch an input. The bench's switches bounce as the world says; ``bouncetime`` is ignored."""
    if channel in _watched:
        raise RuntimeError("Conflicting edge detection already enabled for this GPIO channel")
    _watched[channel] = _Watch(edge, input(channel), [] if callback is None else [callback])
    if not _watcher:
        _watcher.append(threading.Thread(target=_watch, name="bench-edges", daemon=True))
        _watcher[0].start()


def add_event_callback(channel: int, callback: Callable[[int], None]) -> None:
    """One more to tell."""
    _watched[channel].callbacks.append(callback)


def remove_event_detect(channel: int) -> None:
    """Watch no more."""
    _watched.pop(channel, None)


def _watch() -> None:
    """RPi.GPIO has one thread for all callbacks, and so has the bench."""
    while True:
        time.sleep(POLL_S)
        for pin, watch in list(_watched.items()):
            level = input(pin)
            if level != watch.level:
                watch.level = level
                if watch.wants(level):
                    for callback in watch.callbacks:
                        callback(pin)
