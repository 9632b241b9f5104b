"""The kernel's HX711 driver as a user meets it in sysfs, its faults included.

After Linux ``drivers/iio/adc/hx711.c``: bits are clocked with interrupts off; readiness is looked for
every 10 ms, a hundred times; then the chip is reset and the gain taken to be 128; pulse 25 and what
comes after it are not looked at; a gain that is set while no conversion waits is answered with EIO
and kept for the next frame; nothing settles after a change of gain; AVDD's scale table is one for all
devices, so that the last one probed decides what millivolts the others show.

``KernelHx711`` is the driver over a chip and a clock, ``IioFolder`` its attributes as a folder: a FIFO
for each raw value (a read makes a conversion and waits for it) and a plain file for the scale, whose
new content the driver meets at the next read. A failed read ends with nothing in it, since a FIFO
cannot answer EIO.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from pathlib import Path
from typing import ClassVar, Protocol

from hw_sim.bench import Hx711Slot
from hw_sim.hx711_chip import Hx711Chip

LOOKS = 100
LOOK_S = 0.010
PULSES = {128: 1, 32: 2, 64: 3}
HALF_CYCLE_NS = 2_500
"""The clock's high and low times at the driver's 400 kHz; no interrupt makes them longer."""
SCALE = "in_voltage_scale"
CHANNELS = {"in_voltage0_raw": 0, "in_voltage1_raw": 1}


class Clock(Protocol):
    """What of the module ``time`` the driver uses."""

    def sleep(self, seconds: float, /) -> None: ...

    def monotonic_ns(self) -> int: ...


class KernelHx711:
    """One device of the driver."""

    scales: ClassVar[dict[int, int]] = {}
    """Gain to millivolts (1e-9) a count: one table for all devices, as older kernels have it."""

    def __init__(self, slot: Hx711Slot, clock: Clock, avdd_uv: int = 5_000_000) -> None:
        self._now_ns = 0
        self._chip = Hx711Chip(slot, lambda: self._now_ns)
        self._clock = clock
        self._gain = self._gain_of_a = 128
        for gain in PULSES:
            self.scales[gain] = avdd_uv * 100 // gain // 1678

    def raw(self, channel: int) -> int:
        """Offset binary; ``OSError`` EIO where no conversion came."""
        if not self._ready_in_time():
            self._chip.sck(1)
            self._clock.sleep(LOOK_S)
            self._catch_up()
            self._chip.sck(0)
            self._gain = 128
            if not self._ready_in_time():
                raise _eio()
        wanted = 32 if channel == 1 else self._gain_of_a if self._gain == 32 else self._gain
        if wanted != self._gain:
            self._gain = wanted
            self._frame()
            if not self._ready_in_time():
                raise _eio()
        return self._frame()

    def scale(self) -> str:
        return f"0.{self.scales[self._gain]:09d}"

    def available(self, channel: int) -> str:
        gains = (32,) if channel == 1 else (128, 64)
        return " ".join(f"0.{self.scales[gain]:09d}" for gain in gains)

    def set_scale(self, text: str) -> None:
        """The gain is changed first and the chip told afterwards, if it listens."""
        for gain, scale in self.scales.items():
            if text == f"0.{scale:09d}" and gain != self._gain:
                self._gain = gain
                if gain != 32:
                    self._gain_of_a = gain
                self._frame()

    def _ready_in_time(self) -> bool:
        for _ in range(LOOKS):
            self._catch_up()
            if not self._level():
                return True
            self._clock.sleep(LOOK_S)
        return False

    def _frame(self) -> int:
        self._catch_up()
        if self._level():
            raise _eio()
        value = 0
        for _ in range(24):
            value = value << 1 | self._cycle()
        for _ in range(PULSES[self._gain]):
            self._cycle()
        return value ^ 0x800000

    def _cycle(self) -> int:
        self._chip.sck(1)
        self._now_ns += HALF_CYCLE_NS
        self._chip.sck(0)
        self._now_ns += HALF_CYCLE_NS
        return self._level()

    def _catch_up(self) -> None:
        self._now_ns = max(self._now_ns, self._clock.monotonic_ns())

    def _level(self) -> int:
        level = self._chip.dout()
        return 1 if level is None else level


class IioFolder:
    """The device's folder in sysfs, at ``path``; threads of this process answer its readers.

    ``writable`` false: as for a user without rights there, the scale stays as it is.
    """

    def __init__(self, path: Path, slot: Hx711Slot, *, writable: bool = True) -> None:
        self._writable = writable
        self.path = path
        self.slot = slot
        self._driver = KernelHx711(slot, time)
        self._lock = threading.Lock()
        self._ending = False
        path.mkdir()
        (path / "name").write_text("hx711\n")
        (path / "label").write_text(f"{path.name}\n")
        for channel in (0, 1):
            text = self._driver.available(channel)
            (path / f"in_voltage{channel}_scale_available").write_text(f"{text} \n")
        self._show_scale()
        self._threads = [
            threading.Thread(target=self._serve, args=(name,), daemon=True) for name in CHANNELS
        ]
        for name in CHANNELS:
            os.mkfifo(path / name)
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Let go of readers and end."""
        self._ending = True
        for name in CHANNELS:
            with contextlib.suppress(OSError):
                os.close(os.open(self.path / name, os.O_RDONLY | os.O_NONBLOCK))
        for thread in self._threads:
            thread.join(5)

    def _serve(self, name: str) -> None:
        while not self._ending:
            pipe = os.open(self.path / name, os.O_WRONLY)  # until somebody reads
            # The next reader must find another pipe than the one that this one's answer lies in.
            os.mkfifo(self.path / f".{name}")
            (self.path / f".{name}").replace(self.path / name)
            try:
                if not self._ending:
                    os.write(pipe, f"{self._read(CHANNELS[name])}\n".encode())
            except OSError:
                pass  # EIO of the driver, or a reader that has gone: an end without a value
            finally:
                os.close(pipe)

    def _read(self, channel: int) -> int:
        with self._lock:
            wanted = (self.path / SCALE).read_text().strip()
            if self._writable and wanted != self._driver.scale():
                with contextlib.suppress(OSError):  # the writer's EIO, which a file cannot give
                    self._driver.set_scale(wanted)
            try:
                return self._driver.raw(channel)
            finally:
                self._show_scale()

    def _show_scale(self) -> None:
        draft = self.path / f".{SCALE}"
        draft.write_text(f"{self._driver.scale()}\n")
        draft.replace(self.path / SCALE)


def _eio() -> OSError:
    return OSError(5, "Input/output error")
