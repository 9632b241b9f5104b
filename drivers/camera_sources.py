"""Where pictures come from: V4L2 and FFmpeg through OpenCV, MJPEG over HTTP, CSI through picamera2.

A source belongs to one thread. ``read`` waits for the next picture, and may hold the thread for
``READ_TIMEOUT_MS``; ``expose`` asks for an exposure in milliseconds (None: automatic) and is harmless
where a camera has no such control.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from drivers.vision import load_cv2

OPEN_TIMEOUT_MS = 3_000
READ_TIMEOUT_MS = 5_000
"""Longer than the reader waits, so that a silent camera is not taken for one that went."""
BUFFERS = 1
"""Frames that a driver may keep; more are old ones."""
V4L2_AUTO, V4L2_MANUAL = 3, 1
"""``V4L2_CID_EXPOSURE_AUTO``: aperture priority (what webcams call automatic), and manual."""
V4L2_EXPOSURE_MS = 0.1
"""Unit of ``V4L2_CID_EXPOSURE_ABSOLUTE``."""
CSI = re.compile(r"csi:([0-9])")

Data = NDArray[np.uint8]
"""JPEG bytes in one row, or a picture, grey or BGR (``drivers.frame``)."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked of a camera."""

    width_px: int
    height_px: int
    fps: int


class Source(Protocol):
    """An open camera."""

    def read(self) -> Data | None:
        """The next picture; None when none came."""
        ...

    def expose(self, ms: float | None) -> None:
        """Ask for an exposure; None for the camera's own choice."""
        ...

    def release(self) -> None:
        """Let go of it."""
        ...


def open_source(source: int | str, wanted: Wanted) -> Source | None:
    """The camera at ``source``: a V4L2 index, ``csi:0``, or a URL; None when it cannot be opened.
    Raises DeviceError where something has to be installed first."""
    if isinstance(source, int):
        return _opened(V4l2Source(source, wanted))
    csi = CSI.fullmatch(source)
    if csi:
        from drivers.csi import open_csi

        return open_csi(int(csi[1]), wanted)
    if source.startswith("http://"):
        from drivers.mjpeg_stream import open_stream

        stream = open_stream(source)
        if stream is not None:
            return stream
    return _opened(FfmpegSource(source))


class _OpenCvSource:
    def __init__(self, capture: Any) -> None:
        self._capture = capture

    @property
    def is_open(self) -> bool:
        return bool(self._capture.isOpened())

    def read(self) -> Data | None:
        got, picture = self._capture.read()
        return np.asarray(picture, np.uint8) if got and picture is not None else None

    def expose(self, ms: float | None) -> None:
        """No control."""

    def release(self) -> None:
        self._capture.release()


class V4l2Source(_OpenCvSource):
    """A USB camera. Its JPEGs are taken as they are (``CAP_PROP_CONVERT_RGB`` off), so that those nobody
    looks at are not decoded; a camera without MJPG hands over pictures."""

    def __init__(self, index: int, wanted: Wanted) -> None:
        cv2 = load_cv2()
        wish = (
            cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"),
            cv2.CAP_PROP_FRAME_WIDTH, wanted.width_px,
            cv2.CAP_PROP_FRAME_HEIGHT, wanted.height_px,
            cv2.CAP_PROP_FPS, wanted.fps,
        )  # fmt: skip
        super().__init__(cv2.VideoCapture(index, cv2.CAP_V4L2, wish))
        self._capture.set(cv2.CAP_PROP_BUFFERSIZE, BUFFERS)
        if int(self._capture.get(cv2.CAP_PROP_FOURCC)) == cv2.VideoWriter.fourcc(*"MJPG"):
            self._capture.set(cv2.CAP_PROP_CONVERT_RGB, 0)

    def expose(self, ms: float | None) -> None:
        cv2 = load_cv2()
        # Some cameras take a manual exposure only after automatic was set explicitly.
        self._capture.set(cv2.CAP_PROP_AUTO_EXPOSURE, V4L2_AUTO)
        if ms is not None:
            self._capture.set(cv2.CAP_PROP_AUTO_EXPOSURE, V4L2_MANUAL)
            self._capture.set(cv2.CAP_PROP_EXPOSURE, max(1, round(ms / V4L2_EXPOSURE_MS)))


class FfmpegSource(_OpenCvSource):
    """A network camera, whatever it speaks."""

    def __init__(self, url: str) -> None:
        cv2 = load_cv2()
        limits = (
            cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, OPEN_TIMEOUT_MS,
            cv2.CAP_PROP_READ_TIMEOUT_MSEC, READ_TIMEOUT_MS,
            cv2.CAP_PROP_N_THREADS, 1,  # more threads hold frames back
        )  # fmt: skip
        super().__init__(cv2.VideoCapture(url, cv2.CAP_FFMPEG, limits))


def _opened(source: _OpenCvSource) -> Source | None:
    if source.is_open:
        return source
    source.release()
    return None
