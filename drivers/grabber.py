"""Takes every frame a camera gives and keeps the newest one only.

A camera's driver queues frames. Whoever decodes for longer than a frame lasts and then asks for the
next gets an old one, later and later. So a thread of its own asks without pause.

OpenCV may hold a thread inside a read for seconds. A grabber that is no longer wanted is therefore
left alone (:meth:`Grabber.abandon`) and lets go of the camera when its read returns.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

from drivers.clock import boottime_ms
from drivers.vision import Gray, load_cv2

OPEN_TIMEOUT_MS = 3_000
READ_TIMEOUT_MS = 5_000
"""Longer than the reader waits, so that a silent camera is not taken for one that went."""
MAX_BAD_READS = 3
"""So many reads in a row without a picture: the camera is gone."""


@dataclass(frozen=True, slots=True)
class Frame:
    """``gray`` the picture, taken at ``t_ms``; ``number`` counts from 1."""

    gray: Gray
    t_ms: int
    number: int


class Grabber:
    """One opened camera. ``source`` a V4L2 device's index, or a URL for FFmpeg."""

    def __init__(self, source: int | str, width_px: int, height_px: int, fps: int) -> None:
        self._source = source
        self._wish = (width_px, height_px, fps)
        self._news = threading.Condition()
        self._frame: Frame | None = None
        self._ended = False
        self._unwanted = threading.Event()
        threading.Thread(target=self._run, name=f"grabber:{source}", daemon=True).start()

    def newest(self, after: int, patience_s: float) -> Frame | None:
        """The newest frame, if it is numbered above ``after``; None when none came in time."""
        with self._news:
            self._news.wait_for(lambda: self._ended or self._is_newer(after), patience_s)
            return self._frame if self._is_newer(after) else None

    @property
    def ended(self) -> bool:
        """Whether the camera could not be opened, or stopped giving pictures."""
        return self._ended

    def abandon(self) -> None:
        """No more frames are wanted. Returns at once."""
        self._unwanted.set()

    def _is_newer(self, after: int) -> bool:
        return self._frame is not None and self._frame.number > after

    def _run(self) -> None:
        cv2 = load_cv2()
        capture = self._opened(cv2)
        number = bad = 0
        while capture.isOpened() and bad < MAX_BAD_READS and not self._unwanted.is_set():
            got, picture = capture.read()
            if not got or picture is None or picture.size == 0:
                bad += 1
                continue
            bad, number = 0, number + 1
            gray = picture if picture.ndim == 2 else cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
            with self._news:
                self._frame = Frame(gray, boottime_ms(), number)
                self._news.notify_all()
        capture.release()
        with self._news:
            self._ended = True
            self._news.notify_all()

    def _opened(self, cv2: Any) -> Any:
        width_px, height_px, fps = self._wish
        if isinstance(self._source, str):
            limits = (
                cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, OPEN_TIMEOUT_MS,
                cv2.CAP_PROP_READ_TIMEOUT_MSEC, READ_TIMEOUT_MS,
                cv2.CAP_PROP_N_THREADS, 1,  # more threads hold frames back
            )  # fmt: skip
            return cv2.VideoCapture(self._source, cv2.CAP_FFMPEG, limits)
        wish = (
            cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"),
            cv2.CAP_PROP_FRAME_WIDTH, width_px,
            cv2.CAP_PROP_FRAME_HEIGHT, height_px,
            cv2.CAP_PROP_FPS, fps,
        )  # fmt: skip
        capture = cv2.VideoCapture(self._source, cv2.CAP_V4L2, wish)
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        return capture
