"""The ``hx711`` package's driver, mended by a subclass: bounded, honest, and quick to construct.

What is mended (hx711 1.1.2, ``hx711/__init__.py``), and how:

* Its constructor reads twice and sleeps a second, to have channel and gain set. The pulses after
  any frame set them too, so nothing is read here: the first frame sets the gain and is no sample.
* ``False`` stands for an error beside a genuine 0 (and ``get_raw_data`` throws -1 away as well).
  Here it is told by identity, ``is False``, and :attr:`SafeHX711.flaw` says what was wrong.
* ``get_raw_data`` goes on for ever without a chip; here its attempts are bounded.
* A pulse that lasted too long has reset the chip, which the package does not follow up (or by
  reading on without bound). Here it is a flaw, and the caller brings the chip into a known state.
* The 25th bit and the level after the frame prove that the chip counted as many pulses as we sent.

Importing this module imports ``RPi.GPIO`` (a Pi 5 has the module from ``rpi-lgpio``): only a pump
that opens such a scale does.
"""

from __future__ import annotations

import time
from typing import Literal

from hx711 import HX711
from RPi import GPIO

from kiosk.core.errors import DeviceError

Flaw = Literal["not_ready", "slow", "tail", "saturated"]

MAX_HIGH_NS = 50_000
"""Data sheet: the clock stays high for 0.2 to 50 us; above 60 us the chip powers down."""
BITS = 24
TOP, BOTTOM = 0x7FFFFF, 0x800000
"""Where the chip's range ends: a signal beyond it, not a weight."""
ATTEMPTS_EACH = 50
"""Looks for one reading in ``get_raw_data``: 0.5 s, four settling conversions at 10 SPS."""
LOOK_S = 0.01


class SafeHX711(HX711):  # type: ignore[misc]  # the package has no types
    """One HX711. ``flaw`` tells why the last ``_read`` returned ``False``."""

    def __init__(self, dout_pin: int, pd_sck_pin: int, gain: int = 128) -> None:
        self.flaw: Flaw | None = None
        GPIO.setwarnings(False)  # after a kill the pins are still set up, which is as it should be
        super().__init__(dout_pin, pd_sck_pin, gain)
        # A cable that has come off then reads as never ready, not as zeros.
        GPIO.setup(dout_pin, GPIO.IN, pull_up_down=GPIO.PUD_UP)
        GPIO.output(pd_sck_pin, False)  # whoever was killed may have left it high: powered down

    def ready(self) -> bool:
        """Whether a conversion waits. Seen twice, so that one wrong bit is no readiness."""
        return self._ready()

    def read(self) -> int | None:
        """The waiting conversion in counts, or None for a :attr:`flaw`. Takes no longer than it."""
        counts = self._read()
        return None if counts is False else int(counts)

    def get_raw_data(self, times: int = 5) -> list[int]:
        """That many readings, the first one (of unknown gain) left out; ``scale_missing`` if none come.

        Zero and -1 are readings like others.
        """
        self._validate_measure_count(times)
        readings: list[int] = []
        for _ in range(ATTEMPTS_EACH * (times + 1)):
            counts = self.read()
            if counts is not None:
                readings.append(counts)
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
            return self._flawed("not_ready")
        value = 0
        for _ in range(BITS):
            bit = self._pulse()
            if bit is None:
                return self._flawed("slow")
            value = value << 1 | bit
        if not self._set_channel_gain(self._pulses_after()):
            return False
        if value in (TOP, BOTTOM):
            return self._flawed("saturated")
        return value - (1 << BITS) if value & BOTTOM else value

    def _set_channel_gain(self, num: int) -> bool:
        """``num`` pulses after the 24; the first must find DOUT high, and so must the end."""
        tail = [self._pulse() for _ in range(num)]
        if None in tail:
            return bool(self._flawed("slow"))
        if tail[0] != 1 or GPIO.input(self._dout) != 1:
            return bool(self._flawed("tail"))
        return True

    def _pulses_after(self) -> int:
        if self.channel == "B":
            return 2
        return 1 if self.channel_a_gain == 128 else 3

    def _pulse(self) -> int | None:
        """One clock pulse and the bit that it brought; None where it may have reset the chip."""
        rise_ns = time.perf_counter_ns()
        GPIO.output(self._pd_sck, True)
        GPIO.output(self._pd_sck, False)
        if time.perf_counter_ns() - rise_ns > MAX_HIGH_NS:
            return None
        return int(GPIO.input(self._dout))

    def _flawed(self, flaw: Flaw) -> Literal[False]:
        self.flaw = flaw
        return False
