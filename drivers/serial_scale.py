"""A weighing indicator on a serial port: the pump around a pure codec.

It owns the port, reads what has come, and posts the telegrams that are gross weights (or are none at
all: overload, error). A net telegram is no gross weight: with a tare in the indicator the bin's
weight is not known, which is told as an error rather than guessed.
"""

from __future__ import annotations

import contextlib
import os
import queue
import termios
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from drivers import indicator_ad
from drivers.clock import boottime_ms
from drivers.serial_line import Line, opened
from drivers.telegram import Codec, Frame, Skipped
from drivers.worker import Worker
from kiosk.core.errors import DeviceError
from kiosk.core.events import IndicatorReading

if TYPE_CHECKING:
    import serial

A_AND_D = Line()
"""As A&D's indicators leave the factory."""
READ_BYTES = 512
TELEGRAM_BYTES = 18
"""One read waits for about a telegram: at 2400 baud a wake-up a byte would be 240 a second."""
SILENT_MS = 3_000
"""An indicator that streams says something ten times a second; so long without a frame is a fault."""
NO_WEIGHT_MS = 20_000
"""An indicator that so long says everything but a weight (overloaded, tared) weighs nothing."""
_NO_WEIGHT = {
    "overload": (
        "indicator_overload",
        "More lies on the scale than it can weigh.",
        "Empty the bin; if it stays so, check the load cell's cable.",
    ),
    "underload": (
        "indicator_underload",
        "The scale shows less than nothing.",
        "Put the bin back in its place; if it stays so, check the load cell's cable.",
    ),
    "error": (
        "indicator_error",
        "The indicator shows an error, or a net weight.",
        "Take its tare away, or switch it off and on while the bin is empty.",
    ),
}
"""By the status of the last telegram."""


class SerialScale(Worker):
    """``bin_id`` the bin it weighs; ``decoder`` makes its protocol's codec.

    ``request`` asks for the present weight, each ``poll_ms``; None: it sends by itself.
    """

    def __init__(
        self,
        bin_id: str,
        port: str,
        *,
        decoder: Callable[[], Codec] = indicator_ad.decoder,
        request: bytes | None = None,
        poll_ms: int = 200,
        line: Line = A_AND_D,
    ) -> None:
        super().__init__(f"scale:{bin_id}")
        self._bin = bin_id
        self._port = port
        self._line = line
        self._request = request
        self._poll_ms = poll_ms
        self._serial: serial.Serial | None = None
        self._make = decoder
        self._decoder = decoder()
        self._framed_ms = self._weighed_ms = self._asked_ms = 0
        self._noise_bytes = 0

    def open(self) -> None:
        try:
            self._serial = opened(self._port, self._line)
        except (OSError, ValueError, termios.error) as error:
            raise DeviceError(
                "indicator_missing",
                f"The indicator's port {self._port} cannot be opened ({_reason(error)}).",
                "Check its plug and its power, then the port in the settings.",
            ) from error
        self._decoder = self._make()
        self._framed_ms = self._weighed_ms = boottime_ms()
        self._asked_ms = self._noise_bytes = 0

    def step(self) -> None:
        assert self._serial is not None
        now_ms = boottime_ms()
        try:
            if self._request is not None and now_ms - self._asked_ms >= self._poll_ms:
                self._asked_ms = now_ms
                self._serial.write(self._request)
            wanted = max(TELEGRAM_BYTES, self._serial.in_waiting)
            data = self._serial.read(min(READ_BYTES, wanted))
        except (OSError, termios.error) as error:
            raise gone(self._port, error) from error
        self._take(self._decoder.feed(data))

    def _take(self, found_all: Iterable[Frame | Skipped]) -> None:
        """Post what was found; DeviceError when nothing has been for too long."""
        now_ms = boottime_ms()
        for found in found_all:
            if isinstance(found, Frame):
                self._framed_ms = now_ms
                self._noise_bytes = 0
                self._tell(reading(self._bin, found, now_ms))
            else:
                self._noise_bytes += found.length
        if now_ms - self._framed_ms > SILENT_MS:
            raise self._silence()

    def close(self) -> None:
        if self._serial is not None:
            with contextlib.suppress(OSError):
                self._serial.close()
            self._serial = None

    def _tell(self, reading: IndicatorReading) -> None:
        """Post it. After a loss only a weight is a sign that the scale works."""
        if reading.gross_mg is not None:
            self._weighed_ms = reading.t_ms
        elif reading.t_ms - self._weighed_ms > NO_WEIGHT_MS:
            raise DeviceError(*_NO_WEIGHT[reading.status])
        elif self.lost:
            return
        # A full inbox loses one telegram of ten a second; the next one makes it good.
        with contextlib.suppress(queue.Full):
            self.deliver(reading)

    def _silence(self) -> DeviceError:
        if self._noise_bytes:
            return DeviceError(
                "indicator_garbled",
                f"The indicator at {self._port} sends what is no telegram.",
                "Compare speed, bits and parity in the settings with the indicator's menu.",
            )
        return DeviceError(
            "indicator_silent",
            f"The indicator at {self._port} says nothing.",
            "Is it switched on, and set to send by itself?",
        )


def reading(bin_id: str, frame: Frame, t_ms: int) -> IndicatorReading:
    """What a telegram means to the rules; of the weights that do not say what they are each is told so."""
    status, gross_mg = frame.status, frame.milligrams
    if frame.mode in ("net", "tare") and status in ("stable", "motion"):
        status, gross_mg = "error", None
    says_gross = gross_mg is not None and frame.mode == "gross"
    return IndicatorReading(bin_id, t_ms, status, gross_mg, says_gross)


def gone(port: str, error: Exception) -> DeviceError:
    """The port failed while it was in use."""
    return DeviceError(
        "indicator_missing",
        f"The indicator's port {port} has gone ({_reason(error)}).",
        "Check its plug and its power.",
    )


def _reason(error: Exception) -> str:
    """The system's own words; pyserial's repeat the port and the number."""
    number = getattr(error, "errno", None)
    return os.strerror(number) if number else f"{error}"
