"""The ``hx711`` package's driver, mended by a subclass: bounded, honest, and quick to construct.

What is mended (hx711 1.1.2, ``hx711/__init__.py``), and how:

* Its constructor reads twice and sleeps a second, to have channel and gain set. The pulses after
  any frame set them too, so nothing is read here: the first frame sets the gain and is no sample.
* ``False`` stands for an error beside a genuine 0 (and ``get_raw_data`` throws -1 away as well).
  Here it is told by identity, ``is False``, and :attr:`SafeHX711.flaw` says what was wrong.
* ``get_raw_data`` goes on for ever without a chip; here its attempts are bounded.
* A pulse that lasted too long may have reset the chip, and the package leaves the rest of its frame
  to the next reading. Here the frame is sent to its end and refused: a chip that was not reset is in
  step again, and one that was shows it by its next ready edge (``hx711_witness``).
* The 25th bit and the level after the frame prove that the chip counted as many pulses as we sent.
* Each bit is looked at twice, as readiness is: one look gone wrong is then seen, wherever it falls.

Importing this module imports ``RPi.GPIO`` (a Pi 5 has the module from ``rpi-lgpio``): only a pump
that opens such a scale does.
"""

from __future__ import annotations

import time
from typing import Literal

from hx711 import HX711
from RPi import GPIO

from drivers.hx711_port import BITS, MAX_HIGH_NS, PULSES_AFTER, Flaw, Reading, counted
from kiosk.core.errors import DeviceError

ATTEMPTS_EACH = 50
"""Looks for one reading in ``get_raw_data``: 0.5 s, four settling conversions at 10 SPS."""
LOOK_S = 0.01


class SafeHX711(HX711):  # type: ignore[misc]  # the package has no types
    """One HX711. ``flaw`` tells why the last ``_read`` returned ``False``."""

    def __init__(self, dout_pin: int, pd_sck_pin: int, gain: int = 128) -> None:
        self.flaw: Flaw | None = None
        GPIO.setwarnings(False)  # after a kill the pins are still set up, which is as it should be
        super().__init__(dout_pin, pd_sck_pin, 64 if gain == 64 else 128)
        if gain == 32:
            self.channel = "B"
        # A cable that has come off then reads as never ready, not as zeros.
        GPIO.setup(dout_pin, GPIO.IN, pull_up_down=GPIO.PUD_UP)
        GPIO.output(pd_sck_pin, False)  # whoever was killed may have left it high: powered down

    def ready(self) -> bool:
        """Whether a conversion waits. Seen twice, so that one wrong bit is no readiness."""
        return self._ready()

    def read(self) -> Reading:
        """The waiting conversion in counts, or what was wrong. Takes no longer than it."""
        counts = self._read()
        if counts is False:
            assert self.flaw is not None
            return self.flaw
        return int(counts)

    def get_raw_data(self, times: int = 5) -> list[int]:
        """That many readings, the first one (of unknown gain) left out; ``scale_missing`` if none come.

        Zero and -1 are readings like others.
        """
        self._validate_measure_count(times)
        readings: list[int] = []
        for _ in range(ATTEMPTS_EACH * (times + 1)):
            reading = self.read()
            if isinstance(reading, int):
                readings.append(reading)
                if len(readings) > times:
                    return readings[1:]
            time.sleep(LOOK_S)
        raise DeviceError("scale_missing", "The scale does not answer.", "Check its cable.")

    # -- the package's own hooks ----------------------------------------------------------------

    def _apply_setting(self) -> bool:
        return True

    def _ready(self) -> bool:
        return bool(GPIO.input(self._dout) == 0 and GPIO.input(self._dout) == 0)

    def _read(self, max_tries: int = 1) -> int | Literal[False]:  # noqa: ARG002
        """One frame, without waiting for it: the pump knows when to look."""
        GPIO.output(self._pd_sck, False)
        self.flaw = None
        if not self._ready():
            return self._flawed(Flaw.NOT_READY)
        value = self._clocked(BITS)
        if not self._set_channel_gain(self._pulses_after()):
            return False
        reading = counted(value)
        return reading if isinstance(reading, int) else self._flawed(reading)

    def _set_channel_gain(self, num: int) -> bool:
        """``num`` pulses after the 24; they must find DOUT high, and so must the end."""
        tail = self._clocked(num)
        high = tail == (1 << num) - 1 and GPIO.input(self._dout) == 1
        if not high and self.flaw is None:
            self.flaw = Flaw.TAIL
        return self.flaw is None

    def _pulses_after(self) -> int:
        return PULSES_AFTER[32 if self.channel == "B" else self.channel_a_gain]

    def _clocked(self, pulses: int) -> int:
        """So many clock pulses and the bits that they brought; :attr:`flaw` where one is in doubt."""
        clock, data = self._pd_sck, self._dout
        output, level, now_ns = GPIO.output, GPIO.input, time.perf_counter_ns
        value = 0
        for _ in range(pulses):
            rise_ns = now_ns()
            output(clock, True)
            output(clock, False)
            if now_ns() - rise_ns > MAX_HIGH_NS:
                self.flaw = Flaw.SLOW
            bit = level(data)
            if level(data) != bit:
                self.flaw = self.flaw or Flaw.NOISY
            value = value << 1 | bit
        return value

    def _flawed(self, flaw: Flaw) -> Literal[False]:
        self.flaw = flaw
        return False
