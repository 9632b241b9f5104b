"""OpenCV, loaded when a reader first needs it (about 0.3 s) and with its bounds set.

OpenCV reads both variables once, when its library is loaded; so nothing else in the product may
import ``cv2``.
"""

from __future__ import annotations

import os
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Gray = NDArray[np.uint8]
"""A picture of height × width, 0 black."""

MAX_PICTURE_PIXELS = 128 << 20
"""OpenCV refuses to decode a file that claims more: a few kilobytes of PNG can claim gigabytes."""

CAPTURE_OPTIONS = "fflags;nobuffer|flags;low_delay"
"""FFmpeg hands over each frame of a network camera as it comes instead of collecting some."""


@cache
def load_cv2() -> Any:
    """The module ``cv2``, silent: what it would log, its callers say in errors of their own."""
    os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(MAX_PICTURE_PIXELS))
    os.environ.setdefault("OPENCV_FFMPEG_CAPTURE_OPTIONS", CAPTURE_OPTIONS)
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")
    import cv2

    # A pool of threads wakes for every small picture, and costs more than it saves.
    cv2.setNumThreads(1)
    return cv2
