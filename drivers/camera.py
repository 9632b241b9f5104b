"""A reader for QR cards: a camera, the newest frame of it, and one event a presentation.

Codes: ``camera_missing`` (cannot be opened, or went away), ``camera_silent`` (open, but no picture
comes), ``camera_frozen`` (the same picture again and again).

A sensor's picture is never twice the same, for its noise; a camera whose sensor or bridge hangs
repeats one to the last bit. Only an even picture (lens covered, dark hall) may repeat itself.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from drivers.clock import boottime_ms
from drivers.frames import FrameReader
from drivers.grabber import OPEN_TIMEOUT_MS, Frame, Grabber
from drivers.presence import Presence
from drivers.vision import Gray
from drivers.worker import Worker
from kiosk.core.cards import CardDesk
from kiosk.core.errors import DeviceError

STEP_S = 0.25
SILENT_MS = 3_000
FROZEN_MS = 3_000
EVEN_LEVELS = 16
"""A picture whose brightest and darkest pixel differ by less shows nothing that could freeze."""


class CameraReader(Worker):
    """``name`` as ``reader:ID``; ``source`` a V4L2 index or a URL; ``day`` gives the local day
    (days since 1970-01-01), None while the clock is not known."""

    def __init__(
        self,
        name: str,
        source: int | str,
        desk: CardDesk,
        day: Callable[[], int | None],
        *,
        width_px: int = 640,
        height_px: int = 480,
        fps: int = 15,
    ) -> None:
        super().__init__(name)
        self._source = source
        self._desk = desk
        self._day = day
        self._wish = (width_px, height_px, fps)
        self._grabber: Grabber | None = None
        self._last: Frame | None = None
        self._changed_ms = 0
        self._opened_ms = 0
        self._reader = FrameReader()
        self._presence = Presence()

    def open(self) -> None:
        """Begin to open the camera; its first frame tells whether that worked."""
        self._last = None
        self._opened_ms = boottime_ms()
        self._grabber = Grabber(self._source, *self._wish)

    def step(self) -> None:
        """Wait for one new frame and read it."""
        assert self._grabber is not None
        frame = self._grabber.newest(self._last.number if self._last else 0, STEP_S)
        if frame is None:
            self._without_frame(self._grabber.ended)
        elif self._is_alive(frame):
            self._read(frame)

    def close(self) -> None:
        """Let go of the camera."""
        if self._grabber is not None:
            self._grabber.abandon()
            self._grabber = None

    def _without_frame(self, ended: bool) -> None:
        if ended:
            raise DeviceError(
                "camera_missing",
                f"The camera at {self._source} cannot be opened or went away.",
                "Check its cable and the reader's source in the settings.",
            )
        if self._last is None:
            waiting_ms, bound_ms = boottime_ms() - self._opened_ms, OPEN_TIMEOUT_MS + SILENT_MS
        else:
            waiting_ms, bound_ms = boottime_ms() - self._last.t_ms, SILENT_MS
        if waiting_ms >= bound_ms:
            raise DeviceError(
                "camera_silent",
                f"The camera at {self._source} sends no pictures.",
                "Unplug the camera and plug it in again.",
            )

    def _is_alive(self, frame: Frame) -> bool:
        """Whether this frame is news; raises DeviceError for a frozen camera."""
        last, self._last = self._last, frame
        if last is None:
            # Not yet proof of life: a frozen camera opens well and repeats its picture.
            self._changed_ms = frame.t_ms
            return False
        if not np.array_equal(frame.gray, last.gray) or _is_even(frame.gray):
            self._changed_ms = frame.t_ms
            return True
        if frame.t_ms - self._changed_ms >= FROZEN_MS:
            raise DeviceError(
                "camera_frozen",
                f"The camera at {self._source} repeats one picture.",
                "Unplug the camera and plug it in again.",
            )
        return False

    def _read(self, frame: Frame) -> None:
        self.deliver()
        for code in self._reader.read(frame.gray, frame.t_ms):
            if self._presence.is_new(code.text, frame.t_ms):
                self.deliver(self._desk.identify_qr(code.text, t_ms=frame.t_ms, day=self._day()))


def _is_even(gray: Gray) -> bool:
    return int(gray.max()) - int(gray.min()) < EVEN_LEVELS
