"""An HX711 behind the kernel's own driver, read through sysfs.

Invariant: a value counts only where the read was seen to wait for it, and the kernel's idea of the
gain is ours.

The driver (Linux, ``drivers/iio/adc/hx711.c``) clocks each bit with interrupts off, so it powers no
chip down. What it does not do is done here or behind the port:

* It looks for readiness every 10 ms and says nothing of when. A read that is begun before the
  conversion is due sleeps there at least once, which proves that DOUT was high after the frame
  before, and ends within ``POLL_NS`` of the edge. A read that returns at once proves neither.
* It does not check pulse 25: a data line shorted to ground reads as a load of 0. It never waits,
  though, and so is found out.
* After a second without readiness it resets the chip and falls back to gain 128 by itself. The
  attribute ``in_voltage_scale`` then says so, and is set again.
* A gain set while no conversion waits is answered with EIO, yet kept for the next frame.
* It lets no value settle after a change of gain: the witness leaves those out.
* Older ones share one scale table between all devices; the gain is therefore told by its place in
  ``in_voltage0_scale_available`` (128, 64), never by the millivolts.
* Its buffer stores a failed read's error number as a sample: the buffer is not used.

``in_voltage0_raw`` (channel A) and ``in_voltage1_raw`` (B, gain 32) are 24-bit offset binary.
"""

from __future__ import annotations

import contextlib
import errno
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from drivers.clock import boottime_ns
from drivers.hx711_port import BITS, BOTTOM, Conversion, Due, Flaw, Reading, counted
from kiosk.core.errors import DeviceError

DEVICES = Path("/sys/bus/iio/devices")
POLL_NS = 21_000_000
"""The driver sleeps 10 ms between two looks: up to 20 where the kernel's tick is 100 Hz."""
SLEPT_NS = 8_000_000
"""A read that took longer has slept in the driver."""
AHEAD_NS = 8_000_000
"""A read begins so much earlier than looks would, so that it is still early when the thread is late."""
MOST_SLEEP_S = 1.0
GAINS = {"in_voltage0_scale_available": (128, 64), "in_voltage1_scale_available": (32,)}
SCALE = "in_voltage_scale"


class IioWire:
    """One chip: ``device`` is its label in the device tree, or the path of its sysfs folder."""

    def __init__(self, device: str, gain: int) -> None:
        self._device = device
        self._gain = gain
        self._raw = f"in_voltage{1 if gain == 32 else 0}_raw"
        self._folder = Path()
        self._scale = ""

    def open(self) -> None:
        try:
            self._folder = self._found()
            self._set_gain()
        except OSError as error:
            raise self._gone(error) from error

    def take(
        self, due: Sequence[Due], stopping: Callable[[], bool]
    ) -> Sequence[Conversion | None] | None:
        early_ns = due[0].wake_ns - AHEAD_NS - boottime_ns()
        time.sleep(min(max(0.0, early_ns / 1e9), MOST_SLEEP_S))
        if stopping():
            return None
        begun_ns = boottime_ns()
        try:
            text = self._text(self._raw)
            ended_ns = boottime_ns()
            reading = self._reading(text)
        except OSError as error:
            raise self._gone(error) from error
        slept = ended_ns - begun_ns > SLEPT_NS
        high_ns = max(begun_ns, ended_ns - POLL_NS) if slept else 0
        return [Conversion(high_ns, ended_ns, ended_ns, reading)]

    def reset(self) -> None:
        """The kernel resets the chip when it sees need; ours is the gain."""
        with contextlib.suppress(OSError):
            self._set_gain()

    def close(self) -> None:
        """Nothing is held open between two reads."""

    def _found(self) -> Path:
        if self._device.startswith("/"):
            return Path(self._device)
        for folder in sorted(DEVICES.glob("iio:device*")):
            with contextlib.suppress(OSError):
                if (folder / "label").read_text().strip() == self._device:
                    return folder
        raise FileNotFoundError(f"no IIO device is labelled {self._device}")

    def _reading(self, text: str) -> Reading:
        if not text:
            raise OSError(errno.EIO, "it answers nothing")
        if self._text(SCALE) != self._scale:
            self._set_gain()
            return Flaw.GAIN
        if not text.isdecimal() or int(text) >= 1 << BITS:
            return Flaw.NOT_READY  # an error number where a value should be
        return counted(int(text) ^ BOTTOM)

    def _set_gain(self) -> None:
        """Set it, and believe only what is read back."""
        places = {
            gain: scale
            for name, gains in GAINS.items()
            for gain, scale in zip(gains, self._text(name).split(), strict=False)
        }
        if self._gain not in places:
            raise DeviceError(
                "scale_gain",
                f"The kernel's driver of {self._device} offers no gain {self._gain}.",
                "Compare gain in the settings with the device tree's overlay.",
            )
        self._scale = places[self._gain]
        if self._text(SCALE) != self._scale:
            with contextlib.suppress(OSError):  # EIO, and kept all the same: see above
                (self._folder / SCALE).write_text(self._scale)

    def _text(self, name: str) -> str:
        return (self._folder / name).read_text(encoding="ascii", errors="replace").strip()

    def _gone(self, error: OSError) -> DeviceError:
        return DeviceError(
            "scale_missing",
            f"The kernel's driver of {self._device} gives no value: {error}.",
            "Check its cable; after an installation, the overlay in config.txt.",
        )
