"""A reader for QR cards: a camera, the newest frame of it, and one event a presentation.

Codes: ``camera_missing`` (cannot be opened, or went away), ``camera_library`` (a CSI camera whose library
is not installed), ``camera_silent`` (open, but no picture comes), ``camera_garbled``
(what comes cannot be read), ``camera_frozen`` (the same picture again and again).

A sensor's picture is never twice the same, for its noise; a camera whose sensor or bridge hangs
repeats one to the last bit. Only an even picture (lens covered, dark hall) may repeat itself. Such a
picture is no failure: halls are dark at night. It is told as a hint to whoever asks the doctor.
"""

from __future__ import annotations

from collections.abc import Callable

from drivers.camera_sources import OPEN_TIMEOUT_MS, Wanted
from drivers.clock import boottime_ms
from drivers.exposure import ExposurePlan, Wish
from drivers.frame import Frame
from drivers.frames import FrameReader
from drivers.grabber import Grabber
from drivers.presence import Presence
from drivers.worker import Worker
from kiosk.core.cards import CardDesk
from kiosk.core.errors import DeviceError

STEP_S = 0.25
SILENT_MS = 3_000
FROZEN_MS = 3_000
DARK_MS = 10_000
"""Dark for so long, it is no hand before the lens."""


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
        fps: int = 30,
        exposure: Wish = "hint",
    ) -> None:
        super().__init__(name)
        self._source = source
        self._desk = desk
        self._day = day
        self._wanted = Wanted(width_px, height_px, fps)
        self._exposure = ExposurePlan(exposure)
        self._grabber: Grabber | None = None
        self._last: Frame | None = None
        self._changed_ms = 0
        self._opened_ms = 0
        self._readable_ms = 0
        self._bright_ms = 0
        self._dark = False
        self._hint: str | None = None
        self._reader = FrameReader()
        self._presence = Presence()

    def open(self) -> None:
        """Begin to open the camera; its first frame tells whether that worked."""
        self._last = None
        self._hint = None
        self._opened_ms = self._readable_ms = self._bright_ms = boottime_ms()
        self._dark = False
        self._grabber = Grabber(self._source, self._wanted)

    def step(self) -> None:
        """Wait for one new frame and read it."""
        assert self._grabber is not None
        frame = self._grabber.newest(self._last.number if self._last else 0, STEP_S)
        if frame is None:
            self._without_frame(self._grabber)
        elif self._is_alive(frame):
            self._read(frame, self._grabber)

    @property
    def hint(self) -> str | None:
        """``dark`` while the camera works and shows nothing but dark."""
        return self._hint

    def close(self) -> None:
        """Let go of the camera."""
        self._hint = None
        if self._grabber is not None:
            self._grabber.abandon()
            self._grabber = None

    def _without_frame(self, grabber: Grabber) -> None:
        if grabber.ended:
            if grabber.trouble is not None:
                raise grabber.trouble
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
        if not frame.repeats(last) or frame.is_even:
            self._changed_ms = frame.t_ms
            return True
        if frame.t_ms - self._changed_ms >= FROZEN_MS:
            raise DeviceError(
                "camera_frozen",
                f"The camera at {self._source} repeats one picture.",
                "Unplug the camera and plug it in again.",
            )
        return False

    def _read(self, frame: Frame, grabber: Grabber) -> None:
        t_ms = frame.t_ms
        codes = self._reader.read(frame)
        self._has_to_be_readable(frame)
        for code in codes:
            if self._presence.is_new(code.text, t_ms):
                self.deliver(self._desk.identify_qr(code.text, t_ms=t_ms, day=self._day()))
        dark = self._is_dark(frame)
        moving = self._reader.moving
        grabber.expose(self._exposure.next(t_ms, moving=moving, read=bool(codes), dark=dark))

    def _has_to_be_readable(self, frame: Frame) -> None:
        """A damaged JPEG now and then is a cable's; nothing else is a camera's fault."""
        if not frame.looked_at:
            return
        if frame.thumb is not None:
            self._readable_ms = frame.t_ms
            self.deliver()
        elif frame.t_ms - self._readable_ms >= SILENT_MS:
            raise DeviceError(
                "camera_garbled",
                f"What the camera at {self._source} sends are no pictures.",
                "Try another cable or another USB socket.",
            )

    def _is_dark(self, frame: Frame) -> bool:
        """Whether this frame, or the last one that was looked at, shows nothing; keeps the hint."""
        if frame.looked_at:
            self._dark = frame.is_dark
            if not self._dark:
                self._bright_ms, self._hint = frame.t_ms, None
            elif frame.t_ms - self._bright_ms >= DARK_MS:
                self._hint = "dark"
        return self._dark
